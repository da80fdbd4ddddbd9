"""Remembered grants: as fresh as promised, and not one answer too old after a change."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from assay_server.access.permissions import Permission
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.errors import StoreUnavailable
from assay_server.domain.names import Scope
from assay_server.services.grants import Grants

ANN = "spiffe://lab/ann"
VISION = Scope("vision")


@dataclass
class Bindings:
    """The part of a store that is asked, counting how often."""

    kept: tuple[RoleBinding, ...] = ()
    version: int = 1
    asked: int = 0
    is_down: bool = False
    bindings: "Bindings" = field(init=False)

    def __post_init__(self) -> None:
        self.bindings = self

    @asynccontextmanager
    async def read(self) -> AsyncIterator["Bindings"]:
        yield self

    async def epoch(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_down:
            raise StoreUnavailable(1)
        return self.version

    async def all(self) -> tuple[RoleBinding, ...]:
        return self.kept

    def give(self, role: Role, scope: str) -> None:
        given = RoleBinding(scope, f"b{self.version}", role, ANN, "root", datetime.now(UTC))
        self.kept = (*self.kept, given)
        self.version += 1


@dataclass
class Seconds:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def remembering(store: Bindings, seconds: Seconds, fresh_s: float = 1.0) -> Grants:
    anything: Any = store
    return Grants(anything, fresh_s=fresh_s, seconds=seconds)


async def test_answers_are_remembered_while_they_are_fresh() -> None:
    store, seconds = Bindings(), Seconds()
    store.give(Role.CONSUMER, "namespaces/vision")
    grants = remembering(store, seconds)

    answers = [await grants.at(ANN, VISION) for _ in range(3)]

    assert answers[0].roles == {Role.CONSUMER}
    assert answers[0] is answers[2]
    assert store.asked == 1


async def test_a_change_elsewhere_is_seen_when_freshness_ends() -> None:
    store, seconds = Bindings(), Seconds()
    grants = remembering(store, seconds)
    assert not (await grants.at(ANN, VISION)).roles

    store.give(Role.CONSUMER, "namespaces/vision")
    seconds.now += 0.9
    early = await grants.at(ANN, VISION)
    seconds.now += 0.2
    late = await grants.at(ANN, VISION)

    assert not early.roles
    assert late.roles == {Role.CONSUMER}


async def test_a_change_here_is_seen_at_once() -> None:
    store, seconds = Bindings(), Seconds()
    grants = remembering(store, seconds)
    await grants.at(ANN, VISION)

    store.give(Role.CONSUMER, "namespaces/vision")
    grants.forget()

    assert (await grants.at(ANN, VISION)).roles == {Role.CONSUMER}
    assert await grants.readable(ANN, Permission.MODELS_READ) == {"vision"}


async def test_bindings_are_not_read_again_while_their_epoch_stands() -> None:
    store, seconds = Bindings(), Seconds()
    grants = remembering(store, seconds)
    first = await grants.at(ANN, VISION)

    seconds.now += 5

    assert await grants.at(ANN, VISION) is first
    assert store.asked == 2


async def test_a_freshness_of_zero_asks_every_time() -> None:
    store, seconds = Bindings(), Seconds()
    grants = remembering(store, seconds, fresh_s=0)

    for _ in range(3):
        await grants.at(ANN, VISION)

    assert store.asked == 3


async def test_many_at_once_ask_the_store_once() -> None:
    store, seconds = Bindings(), Seconds()
    grants = remembering(store, seconds)

    await asyncio.gather(*(grants.at(ANN, Scope(f"n{n}")) for n in range(50)))

    assert store.asked == 1


async def test_a_store_that_does_not_answer_grants_nothing() -> None:
    store, seconds = Bindings(), Seconds()
    store.give(Role.ADMIN, "")
    grants = remembering(store, seconds)
    await grants.at(ANN, VISION)

    store.is_down = True
    seconds.now += 2
    with pytest.raises(StoreUnavailable):
        await grants.at(ANN, VISION)
    store.is_down = False

    assert (await grants.at(ANN, VISION)).roles == {Role.ADMIN}
