"""Releases in their order: which is the greatest, what is past it, and that finding it is cheap."""

import random
from collections.abc import Set
from dataclasses import replace
from typing import Any

import pytest

from assay_server.domain.bumps import BASES
from assay_server.domain.resolving import Standing
from assay_server.domain.semver import ALL_RELEASES, SemverRange, parse_range, parse_semver
from assay_server.domain.versions import Version, VersionState
from assay_server.ports.metadata import Reader
from assay_server.sqlstore import tables
from assay_server.sqlstore.opening import Store
from assay_server.sqlstore.versions import NOW
from tests.contract.store.counting import rows_read, run, steps
from tests.contract.store.registries import (
    NOON,
    Database,
    add_model,
    add_namespace,
    change,
    make_model,
)
from tests.unit.making import make_version

NAME = ("vision", "digits")
READY, DEPRECATED, YANKED = VersionState.READY, VersionState.DEPRECATED, VersionState.YANKED
DELETED, CANDIDATE = VersionState.DELETED, VersionState.CANDIDATE
PARTS = (0, 1, 2, 9, 10, 11, 99, 100, 999_999_998, 999_999_999)


async def add(
    store: Store, number: int, state: VersionState, semver: str = "", **more: Any
) -> None:
    version = make_version(
        number=number,
        state=state,
        semver=semver,
        version_uid=f"{more.get('model_id', 'digits')} {number}",
        record_digest=f"sha256:{number}",
        publish_time=NOON if semver else None,
        delete_time=NOON if state is DELETED else None,
        **more,
    )
    await change(store, lambda tx: tx.versions.add(version))


async def greatest(
    store: Store, states: Set[VersionState], within: SemverRange = ALL_RELEASES
) -> str:
    """The semver of the greatest; "" where there is none."""
    async with store.metadata.read() as reader:
        found = await reader.versions.greatest(*NAME, states, within)
    return "" if found is None else found.semver


async def past(store: Store) -> dict[str, int]:
    async with store.metadata.read() as reader:
        found = await reader.versions.past_greatest(*NAME, BASES)
    return {standing.semver: standing.number for standing in found}


async def test_the_base_is_the_greatest_release_that_still_resolves(registry: Store) -> None:
    await add_namespace(registry)
    await add_model(registry)
    await add_model(registry, make_model("letters"))
    await add(registry, 1, READY, "9.0.0", model_id="letters")
    await add(registry, 3, READY, "2.0.0-rc.1")
    await add(registry, 4, YANKED, "3.0.0")
    await add(registry, 5, DELETED, "4.0.0")
    await add(registry, 6, CANDIDATE)

    assert await greatest(registry, BASES) == ""
    assert await past(registry) == {"3.0.0": 4, "4.0.0": 5}

    await add(registry, 1, READY, "1.9.0")
    await add(registry, 2, DEPRECATED, "1.10.0")
    await add(registry, 7, DELETED, "1.2.0")

    assert await greatest(registry, BASES) == "1.10.0"
    assert await greatest(registry, {READY}) == "1.9.0"
    assert await greatest(registry, {READY}, parse_range("^2")) == ""
    assert await past(registry) == {"3.0.0": 4, "4.0.0": 5}


async def test_latest_is_the_ready_version_with_the_greatest_number(registry: Store) -> None:
    async def latest() -> int:
        async with registry.metadata.read() as reader:
            found = await reader.versions.latest(*NAME)
        return 0 if found is None else found.number

    await add_namespace(registry)
    await add_model(registry)
    await add(registry, 4, CANDIDATE)
    assert await latest() == 0

    await add(registry, 2, READY, "3.0.0")
    await add(registry, 3, READY, "1.0.0")
    await add(registry, 5, DEPRECATED, "4.0.0")
    assert await latest() == 3


