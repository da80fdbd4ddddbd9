"""What nothing refers to goes; what anything refers to stays."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay_server.domain.names import DraftName, VersionName
from assay_server.domain.uploading import TransferLimits, staging_id, upload_name_of
from assay_server.services.collecting import GRACE, Collected, CollectingService
from assay_server.services.downloads import Wanted
from tests.services.registry import ANN, DIGITS, MAX, NOON, Registry, again
from tests.services.transfer.uploading import SHA256, Files, name_of


class LongAfter:
    """A clock that shows a time after every grace, or just before the end of it."""

    def __init__(self, after: timedelta) -> None:
        self._now = NOON + after

    def now(self) -> datetime:
        return self._now


def age(root: Path) -> None:
    """Everything in the store was brought at noon."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (NOON.timestamp(), NOON.timestamp()))


def collecting(files: Files, after: timedelta) -> CollectingService:
    age(files.root)
    return CollectingService(files.registry.store, files.blobs, LongAfter(after), TransferLimits())


YEARS = timedelta(days=1000)


async def test_files_of_versions_and_drafts_stay(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"sealed")
    sealed = VersionName(*DIGITS, (await registry.seal(draft)).version.number)
    open_draft = await registry.draft("")
    await files.put(open_draft, b"drafted")

    collected = await collecting(files, YEARS).collect()

    assert collected == Collected(0, 0)
    assert await files.read(sealed, Wanted("model.bin")) == b"sealed"
    assert await files.read(open_draft, Wanted("model.bin")) == b"drafted"


async def test_files_of_a_deleted_version_stay_since_it_can_be_restored(
    registry: Registry, files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"deleted")
    version = VersionName(*DIGITS, (await registry.seal(draft)).version.number)
    await registry.versions.delete(again(MAX), version, "wrong weights", etag="")

    await collecting(files, YEARS).collect()

    await registry.versions.undelete(again(MAX), version)
    assert await files.read(version, Wanted("model.bin")) == b"deleted"


async def test_a_replaced_file_goes_when_nobody_can_mean_it_any_more(
    files: Files, draft: DraftName
) -> None:
    await files.put(draft, b"first")
    await files.put(draft, b"second")

    young = await collecting(files, GRACE - timedelta(seconds=1)).collect()
    old = await collecting(files, GRACE + timedelta(seconds=1)).collect()

    assert (young.blobs, old.blobs) == (0, 1)
    assert await files.read(draft, Wanted("model.bin")) == b"second"


async def test_a_blob_whose_commit_was_interrupted_stays_for_its_repetition(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    written = await files.write(upload)
    await files.blobs.commit(
        staging_id(upload_name_of(upload)), sha256=SHA256, size_bytes=written.durable_bytes
    )

    await collecting(files, timedelta(days=3)).collect()

    await files.commit(upload)
    assert (await files.read(draft, Wanted("model.bin")))[:8] == b"weights "


@pytest.mark.parametrize(("days", "swept"), [(8, 0), (10, 1)])
async def test_what_an_abandoned_upload_left_is_swept_after_its_time(
    files: Files, draft: DraftName, days: int, swept: int
) -> None:
    upload = await files.begin(draft)
    await files.write(upload)

    collected = await collecting(files, timedelta(days=days)).collect()

    assert collected.staged_files == swept
    left = (await files.uploads.get(ANN, name_of(upload))).answer
    assert left.durable_bytes > 0
