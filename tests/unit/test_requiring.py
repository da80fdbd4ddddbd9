"""What those hear who may not, and who sees which event."""

from datetime import UTC, datetime
from typing import Any

import pytest

from assay_server.access.deciding import Granted
from assay_server.access.permissions import ROLE_PERMISSIONS, Permission
from assay_server.access.requiring import require_permission
from assay_server.access.watching import may_see
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.errors import NotFound, PermissionDenied
from assay_server.domain.events import Event, EventType
from assay_server.domain.facts import Facts
from assay_server.domain.models import Namespace
from assay_server.domain.versions import Draft, DraftState

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANN, BOB = "spiffe://lab/ann", "spiffe://lab/bob"
NOTHING = Granted(frozenset(), frozenset())


def holding(role: Role) -> Granted:
    return Granted(ROLE_PERMISSIONS[role], frozenset({role}))


def event(subject: Any) -> Event:
    return Event(7, EventType.UPDATED, "namespaces/vision", "vision", "Do", ANN, NOW, subject)


NAMESPACE = Namespace("vision", "", "", ANN, NOW, "e")
DRAFT = Draft(
    "vision", "digits", "d", Facts(), "", "", {}, DraftState.OPEN, ANN, NOW, NOW, NOW, "e"
)
BINDING = RoleBinding("", "b", Role.ADMIN, BOB, ANN, NOW)


def test_who_holds_the_permission_hears_nothing() -> None:
    require_permission(
        holding(Role.CONSUMER), Permission.MODELS_READ, resource="namespaces/x", principal=ANN
    )


def test_who_holds_nothing_hears_what_is_said_of_the_absent() -> None:
    with pytest.raises(NotFound) as refused:
        require_permission(NOTHING, Permission.GATES_WRITE, resource="namespaces/x", principal=ANN)

    assert refused.value.message == NotFound("namespaces/x").message


def test_who_may_read_hears_what_is_missing_and_who_has_it() -> None:
    with pytest.raises(PermissionDenied) as refused:
        require_permission(
            holding(Role.CONSUMER), Permission.GATES_WRITE, resource="namespaces/x", principal=ANN
        )

    assert refused.value.metadata["permission"] == "gates.write"
    assert refused.value.metadata["roles"] == "engineer,admin"


def test_that_the_registry_exists_is_no_secret() -> None:
    with pytest.raises(PermissionDenied, match="on the registry"):
        require_permission(NOTHING, Permission.NAMESPACES_CREATE, resource="", principal=ANN)


@pytest.mark.parametrize(
    ("subject", "role", "principal", "is_seen"),
    [
        (NAMESPACE, Role.DEPLOYER, BOB, True),
        (NAMESPACE, Role.CONSUMER, BOB, False),
        (DRAFT, Role.DATA_SCIENTIST, ANN, True),
        (DRAFT, Role.DATA_SCIENTIST, BOB, False),
        (DRAFT, Role.ENGINEER, BOB, True),
        (DRAFT, Role.AUDITOR, BOB, False),
        (DRAFT, Role.DEPLOYER, ANN, False),
        (BINDING, Role.DEPLOYER, BOB, False),
        (BINDING, Role.AUDITOR, BOB, True),
    ],
)
def test_a_watch_shows_nothing_that_reads_would_hide(
    subject: Any, role: Role, principal: str, is_seen: bool
) -> None:
    assert may_see(event(subject), holding(role), principal) is is_seen


def test_who_holds_nothing_sees_nothing() -> None:
    assert not may_see(event(NAMESPACE), NOTHING, ANN)