@pytest.mark.parametrize("seed", range(3))
async def test_the_database_orders_releases_as_the_domain_does(registry: Store, seed: int) -> None:
    chance = random.Random(seed)
    await add_namespace(registry)
    await add_model(registry)
    kept = await _filled(registry, chance)

    async def agrees(reader: Reader, versions: list[Version]) -> None:
        for text in ("", "^0", "^1", "~1.9", "^9.10", "~10.11.2", "^999999999", "~0.0"):
            within = parse_range(text) if text else ALL_RELEASES
            for states in ({READY}, {DEPRECATED}, BASES):
                found = await reader.versions.greatest(*NAME, states, within)
                best = _greatest(versions, states, within)
                assert found == best, (text, states)
        past = await reader.versions.past_greatest(*NAME, BASES)
        assert set(past) == _past(versions)

    async with registry.metadata.read() as reader:
        await agrees(reader, kept)
        then = reader.revision
    await change(registry, lambda tx: tx.versions.save(_yanked(kept)))
    async with registry.metadata.read(then) as reader:
        await agrees(reader, kept)


async def _filled(store: Store, chance: random.Random) -> list[Version]:
    """A version for each of many semvers, near each other and far apart."""
    semvers = {".".join(str(chance.choice(PARTS)) for _ in range(3)) for _ in range(60)}
    semvers |= {f"{semver}-rc.{n}" for n, semver in enumerate(sorted(semvers)) if n % 5 == 0}
    for number, semver in enumerate(sorted(semvers, key=lambda _: chance.random()), 1):
        await add(store, number, chance.choice([READY, DEPRECATED, YANKED, DELETED]), semver)
    async with store.metadata.read() as reader:
        return [await reader.versions.get(*NAME, n) for n in range(1, len(semvers) + 1)]


def _greatest(versions: list[Version], states: Set[VersionState], within: SemverRange) -> Any:
    fitting = [v for v in versions if v.state in states and within.holds(parse_semver(v.semver))]
    return max(fitting, key=lambda v: parse_semver(v.semver).precedence(), default=None)


def _past(versions: list[Version]) -> set[Standing]:
    base = parse_semver(_greatest(versions, BASES, ALL_RELEASES).semver)
    return {
        Standing(v.number, v.state, v.semver, v.manifest.digest, v.state_reason)
        for v in versions
        if not parse_semver(v.semver).is_prerelease and base < parse_semver(v.semver)
    }


def _yanked(versions: list[Version]) -> Version:
    """The greatest, so that afterwards another is."""
    return replace(_greatest(versions, BASES, ALL_RELEASES), state=YANKED)


COLUMNS = [column.name for column in tables.versions.columns]
_OTHER = {
    "number": "number + (SELECT max(number) FROM versions)",
    "version_uid": "version_uid || '-' || (number + (SELECT max(number) FROM versions))",
    "record_digest": "record_digest || '-' || (number + (SELECT max(number) FROM versions))",
    "semver": "'1.' || (number + (SELECT max(number) FROM versions)) || '.0'",
}
MORE = (
    f"INSERT INTO versions ({', '.join(COLUMNS)}) "
    f"SELECT {', '.join(_OTHER.get(name, name) for name in COLUMNS)} FROM versions"
)
ASKED = {
    "namespace_id": "vision",
    "model_id": "digits",
    "states": '["READY","DEPRECATED"]',
    "least": "",
    "end": "9",
    "semver": "1.2.0",
}


@pytest.mark.parametrize("query", ["greatest", "past_greatest", "latest", "find_semver"])
async def test_what_a_publication_asks_costs_the_same_however_many_versions_there_are(
    database: Database, query: str
) -> None:
    store = await database.open()
    await add_namespace(store)
    await add_model(store)
    await add(store, 1, READY, "1.1.0")
    for _ in range(4):
        await run(database.url, MORE)
    few = await _looked(database, query)

    for _ in range(8):
        await run(database.url, MORE)
    many = await _looked(database, query)

    assert few > 0
    assert many < 2 * few + 20


async def _looked(database: Database, query: str) -> int:
    statement = getattr(NOW, query)
    if database.is_shared:
        return await rows_read(database.url, statement, **ASKED)
    return steps(database.directory / "assay.db", statement, **ASKED)
