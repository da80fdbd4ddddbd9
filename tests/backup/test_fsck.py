"""Checking finds each kind of damage that somebody plants, says what it is, and changes nothing."""

import asyncio
import hashlib
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from assay_server.app.checking import check
from assay_server.domain.checking import Check, Level
from assay_server.services.checking import Checked
from tests.backup.busy import Place, quiet
from tests.postgres import PostgresCluster

Damage = Callable[[Place], None]


def plant(place: Place, statements: str, request: pytest.FixtureRequest) -> None:
    """Do what no rule of the database allows."""
    if place.url.startswith("sqlite"):
        with sqlite3.connect(place.url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.executescript(statements)
        connection.close()
    else:
        postgres: PostgresCluster = request.getfixturevalue("postgres")
        without_rules = f"SET session_replication_role = replica; {statements}"
        postgres.psql(without_rules, place.url.rpartition("/")[2])


async def checked(place: Place, *, is_hashed: bool = True) -> Checked:
    return await check(place.config, quiet, is_hashed=is_hashed)


async def test_a_sound_registry_has_no_finding(sound: Place) -> None:
    found = await checked(sound)

    assert found.discoveries == []
    assert found.revision == 8
    # Revisions, versions, alias, entries, blobs: all of them were looked at.
    assert found.looked_at == {
        Check.DATABASE: 1,
        Check.EVENTS: 8,
        Check.VERSIONS: 2,
        Check.HISTORY: 3,
        Check.ALIASES: 1,
        Check.AUDIT: 8,
        Check.BLOBS: 2,
        Check.STAGING: 0,
    }


ROWS = {
    "a change without an event": (
        "DELETE FROM events WHERE revision = 4",
        Check.EVENTS,
        "revision 4 has no event",
    ),
    "a change that lost one of its events": (
        "DELETE FROM events WHERE position = 1",
        Check.EVENTS,
        "lacks some of its events",
    ),
    "an event that makes no sense": (
        "UPDATE events SET subject = '{}' WHERE revision = 3",
        Check.EVENTS,
        "revision 3 has an event that cannot be read",
    ),
    "a counter of revisions that went back": (
        "UPDATE counters SET value = 7 WHERE name = 'revision'",
        Check.EVENTS,
        "revision 8 has events, but the newest revision is 7",
    ),
    "an audit entry of the future": (
        "UPDATE counters SET value = 7 WHERE name = 'revision'",
        Check.AUDIT,
        "revision 8 has an audit entry, but the newest revision is 7",
    ),
    "a version that is gone": (
        "DELETE FROM version_files WHERE number = 1; DELETE FROM versions WHERE number = 1",
        Check.VERSIONS,
        "digits/versions/1 was given and is not there",
    ),
    "a version that its model does not know": (
        "UPDATE models SET version_high_water = 1",
        Check.VERSIONS,
        "digits/versions/2 is past 1",
    ),
    "a version that cannot be read": (
        "UPDATE versions SET facts = '{' WHERE number = 1",
        Check.VERSIONS,
        "digits/versions/1 cannot be read",
    ),
    "a file renamed in a manifest": (
        "UPDATE versions SET manifest = replace(manifest, 'model.joblib', 'model.bin')",
        Check.VERSIONS,
        "do not have the digest of its manifest",
    ),
    "a path that leaves the directory": (
        "UPDATE versions SET manifest = replace(manifest, 'model.joblib', '../x')",
        Check.VERSIONS,
        "has a manifest that breaks the rules",
    ),
    "another manifest digest": (
        "UPDATE versions SET manifest_digest = 'sha256:0' WHERE number = 2",
        Check.VERSIONS,
        "versions/2 its files do not have the digest of its manifest",
    ),
    "facts changed after sealing": (
        "UPDATE versions SET facts = replace(facts, 'float32', 'float64') WHERE number = 2",
        Check.VERSIONS,
        "versions/2 its files and facts do not have the digest of its record",
    ),
    "a list of files that differs from the manifest": (
        "UPDATE version_files SET media_type = 'text/x' WHERE number = 1",
        Check.VERSIONS,
        "versions/1 its list of files is not that of its manifest",
    ),
    "a size that is not the sum": (
        "UPDATE versions SET size_bytes = 5 WHERE number = 1",
        Check.VERSIONS,
        "versions/1 its size or count of files",
    ),
    "a version changed behind the back of its history": (
        "UPDATE versions SET state = 'DEPRECATED' WHERE number = 1",
        Check.HISTORY,
        "versions/1 is not what its history leads to",
    ),
    "a version without a past": (
        "DELETE FROM version_history WHERE number = 2",
        Check.HISTORY,
        "versions/2 has no history",
    ),
    "a model that went back": (
        "DELETE FROM model_history WHERE revision > 4",
        Check.HISTORY,
        "models/digits is not what its history leads to",
    ),
    "an alias moved behind everybody's back": (
        "UPDATE aliases SET number = 1",
        Check.ALIASES,
        "champion points to 1, but its history leads to 2",
    ),
    "an alias that vanished": (
        "DELETE FROM aliases",
        Check.ALIASES,
        "champion points to 0, but its history leads to 2",
    ),
    "a step of an alias that vanished": (
        "DELETE FROM alias_moves WHERE number = 1",
        Check.ALIASES,
        "champion came from 1 at revision 8, but pointed to 0 before",
    ),
    "a change that nobody is said to have made": (
        "DELETE FROM audit_entries WHERE revision = 4",
        Check.AUDIT,
        "revision 4 has no audit entry",
    ),
    "a first change that nobody is said to have made": (
        "DELETE FROM audit_entries WHERE revision = 1",
        Check.AUDIT,
        "revision 1 has no audit entry",
    ),
    "two entries for one change": (
        "UPDATE audit_entries SET revision = 5 WHERE revision = 4",
        Check.AUDIT,
        "revision 5 has 2 audit entries",
    ),
}


ON_BOTH = (
    "a change without an event",
    "an event that makes no sense",
    "facts changed after sealing",
    "a version changed behind the back of its history",
    "an alias moved behind everybody's back",
    "a first change that nobody is said to have made",
)
"""The statements that look are the same; one for each check shows that they work there too."""


@pytest.mark.parametrize(
    ("sound", "name"),
    [*(("sqlite", name) for name in ROWS), *(("postgres", name) for name in ON_BOTH)],
    indirect=["sound"],
)
async def test_damage_to_rows_is_found(
    sound: Place, name: str, request: pytest.FixtureRequest
) -> None:
    statements, expected, said = ROWS[name]
    plant(sound, statements, request)

    found = await checked(sound)

    told = [f"{one.subject} {one.said}" for one in found.discoveries if one.check is expected]
    assert any(said in text for text in told), told
    assert not found.is_sound


async def test_an_audit_entry_that_was_kept_long_enough_may_be_gone(
    sound: Place, request: pytest.FixtureRequest
) -> None:
    old = "UPDATE events SET time = 0 WHERE revision <= 4;"
    plant(sound, f"{old} DELETE FROM audit_entries WHERE revision <= 4", request)

    assert (await checked(sound)).discoveries == []


def blob_of(place: Place) -> Path:
    return next(path for path in place.blobs.glob("blobs/sha256/*/*/*") if not path.suffix)


def leaves_of(place: Place) -> Path:
    blob = blob_of(place)
    return blob.with_name(f"{blob.name}.leaves")


def write(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(content)


FILES: dict[str, tuple[Damage, Check, str, Level]] = {
    "a blob that is gone": (
        lambda place: blob_of(place).unlink(),
        Check.BLOBS,
        "is missing",
        Level.PROBLEM,
    ),
    "a blob that was cut": (
        lambda place: write(blob_of(place), b"on"),
        Check.BLOBS,
        "has 2 bytes, not 3",
        Level.PROBLEM,
    ),
    "a blob with other bytes": (
        lambda place: write(blob_of(place), b"six"),
        Check.BLOBS,
        "is damaged",
        Level.PROBLEM,
    ),
    "leaf digests of something else": (
        lambda place: write(leaves_of(place), b"other"),
        Check.BLOBS,
        "has damaged digests of its leaves",
        Level.PROBLEM,
    ),
    "leaf digests that are gone": (
        lambda place: leaves_of(place).unlink(),
        Check.BLOBS,
        "lacks the digests of its leaves",
        Level.NOTE,
    ),
    "a blob that nothing refers to": (
        lambda place: write(blob_of(place).with_name(blob_of(place).name[:4] + "0" * 60), b""),
        Check.BLOBS,
        "is referred to by nothing",
        Level.NOTE,
    ),
    "leaf digests without a blob": (
        lambda place: write(
            leaves_of(place).with_name(blob_of(place).name[:4] + "0" * 60 + ".leaves"), b""
        ),
        Check.BLOBS,
        "is referred to by nothing",
        Level.NOTE,
    ),
    "a file that is no blob": (
        lambda place: write(place.blobs / "blobs/sha256/README", b"hello"),
        Check.BLOBS,
        "README is no blob",
        Level.NOTE,
    ),
    "a staged file of nobody": (
        lambda place: write(place.blobs / "staging" / str(uuid.UUID(int=7)), b"abc"),
        Check.STAGING,
        "00000007 is of no open upload",
        Level.NOTE,
    ),
}


@pytest.mark.parametrize("name", FILES)
async def test_damage_to_files_is_found(on_sqlite: Place, name: str) -> None:
    damage, expected, said, level = FILES[name]
    damage(on_sqlite)

    found = await checked(on_sqlite)

    assert [one.check for one in found.discoveries] == [expected]
    assert said in f"{found.discoveries[0].subject} {found.discoveries[0].said}"
    assert found.discoveries[0].level is level
    assert found.is_sound == (level is Level.NOTE)


async def test_damaged_bytes_are_told_with_the_files_that_they_are_and_their_place(
    sound: Place,
) -> None:
    blob = blob_of(sound)
    content = blob.read_bytes()
    write(blob, b"six")

    found = (await checked(sound)).discoveries

    write(blob, content)  # the blobs of the PostgreSQL registry are shared
    number = {b"one": 1, b"two": 2}[content]
    used_by = (f"model.joblib of namespaces/vision/models/digits/versions/{number}",)
    assert [(one.used_by, one.place) for one in found] == [(used_by, str(blob))]


async def test_a_quick_check_does_not_read_the_bytes(on_sqlite: Place) -> None:
    write(blob_of(on_sqlite), b"six")

    assert (await checked(on_sqlite, is_hashed=False)).is_sound
    assert not (await checked(on_sqlite)).is_sound


async def test_a_reference_that_leads_nowhere_is_found(
    on_sqlite: Place, request: pytest.FixtureRequest
) -> None:
    plant(on_sqlite, "DELETE FROM namespaces", request)

    found = await checked(on_sqlite)

    assert {one.check for one in found.discoveries} == {Check.DATABASE}
    assert "of models refers to one of namespaces" in found.discoveries[0].said


async def test_checking_changes_nothing(on_sqlite: Place, request: pytest.FixtureRequest) -> None:
    plant(on_sqlite, "DELETE FROM events WHERE revision = 4", request)
    leaves_of(on_sqlite).unlink()
    before = contents(on_sqlite)

    await checked(on_sqlite)

    assert contents(on_sqlite) == before


def contents(place: Place) -> dict[str, str]:
    """All files but those through which readers of SQLite find each other."""
    directory = place.blobs.parent
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


async def test_a_registry_in_use_is_checked_at_one_moment(sound: Place) -> None:
    stop = asyncio.Event()
    async with sound.open() as working:
        load = asyncio.create_task(working.publish_until(stop))
        rounds = []
        for count in (1, 3, 5):
            await working.wait_for(count)
            rounds.append(await asyncio.to_thread(asyncio.run, checked(sound)))
        stop.set()
        await load

    for found in rounds:
        assert [one for one in found.discoveries if one.level is Level.PROBLEM] == []
    revisions = [found.revision for found in rounds]
    assert revisions == sorted(set(revisions))
