"""Principals, roles and bindings: the values that decisions of access are made of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What a binding gives."""

    ADMIN = "admin"
    DATA_SCIENTIST = "data-scientist"
    ENGINEER = "engineer"
    AUDITOR = "auditor"
    EVALUATOR = "evaluator"
    DEPLOYER = "deployer"
    CONSUMER = "consumer"


@dataclass(frozen=True, slots=True)
class RoleBinding:
    """``members`` of a role in a scope.

    ``scope`` is "" (everywhere), "namespaces/x" or "namespaces/x/models/y". ``member`` is a
    principal, or a pattern that ends in ``*``.
    """

    scope: str
    binding_id: str
    role: Role
    member: str
    created_by: str
    create_time: datetime
