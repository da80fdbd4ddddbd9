"""Namespaces and role bindings in the store."""

from collections.abc import Set
from typing import Protocol

from assay_server.domain.access import RoleBinding
from assay_server.domain.calls import Page, Paged
from assay_server.domain.models import Namespace


class NamespaceReads(Protocol):
    """Reading namespaces."""

    async def get(self, namespace_id: str) -> Namespace: ...

    async def list(self, page: Page, *, among: Set[str] | None) -> Paged[Namespace]:
        """List by id; ``among`` limits to some ids, None to none."""
        ...


class Namespaces(NamespaceReads, Protocol):
    """Namespaces within a transaction."""

    async def lock(self, namespace_id: str) -> Namespace: ...
    async def add(self, namespace: Namespace) -> None: ...
    async def save(self, namespace: Namespace) -> None: ...


class BindingReads(Protocol):
    """Reading role bindings."""

    async def epoch(self) -> int:
        """Return a number that grows whenever any binding is added or removed."""
        ...

    async def all(self) -> tuple[RoleBinding, ...]: ...
    async def get(self, scope: str, binding_id: str) -> RoleBinding: ...

    async def list(self, scope: str, page: Page) -> Paged[RoleBinding]:
        """List the bindings of exactly this scope, by id."""
        ...


class Bindings(BindingReads, Protocol):
    """Role bindings within a transaction; ``lock_all`` keeps others from changing any."""

    async def lock_all(self) -> tuple[RoleBinding, ...]: ...
    async def add(self, binding: RoleBinding) -> None: ...
    async def remove(self, binding: RoleBinding) -> None: ...
