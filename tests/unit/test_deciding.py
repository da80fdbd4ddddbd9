"""Who may what where, from bindings alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_server.access.deciding import (
    Granted,
    granted_at,
    is_member,
    may_grant,
    readable_namespaces,
    require_admin_left,
    require_may_grant,
    require_member,
)
from assay_server.access.permissions import ROLE_PERMISSIONS, Permission, roles_with
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.errors import InvalidField, LastAdmin, PermissionDenied
from assay_server.domain.names import Scope, parse_scope

ANN, BOB, CI = "spiffe://lab/ann", "spiffe://lab/bob", "spiffe://lab/ci/42"
VISION, DIGITS = "namespaces/vision", "namespaces/vision/models/digits"
AUDIO = "namespaces/audio"


def bind(role: Role, member: str, scope: str = "", binding_id: str = "b") -> RoleBinding:
    return RoleBinding(scope, binding_id, role, member, "root", datetime(2026, 5, 1, tzinfo=UTC))


REACH: list[tuple[str, str, bool]] = [
    ("", "", True),
    ("", VISION, True),
    ("", DIGITS, True),
    (VISION, "", False),
    (VISION, VISION, True),
    (VISION, DIGITS, True),
    (VISION, AUDIO, False),
    (VISION, "namespaces/vision2", False),
    (VISION, f"{AUDIO}/models/digits", False),
    (DIGITS, "", False),
    (DIGITS, VISION, False),
    (DIGITS, DIGITS, True),
    (DIGITS, "namespaces/vision/models/digits2", False),
    (DIGITS, f"{AUDIO}/models/digits", False),
]


@pytest.mark.parametrize(("bound", "asked", "holds"), REACH)
def test_a_binding_holds_at_its_scope_and_below(bound: str, asked: str, holds: bool) -> None:
    granted = granted_at([bind(Role.CONSUMER, ANN, bound)], ANN, parse_scope(asked))

    assert bool(granted.permissions) is holds
    assert (Role.CONSUMER in granted.roles) is holds


MEMBERS: list[tuple[str, str, bool]] = [
    (ANN, ANN, True),
    (ANN, "spiffe://lab/an", False),
    (ANN, "spiffe://lab/annabel", False),
    (ANN, "spiffe://LAB/ann", False),
    (CI, "spiffe://lab/ci/*", True),
    ("spiffe://lab/ci", "spiffe://lab/ci/*", False),
    ("spiffe://lab/cinema", "spiffe://lab/ci/*", False),
    ("spiffe://lab.evil/ci/1", "spiffe://lab/*", False),
    (ANN, "*", True),
    ("", "*", False),
    ("", "", False),
    ("email:ann@lab.example", "spiffe://*", False),
]


@pytest.mark.parametrize(("principal", "member", "matches"), MEMBERS)
def test_a_pattern_stands_for_what_begins_with_it(
    principal: str, member: str, matches: bool
) -> None:
    assert is_member(principal, member) is matches


def test_without_bindings_nothing_is_granted() -> None:
    granted = granted_at([bind(Role.ADMIN, BOB)], ANN, Scope("vision"))

    assert granted.permissions == frozenset()
    assert granted.roles == frozenset()


def test_roles_of_all_scopes_above_add_up() -> None:
    bindings = [
        bind(Role.AUDITOR, ANN),
        bind(Role.CONSUMER, "spiffe://lab/*", VISION),
        bind(Role.EVALUATOR, ANN, DIGITS),
        bind(Role.ADMIN, ANN, AUDIO),
    ]

    granted = granted_at(bindings, ANN, Scope("vision", "digits"))

    assert granted.roles == {Role.AUDITOR, Role.CONSUMER, Role.EVALUATOR}
    assert granted.permissions == (
        ROLE_PERMISSIONS[Role.AUDITOR] | ROLE_PERMISSIONS[Role.EVALUATOR]
    )


READABLE: list[tuple[list[RoleBinding], frozenset[str] | None]] = [
    ([], frozenset()),
    ([bind(Role.CONSUMER, BOB)], frozenset()),
    ([bind(Role.CONSUMER, ANN, VISION)], frozenset({"vision"})),
    ([bind(Role.CONSUMER, ANN, VISION), bind(Role.ADMIN, ANN, AUDIO)],
     frozenset({"vision", "audio"})),
    ([bind(Role.CONSUMER, ANN, DIGITS)], frozenset()),
    ([bind(Role.CONSUMER, ANN, VISION), bind(Role.AUDITOR, ANN)], None),
]  # fmt: skip


@pytest.mark.parametrize(("bindings", "namespaces"), READABLE)
def test_lists_show_the_namespaces_that_are_readable_throughout(
    bindings: list[RoleBinding], namespaces: frozenset[str] | None
) -> None:
    assert readable_namespaces(bindings, ANN, Permission.MODELS_READ) == namespaces


def test_what_is_listed_depends_on_the_permission() -> None:
    bindings = [bind(Role.CONSUMER, ANN, VISION), bind(Role.AUDITOR, ANN, AUDIO)]

    assert readable_namespaces(bindings, ANN, Permission.AUDIT_READ) == {"audio"}
    assert readable_namespaces(bindings, ANN, Permission.ARTIFACTS_READ) == {"vision"}


# One row per permission: who holds it, besides the admin.
MATRIX: dict[Permission, str] = {
    Permission.NAMESPACES_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.NAMESPACES_CREATE: "",
    Permission.NAMESPACES_WRITE: "",
    Permission.MODELS_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.MODELS_WRITE: "scientist engineer",
    Permission.MODELS_MANAGE: "engineer",
    Permission.DRAFTS_WRITE: "scientist engineer",
    Permission.DRAFTS_MANAGE: "engineer",
    Permission.VERSIONS_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.VERSIONS_WRITE: "scientist engineer",
    Permission.VERSIONS_PUBLISH: "scientist engineer",
    Permission.VERSIONS_MANAGE: "engineer",
    Permission.ARTIFACTS_READ: "scientist engineer evaluator deployer consumer",
    Permission.ARTIFACTS_WRITE: "scientist engineer",
    Permission.ALIASES_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.ALIASES_WRITE: "scientist engineer",
    Permission.ALIASES_MOVE_PROTECTED: "engineer",
    Permission.EVALUATIONS_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.EVALUATIONS_WRITE: "scientist engineer evaluator",
    Permission.GATES_READ: "scientist engineer auditor evaluator deployer consumer",
    Permission.GATES_WRITE: "engineer",
    Permission.BINDINGS_READ: "engineer auditor",
    Permission.BINDINGS_WRITE: "",
    Permission.AUDIT_READ: "auditor",
    Permission.WATCH_READ: "scientist engineer auditor evaluator deployer",
}


@pytest.mark.parametrize("permission", list(Permission))
def test_each_permission_is_held_by_the_roles_that_the_matrix_names(
    permission: Permission,
) -> None:
    expected = {
        f"data-{word}" if word == "scientist" else word for word in MATRIX[permission].split()
    }

    assert set(roles_with(permission)) == expected | {"admin"}


def test_every_role_is_defined_and_the_least_powerful_is_named_first() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert roles_with(Permission.ARTIFACTS_READ)[0] == "consumer"
    assert roles_with(Permission.EVALUATIONS_WRITE) == (
        "evaluator", "data-scientist", "engineer", "admin",
    )  # fmt: skip


GRANTS: list[tuple[Role, Role, bool]] = [
    (Role.ADMIN, Role.ADMIN, True),
    (Role.ADMIN, Role.EVALUATOR, True),
    (Role.ENGINEER, Role.CONSUMER, False),
    (Role.DATA_SCIENTIST, Role.DATA_SCIENTIST, False),
    (Role.AUDITOR, Role.CONSUMER, False),
]


@pytest.mark.parametrize(("held", "wanted", "may"), GRANTS)
def test_only_who_may_write_bindings_and_holds_the_role_grants_it(
    held: Role, wanted: Role, may: bool
) -> None:
    granted = granted_at([bind(held, ANN, VISION)], ANN, Scope("vision"))

    assert may_grant(granted, wanted) is may
    if may:
        require_may_grant(granted, wanted, scope=VISION, principal=ANN)
    else:
        with pytest.raises(PermissionDenied) as refusal:
            require_may_grant(granted, wanted, scope=VISION, principal=ANN)
        assert refusal.value.metadata["permission"] == "bindings.write"


def test_writing_bindings_alone_does_not_let_anyone_grant_what_they_lack() -> None:
    granted = Granted(frozenset({Permission.BINDINGS_WRITE}), frozenset())

    assert not may_grant(granted, Role.CONSUMER)
    with pytest.raises(PermissionDenied, match=r"aliases\.read"):
        require_may_grant(granted, Role.CONSUMER, scope=VISION, principal=ANN)


def test_an_admin_of_a_namespace_grants_nothing_above_it() -> None:
    bindings = [bind(Role.ADMIN, ANN, VISION)]

    assert may_grant(granted_at(bindings, ANN, Scope("vision", "digits")), Role.ADMIN)
    assert not may_grant(granted_at(bindings, ANN, Scope("audio")), Role.CONSUMER)
    assert not may_grant(granted_at(bindings, ANN, Scope()), Role.CONSUMER)


@given(
    st.lists(st.tuples(st.sampled_from(Role), st.sampled_from(["", VISION, DIGITS, AUDIO]))),
    st.sampled_from(Role),
    st.sampled_from(["", VISION, DIGITS, AUDIO]),
)
def test_granting_never_gives_more_than_the_granter_has(
    held: list[tuple[Role, str]], wanted: Role, scope: str
) -> None:
    place = parse_scope(scope)
    before = granted_at([bind(role, ANN, where) for role, where in held], ANN, place)
    if not may_grant(before, wanted):
        return

    given_to = granted_at([bind(wanted, BOB, scope)], BOB, place)

    assert given_to.permissions <= before.permissions


def test_the_last_admin_of_everything_stays() -> None:
    root, second = bind(Role.ADMIN, ANN, "", "b1"), bind(Role.ADMIN, BOB, "", "b2")
    local, auditor = bind(Role.ADMIN, BOB, VISION, "b3"), bind(Role.AUDITOR, BOB, "", "b4")

    require_admin_left([root, second, local], root)
    require_admin_left([root, local, auditor], local)
    require_admin_left([root, local, auditor], auditor)
    with pytest.raises(LastAdmin, match="roleBindings/b1"):
        require_admin_left([root, local, auditor], root)


@pytest.mark.parametrize("member", [ANN, "spiffe://lab/ci/*", "*", "email:ann@lab.example"])
def test_a_principal_or_a_pattern_can_be_bound(member: str) -> None:
    assert require_member(member) == member


@pytest.mark.parametrize(
    "member", ["", "spiffe://*/ann", "**", "a*b", "spiffe://lab/ann\n", "ann smith", "\u0430nn",
               "x" * 2049]
)  # fmt: skip
def test_what_could_never_be_a_principal_is_not_bound(member: str) -> None:
    with pytest.raises(InvalidField):
        require_member(member)
