"""Who may give and take roles, decided on the bindings as they are in the transaction.

Two services on one database, as two servers are: what one has remembered, the other changed.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.calls import Call, Change, Page
from assay_server.domain.errors import AlreadyExists, LastAdmin, PermissionDenied
from assay_server.domain.names import RoleBindingName
from assay_server.ports.metadata import Transaction
from assay_server.services.access import AccessService
from assay_server.services.grants import Grants
from assay_server.sqlstore.opening import Store, open_store
from tests.services.registry import NOON, CountingIds, SteppingClock, again, caller

ANN = caller("spiffe://lab/ann", Role.ADMIN)
BOB = caller("spiffe://lab/bob", Role.ADMIN)
ROUNDS = 8


class Servers:
    """Two servers of one registry that Ann and Bob administer."""

    def __init__(self, store: Store, other: Store) -> None:
        self.store = store
        self.first, self.second = (
            AccessService(
                each.metadata, SteppingClock(), CountingIds(), Grants(each.metadata, fresh_s=3600)
            )
            for each in (store, other)
        )

    async def found(self, *callers: Call) -> None:
        """Make these, and nobody else, admins everywhere."""

        async def add(tx: Transaction) -> Change[None]:
            for binding in await tx.bindings.lock_all():
                await tx.bindings.remove(binding)
            for each in callers:
                await tx.bindings.add(admin_binding(each))
            return Change(None)

        await self.store.metadata.change(again(ANN), type(None), add)

    async def admins(self) -> list[str]:
        listed = await self.first.list("", Page(100))
        return [b.member for b in listed.answer.items if b.role is Role.ADMIN]


def admin_binding(of: Call) -> RoleBinding:
    return RoleBinding("", f"of-{of.principal[-3:]}", Role.ADMIN, of.principal, "test", NOON)


def name_of(call: Call) -> RoleBindingName:
    return RoleBindingName("", admin_binding(call).binding_id)


@pytest.fixture
async def servers(each_url: str) -> AsyncIterator[Servers]:
    """On SQLite, which takes one server at a time, both are the same."""
    store = await open_store(each_url, SteppingClock())
    is_shared = each_url.startswith("postgresql")
    other = await open_store(each_url, SteppingClock()) if is_shared else store
    yield Servers(store, other)
    await store.close()
    if is_shared:
        await other.close()


async def test_two_admins_that_remove_each_other_at_once_leave_one(servers: Servers) -> None:
    for _ in range(ROUNDS):
        await servers.found(ANN, BOB)

        outcomes = await asyncio.gather(
            servers.first.unbind(again(ANN), name_of(BOB)),
            servers.second.unbind(again(BOB), name_of(ANN)),
            return_exceptions=True,
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(refusal) for refusal in refused] == [PermissionDenied]
        assert len(await servers.admins()) == 1


async def test_two_admins_that_step_down_at_once_leave_one(servers: Servers) -> None:
    for _ in range(ROUNDS):
        await servers.found(ANN, BOB)

        outcomes = await asyncio.gather(
            servers.first.unbind(again(ANN), name_of(ANN)),
            servers.second.unbind(again(BOB), name_of(BOB)),
            return_exceptions=True,
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert [type(refusal) for refusal in refused] == [LastAdmin]
        assert len(await servers.admins()) == 1


async def test_the_same_role_given_by_two_at_once_is_bound_once(servers: Servers) -> None:
    await servers.found(ANN, BOB)

    outcomes = await asyncio.gather(
        servers.first.bind(again(ANN), "", Role.CONSUMER, "spiffe://lab/new"),
        servers.second.bind(again(BOB), "", Role.CONSUMER, "spiffe://lab/new"),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(refusal) for refusal in refused] == [AlreadyExists]


async def test_who_was_an_admin_a_moment_ago_gives_nothing_any_more(servers: Servers) -> None:
    """The call was let in on what its server remembered; the transaction knows better."""
    await servers.found(ANN, BOB)
    await servers.first.unbind(again(ANN), name_of(BOB))

    with pytest.raises(PermissionDenied):
        await servers.second.bind(again(BOB), "", Role.CONSUMER, "spiffe://lab/new")

    assert await servers.admins() == [ANN.principal]


async def test_a_grant_is_not_told_again_to_who_lost_the_right_to_make_it(
    servers: Servers,
) -> None:
    request_id = "6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a11"
    grant = caller(BOB.principal, Role.ADMIN, request_id=request_id)
    await servers.found(ANN, BOB)
    await servers.second.bind(grant, "", Role.CONSUMER, "spiffe://lab/new")
    await servers.first.unbind(again(ANN), name_of(BOB))

    with pytest.raises(PermissionDenied):
        await servers.second.bind(again(grant), "", Role.CONSUMER, "spiffe://lab/new")
