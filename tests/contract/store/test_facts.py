"""Models, drafts, versions and aliases are read back exactly as written, on every database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page
from assay_server.domain.errors import NotFound
from assay_server.domain.facts import (
    Facts,
)
from assay_server.domain.manifest import Manifest
from assay_server.domain.versions import DraftState, Version, VersionState, outline
from assay_server.sqlstore.opening import Store
from tests.contract.store.odd_values import FACTS, FILES, MANIFEST, ODD_MAP, ODD_TEXT, VERDICT
from tests.contract.store.registries import (
    NOON,
    add_model,
    add_namespace,
    change,
    happened,
    make_model,
    make_namespace,
    read,
)
from tests.unit.making import (
    make_draft,
    make_version,
)


@pytest.fixture
async def store(registry: Store) -> Store:
    await add_namespace(registry)
    await add_model(registry)
    return registry


async def with_version(store: Store, **changes: object) -> Version:
    version = make_version(**changes)
    await change(store, lambda tx: tx.versions.add(version))
    return version


def apart(number: int) -> dict[str, str]:
    """What no two versions share."""
    return {"version_uid": f"uid {number}", "record_digest": f"sha256:{number}"}


async def test_a_namespace_is_read_back_as_written(registry: Store) -> None:
    namespace = make_namespace(display_name=ODD_TEXT, description=ODD_TEXT)

    await change(registry, lambda tx: tx.namespaces.add(namespace))

    assert await read(registry, lambda r: r.namespaces.get("vision")) == namespace


async def test_a_model_is_read_back_as_written(store: Store) -> None:
    model = make_model(
        "odd",
        description=ODD_TEXT,
        keywords=("a", "b"),
        tags=ODD_MAP,
        version_high_water=2**62,
        delete_time=NOON + timedelta(microseconds=1),
    )

    await add_model(store, model)

    assert await read(store, lambda r: r.models.get("vision", "odd")) == model


async def test_a_time_in_another_zone_is_the_same_instant_in_utc(store: Store) -> None:
    tokyo = datetime(2026, 5, 1, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
    early = datetime(1, 1, 2, tzinfo=UTC)

    await add_model(store, make_model("zones", create_time=tokyo, update_time=early))
    model = await read(store, lambda r: r.models.get("vision", "zones"))

    assert (model.create_time, model.update_time) == (tokyo, early)
    assert model.create_time.tzinfo is UTC


async def test_a_draft_is_read_back_with_its_files_by_path(store: Store) -> None:
    draft = make_draft(facts=FACTS, card=ODD_TEXT, tags=ODD_MAP, files=())

    await change(store, lambda tx: tx.drafts.add(draft))
    for file in reversed(FILES):
        await change(store, lambda tx, file=file: tx.drafts.put_file(draft, file))
    smaller = replace(FILES[0], size_bytes=5)
    await change(store, lambda tx: tx.drafts.put_file(draft, smaller))

    expected = replace(draft, files=(smaller, FILES[1]))
    assert await read(store, lambda r: r.drafts.get("vision", "digits", "d1")) == expected


async def test_saving_a_draft_leaves_its_files_alone(store: Store) -> None:
    draft = make_draft(files=FILES)
    await change(store, lambda tx: tx.drafts.add(draft))
    sealed = replace(draft, state=DraftState.SEALED, sealed_number=3, files=())

    await change(store, lambda tx: tx.drafts.save(sealed))

    expected = replace(sealed, files=FILES)
    assert await read(store, lambda r: r.drafts.get("vision", "digits", "d1")) == expected


async def test_a_version_is_read_back_as_written(store: Store) -> None:
    version = await with_version(
        store,
        manifest=MANIFEST,
        facts=FACTS,
        state=VersionState.DELETED,
        card=ODD_TEXT,
        tags=ODD_MAP,
        semver="1.0.0",
        published_by="me",
        publish_time=NOON,
        delete_time=NOON,
        state_before_deletion=VersionState.YANKED,
        state_reason=ODD_TEXT,
        size_bytes=2**53 - 1,
        file_count=2,
        publish_verdict=VERDICT,
        semver_reasons=("first", ODD_TEXT),
    )

    assert await read(store, lambda r: r.versions.get("vision", "digits", 7)) == version
    for found in (
        await read(store, lambda r: r.versions.find_semver("vision", "digits", "1.0.0")),
        await read(
            store, lambda r: r.versions.find_record("vision", "digits", version.record_digest)
        ),
    ):
        assert found == version


async def test_lists_of_versions_leave_out_files_card_and_verdict(store: Store) -> None:
    version = await with_version(store, manifest=MANIFEST, card="long", publish_verdict=VERDICT)
    light = replace(outline(version), publish_verdict=None)
    every = frozenset(VersionState)

    listed = await read(store, lambda r: r.versions.list("vision", "digits", Page(5), states=every))

    assert listed.items == (light,)
    assert await read(store, lambda r: r.versions.get_many("vision", (("digits", 7),))) == (light,)


async def test_saving_a_version_changes_nothing_that_was_sealed(store: Store) -> None:
    version = await with_version(store, manifest=MANIFEST, facts=FACTS)
    tampered = replace(
        version,
        manifest=Manifest((), "sha256:" + "f" * 64),
        facts=Facts(),
        record_digest="other",
        created_by="other",
        description="new",
        state=VersionState.READY,
    )

    await change(store, lambda tx: tx.versions.save(tampered))

    expected = replace(version, description="new", state=VersionState.READY)
    assert await read(store, lambda r: r.versions.get("vision", "digits", 7)) == expected


async def test_versions_are_given_in_the_order_they_are_asked_for(store: Store) -> None:
    await add_model(store, make_model("letters"))
    for number in (1, 2, 3):
        await with_version(
            store, number=number, version_uid=f"d{number}", record_digest=f"{number}"
        )
    await with_version(store, model_id="letters", number=1, version_uid="l1")
    names = (("digits", 3), ("letters", 1), ("digits", 1), ("digits", 3))

    found = await read(store, lambda r: r.versions.get_many("vision", names))

    assert tuple((version.model_id, version.number) for version in found) == names
    with pytest.raises(NotFound, match="versions/9 does not exist"):
        await read(store, lambda r: r.versions.get_many("vision", (("digits", 1), ("digits", 9))))


async def test_versions_with_the_same_files_are_found_newest_first(store: Store) -> None:
    deleted = {"state": VersionState.DELETED, "delete_time": NOON}
    for number, more in ((1, {}), (2, {}), (3, deleted)):
        await with_version(store, number=number, **apart(number), **more)

    same_files = await read(
        store,
        lambda r: r.versions.with_manifest("vision", "digits", make_version().manifest.digest),
    )

    assert [standing.number for standing in same_files] == [2, 1]


async def test_an_alias_and_its_history_are_read_back_with_their_revisions(store: Store) -> None:
    await with_version(store)
    alias = Alias("vision", "digits", "champion", 7, "ann", NOON, "e1")
    name = "namespaces/vision/models/digits/aliases/champion"
    moved = AliasMove("vision", "digits", "champion", 7, 0, "ann", NOON, ODD_TEXT, 0, VERDICT)
    removed = AliasMove("vision", "digits", "champion", 0, 7, "bob", NOON, "", 0)

    first = await change(store, lambda tx: tx.aliases.save(alias, moved), happened(alias, name))
    found = await read(store, lambda r: r.aliases.get("vision", "digits", "champion"))
    second = await change(
        store, lambda tx: tx.aliases.remove(alias, removed), happened(alias, name)
    )
    history = await read(
        store, lambda r: r.aliases.list_moves("vision", "digits", "champion", Page(5))
    )

    assert found == alias
    assert history.items == (replace(removed, revision=second), replace(moved, revision=first))
    assert await read(store, lambda r: r.aliases.find("vision", "digits", "champion")) is None


async def test_aliases_of_versions_are_those_that_point_there_now(store: Store) -> None:
    for number in (1, 2):
        await with_version(
            store, number=number, version_uid=f"u{number}", record_digest=f"{number}"
        )
    for alias_id, number in (("b", 1), ("a", 1), ("c", 2)):
        alias = Alias("vision", "digits", alias_id, number, "ann", NOON, "e")
        move = AliasMove("vision", "digits", alias_id, number, 0, "ann", NOON, "", 0)
        await change(store, lambda tx, alias=alias, move=move: tx.aliases.save(alias, move))

    found = await read(store, lambda r: r.aliases.of_versions("vision", "digits", {1, 9}))

    assert [alias.alias_id for alias in found] == ["a", "b"]
    assert await read(store, lambda r: r.aliases.of_versions("vision", "digits", set())) == ()
