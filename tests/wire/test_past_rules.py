"""Which gate was in force, what was measured and who had which role, at an earlier revision."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
import pytest_asyncio

from assay.v1 import access_service_pb2 as access_api
from assay.v1 import evaluation_service_pb2 as api
from assay.v1 import registry_service_pb2 as registry_api
from assay.v1 import role_binding_pb2
from assay_server.domain.access import Role
from assay_server.domain.errors import NotFound
from tests.wire.publication import Team, accurate, team_on, worst_class
from tests.wire.registry import Registry, Stubs
from tests.wire.scripted import info_of, refusal
from tests.wire.transfers import DIGITS

VISION = "namespaces/vision"
GATE = f"{VISION}/gates/alias-champion"
MARY = "spiffe://assay.test/mary"

Ask = Callable[[Stubs, int], Awaitable[Any]]

ASKED: dict[str, Ask] = {
    "GetGate": lambda by, as_of: by.evaluation.GetGate(api.GetGateRequest(name=GATE, as_of=as_of)),
    "ListGates": lambda by, as_of: by.evaluation.ListGates(
        api.ListGatesRequest(parent=DIGITS, as_of=as_of)
    ),
    "GetEvaluation": lambda by, as_of: by.evaluation.GetEvaluation(
        api.GetEvaluationRequest(name=f"{DIGITS}/versions/1/evaluations/x", as_of=as_of)
    ),
    "ListEvaluations": lambda by, as_of: by.evaluation.ListEvaluations(
        api.ListEvaluationsRequest(parent=f"{DIGITS}/versions/1", as_of=as_of)
    ),
    "ListRoleBindings": lambda by, as_of: by.access.ListRoleBindings(
        access_api.ListRoleBindingsRequest(parent=VISION, as_of=as_of)
    ),
}


PLAIN = frozenset(ASKED) - {"GetEvaluation"}
"""Those whose answer is known before the test."""


@pytest_asyncio.fixture
async def team(registry: Registry) -> AsyncIterator[Team]:
    async with team_on(registry) as team:
        yield team


async def test_an_auditor_sees_what_held_when_an_alias_moved(
    team: Team, registry: Registry
) -> None:
    name = await team.ready("one")
    gate = await team.set_gate("alias-champion", accurate(0.9))
    measured = await team.evaluate(name, 0.95)
    async with registry.stubs() as admin, registry.stubs(Role.AUDITOR) as auditor:
        binding = await admin.bind(role_binding_pb2.ROLE_ENGINEER, MARY, VISION)
        moved = await team.point("champion", 1)

        await team.set_gate("alias-champion", accurate(0.5), worst_class())
        later = await team.evaluate(name, 0.1)
        await admin.access.DeleteRoleBinding(access_api.DeleteRoleBindingRequest(name=binding))
        await team.engineer.evaluation.DeleteGate(api.DeleteGateRequest(name=GATE))

        then = {
            rpc: await ask(auditor, moved.revision) for rpc, ask in ASKED.items() if rpc in PLAIN
        }
        found = await auditor.evaluation.GetEvaluation(
            api.GetEvaluationRequest(name=measured.name, as_of=moved.revision)
        )
        too_early = await refusal(
            auditor.evaluation.GetEvaluation(
                api.GetEvaluationRequest(name=later.name, as_of=moved.revision)
            )
        )
        now = {rpc: await ask(auditor, 0) for rpc, ask in ASKED.items() if rpc.startswith("List")}
        gone = await refusal(ASKED["GetGate"](auditor, 0))

    assert then["GetGate"].gate == gate
    assert list(then["ListGates"].gates) == [gate]
    assert list(then["ListEvaluations"].evaluations) == [found.evaluation] == [measured]
    assert [(one.name, one.member) for one in then["ListRoleBindings"].role_bindings] == [
        (binding, MARY)
    ]
    assert {answer.revision for answer in (*then.values(), found)} == {moved.revision}
    assert list(now["ListGates"].gates) == list(now["ListRoleBindings"].role_bindings) == []
    assert list(now["ListEvaluations"].evaluations) == [later, measured]
    assert info_of(too_early).reason == info_of(gone).reason == "RESOURCE_NOT_FOUND"


async def test_whether_an_alias_was_guarded_is_told_as_of_then(team: Team) -> None:
    await team.ready("one")
    unguarded = await team.point("champion", 1)
    await team.set_gate("alias-champion", accurate(0.9))
    read = team.engineer.registry
    name = f"{DIGITS}/aliases/champion"

    then = await read.GetAlias(registry_api.GetAliasRequest(name=name, as_of=unguarded.revision))
    now = await read.GetAlias(registry_api.GetAliasRequest(name=name))
    listed = await read.ListAliases(
        registry_api.ListAliasesRequest(parent=DIGITS, as_of=unguarded.revision)
    )

    assert not then.alias.protected
    assert now.alias.protected
    assert list(listed.aliases) == [then.alias]


async def test_pages_of_one_revision_do_not_shift_when_roles_are_taken(registry: Registry) -> None:
    async with registry.stubs() as admin:
        await admin.create_namespace("vision")
        members = [f"spiffe://assay.test/{name}" for name in ("a", "b", "c")]
        names = [await admin.bind(role_binding_pb2.ROLE_CONSUMER, one, VISION) for one in members]
        listing = access_api.ListRoleBindingsRequest(parent=VISION, page_size=2)
        listing.as_of = (await admin.access.ListRoleBindings(listing)).revision
        first = await admin.access.ListRoleBindings(listing)
        for name in names:
            await admin.access.DeleteRoleBinding(access_api.DeleteRoleBindingRequest(name=name))

        listing.page_token = first.next_page_token
        second = await admin.access.ListRoleBindings(listing)
        listing.as_of += 1
        other = await refusal(admin.access.ListRoleBindings(listing))

    assert [one.name for page in (first, second) for one in page.role_bindings] == sorted(names)
    assert (second.next_page_token, second.revision) == ("", first.revision)
    assert info_of(other).reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("as_of", [0, 3, 10_000])
async def test_who_may_not_read_now_learns_nothing_of_the_past(
    team: Team, registry: Registry, as_of: int
) -> None:
    await team.set_gate("alias-champion", accurate())
    await team.ready("one")

    async with registry.stubs("stranger") as stranger:
        told = {rpc: await refusal(ask(stranger, as_of)) for rpc, ask in ASKED.items()}

    for rpc, error in told.items():
        name = info_of(error).metadata["resource"]
        assert error.code() is grpc.StatusCode.NOT_FOUND, rpc
        assert error.details() == NotFound(name).message, rpc


@pytest.mark.parametrize("rpc", ASKED)
async def test_what_is_no_revision_of_this_registry_is_refused(team: Team, rpc: str) -> None:
    revision = (await team.publish(await team.sealed("one"))).revision

    future = await refusal(ASKED[rpc](team.engineer, revision + 100))
    negative = await refusal(ASKED[rpc](team.engineer, -1))

    assert info_of(future).reason == "REVISION_IN_FUTURE"
    assert info_of(future).metadata["current_revision"] == str(revision)
    assert info_of(negative).metadata["field"] == "as_of"
