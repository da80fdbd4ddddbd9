"""A backup taken while everybody writes is the registry as it was at one revision."""

import errno
import hashlib
import itertools
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assay_server.app.backups import facts_copying
from assay_server.app.clock import SystemClock
from assay_server.blobstore.backup_directory import BackupDirectory
from assay_server.blobstore.copying import DiskCopying
from assay_server.blobstore.operations import FileOperations
from assay_server.domain.backups import BackupRefused, parse_backup
from assay_server.services.backups import BackupService
from assay_server.services.collecting import GRACE
from assay_server.sqlstore.places import StoreNotOpened
from assay_server.sqlstore.schema import SchemaDoesNotFit
from tests.backup.busy import Place, quiet

ON_SQLITE = pytest.mark.parametrize("make_place", ["sqlite"], indirect=True)
"""Where the database makes no difference."""


@pytest.fixture
async def backed_up(place: Place, tmp_path: Path) -> Path:
    """A backup of a registry that rests."""
    async with place.open() as working:
        await working.found()
        for content in ("one", "two"):
            await working.publish(content)
    await place.backed_up(tmp_path / "backup")
    return tmp_path / "backup"


async def test_the_manifest_says_what_is_there(backed_up: Path) -> None:
    whole = json.loads((backed_up / "manifest.json").read_text())
    manifest = whole["backup"]

    # Namespace, model; for each version: draft, seal and publish, alias.
    assert manifest["facts"]["revision"] == 2 + 2 * 3
    assert manifest["facts"]["rows"]["versions"] == manifest["blob_count"] == 2
    assert whole["format"] == 1
    for file in manifest["files"]:
        content = (backed_up / file["path"]).read_bytes()
        assert (file["size_bytes"], file["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
    listed = (backed_up / "blobs.sha256").read_text().splitlines()
    for line in listed:
        digest, _, path = line.partition("  ")
        assert hashlib.sha256((backed_up / path).read_bytes()).hexdigest() == digest
    assert len(listed) == 2


@ON_SQLITE
async def test_blobs_are_linked_or_copied_as_asked(
    place: Place, backed_up: Path, tmp_path: Path
) -> None:
    await place.backed_up(tmp_path / "copied", may_link=False)

    links = {path.name: path.stat().st_nlink for path in backed_up.glob("blobs/sha256/*/*/*")}
    copies = {
        path.name: path.stat().st_nlink for path in (tmp_path / "copied").glob("blobs/sha256/*/*/*")
    }

    assert links.keys() == copies.keys()
    assert set(links.values()) == {2}
    assert set(copies.values()) == {1}


@ON_SQLITE
async def test_nothing_that_a_backup_needs_is_collected_while_it_runs(place: Place) -> None:
    async with place.open() as working:
        await working.found()
        sha256 = await working.keep("dropped while it is copied")
        blob = next(place.blobs.glob(f"blobs/sha256/*/*/{sha256}"))
        long_ago = (SystemClock().now() - 2 * GRACE).timestamp()
        os.utime(blob, (long_ago, long_ago))
        with DiskCopying(place.blobs).held():
            during = await working.collect()
            is_there = blob.exists()
        after = await working.collect()

    assert (during, is_there) == (0, True)
    assert (after, blob.exists()) == (1, False)


@ON_SQLITE
async def test_a_backup_with_damaged_bytes_is_not_made(place: Place, tmp_path: Path) -> None:
    async with place.open() as working:
        await working.found()
        await working.publish("one")
        await working.publish("two")
    one, two = place.blobs.glob("blobs/sha256/*/*/" + "?" * 64)
    one.unlink()
    two.chmod(0o600)
    two.write_bytes(b"owt")

    with pytest.raises(BackupRefused) as refused:
        await place.backed_up(tmp_path / "backup")

    assert one.name in str(refused.value)
    assert two.name in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["registry"]


class Failing(FileOperations):
    """Fails one call: the disk is full, or gone."""

    def __init__(self, at: int) -> None:
        self._left = at

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    def write(self, descriptor: int, view: memoryview, offset: int) -> None:
        self._count()
        super().write(descriptor, view, offset)

    def sync_all(self, descriptor: int) -> None:
        self._count()
        super().sync_all(descriptor)

    def sync_directory(self, path: Path) -> None:
        self._count()
        super().sync_directory(path)

    def rename(self, source: Path, target: Path) -> None:
        self._count()
        super().rename(source, target)

    @property
    def has_failed(self) -> bool:
        return self._left <= 0


@ON_SQLITE
async def test_a_backup_that_fails_at_any_call_is_never_taken_for_a_whole_one(
    place: Place, backed_up: Path, tmp_path: Path
) -> None:
    target = tmp_path / "failing"
    for at in itertools.count(1):
        files = Failing(at)
        service = BackupService(
            facts_copying(place.url),
            DiskCopying(place.blobs, files),
            BackupDirectory(target, files),
        )
        try:
            await service.back_up(SystemClock(), quiet, version="test", may_link=False)
        except OSError:
            # Renamed and not yet durable, it is whole all the same.
            if target.exists():
                BackupDirectory(target).verified(quiet)
                shutil.rmtree(target)
            assert not list(tmp_path.glob(".*"))
        else:
            break

    assert not files.has_failed
    assert at > 10
    assert BackupDirectory(target).verified(quiet).blob_count == 2


@ON_SQLITE
async def test_a_backup_does_not_take_the_place_of_another(place: Place, backed_up: Path) -> None:
    before = (backed_up / "manifest.json").read_bytes()

    with pytest.raises(BackupRefused, match="is there already"):
        await place.backed_up(backed_up)

    assert (backed_up / "manifest.json").read_bytes() == before


async def test_restoring_over_something_is_refused(
    place: Place, elsewhere: Place, backed_up: Path
) -> None:
    only_blobs = Place(elsewhere.url, place.blobs)
    only_facts = Place(place.url, elsewhere.blobs)

    for target, said in ((only_blobs, "has blobs"), (only_facts, "where nothing is")):
        with pytest.raises(BackupRefused, match=said):
            await target.restored(backed_up)

    await elsewhere.restored(backed_up)


def cut(path: Path) -> None:
    path.chmod(0o600)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@ON_SQLITE
@pytest.mark.parametrize("harm", [cut, flip, Path.unlink])
@pytest.mark.parametrize("what", ["manifest.json", "blobs.sha256", "facts/*", "blobs/sha256/*/*/*"])
async def test_a_damaged_backup_is_not_restored(
    backed_up: Path, elsewhere: Place, what: str, harm: object
) -> None:
    assert callable(harm)
    files = sorted(backed_up.glob(what), key=lambda path: path.stat().st_size)
    harm(files[-1])

    with pytest.raises(BackupRefused, match=r"damaged|not a whole backup|lacks the blob|agree"):
        await elsewhere.restored(backed_up)

    # No facts: nothing that a server would open as a registry.
    with pytest.raises((BackupRefused, StoreNotOpened), match="there is no"):
        await elsewhere.backed_up(backed_up.with_name("of nothing"))


@ON_SQLITE
async def test_a_backup_of_a_newer_server_is_not_restored(
    backed_up: Path, elsewhere: Place
) -> None:
    manifest = backed_up / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))

    with pytest.raises(BackupRefused, match="a newer one made it"):
        await elsewhere.restored(backed_up)


async def test_a_backup_with_a_newer_schema_is_not_restored(
    backed_up: Path, elsewhere: Place
) -> None:
    manifest = backed_up / "manifest.json"
    backup = parse_backup(manifest.read_text())
    newer = replace(backup, facts=replace(backup.facts, schema="9999"))
    manifest.write_text(newer.encoded())

    with pytest.raises(SchemaDoesNotFit, match="schema 9999, which this server does not know"):
        await elsewhere.restored(backed_up)
