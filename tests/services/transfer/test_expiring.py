"""What nobody goes on with is given up: on record, told to watchers, and its bytes go."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay_server.domain.calls import Stamped
from assay_server.domain.errors import Conflict, DraftNotOpen, UploadNotOpen
from assay_server.domain.events import Event
from assay_server.domain.names import DraftName, VersionName, draft_name
from assay_server.domain.transitions import abandoned
from assay_server.domain.uploading import TransferLimits, upload_name_of
from assay_server.domain.uploads import UploadState
from assay_server.domain.versions import Draft, DraftState
from assay_server.services import expiring
from assay_server.services.collecting import GRACE, Collected
from assay_server.services.downloads import Wanted
from assay_server.services.drafts import DRAFT_TTL
from assay_server.services.expiring import HOUSEKEEPER, Expired, ExpiringService
from tests.services.registry import ANN, CountingIds, Registry, again
from tests.services.transfer.test_collecting import LongAfter, collecting
from tests.services.transfer.uploading import Files, name_of

HOUR = timedelta(hours=1)


@pytest.fixture
async def each_files(each_registry: Registry, tmp_path: Path) -> AsyncIterator[Files]:
    """Uploads into each database."""
    made = Files(each_registry, tmp_path / "blobs", TransferLimits())
    yield made
    await made.blobs.close()


async def expire(registry: Registry, after: timedelta) -> Expired:
    """Keep house when ``after`` has passed since noon."""
    return await ExpiringService(registry.store, LongAfter(after), CountingIds()).expire()


async def seen(registry: Registry, name: DraftName) -> Draft:
    found: Stamped[Draft] = await registry.drafts.get(ANN, name)
    return found.answer


async def events(registry: Registry) -> tuple[Event, ...]:
    async with registry.store.read() as reader:
        found, _ = await reader.events.since(1, name_prefix="", among=None, limit=500)
        return found


async def test_a_draft_that_nobody_goes_on_with_ends_and_its_bytes_go(each_files: Files) -> None:
    registry = each_files.registry
    draft = await registry.draft("")
    await each_files.put(draft, b"finished", path="a")
    unfinished = await each_files.begin(draft, b"begun", path="b")

    early = await expire(registry, DRAFT_TTL - HOUR)
    assert await each_files.read(draft, Wanted("a")) == b"finished"
    done = await expire(registry, DRAFT_TTL + HOUR)
    again_done = await expire(registry, DRAFT_TTL + HOUR)

    assert (early, done, again_done) == (Expired(), Expired(drafts=1, uploads=1), Expired())
    after = await seen(registry, draft)
    assert (after.state, after.files) == (DraftState.ABANDONED, ())
    [*_, last] = await events(registry)
    assert (last.actor, last.name) == (HOUSEKEEPER, draft_name(*draft))
    with pytest.raises(DraftNotOpen, match="it expired"):
        await each_files.begin(draft, b"begun", path="b", name=name_of(unfinished))
    collected = await collecting(each_files, DRAFT_TTL + GRACE).collect()
    assert collected.blobs == 1


async def test_an_upload_with_time_left_keeps_its_draft(files: Files, draft: DraftName) -> None:
    upload = await files.begin(draft, path="late")
    await files.begin(draft, path="other")

    async def renew(after: timedelta) -> None:
        files.uploads._clock = LongAfter(after)
        await files.begin(draft, path="late", name=name_of(upload))

    await renew(DRAFT_TTL - HOUR)

    assert await expire(files.registry, DRAFT_TTL + HOUR) == Expired(uploads=1)
    assert (await seen(files.registry, draft)).state is DraftState.OPEN
    assert await expire(files.registry, 2 * DRAFT_TTL) == Expired(drafts=1, uploads=1)


async def test_going_on_with_an_expired_upload_is_refused_and_a_new_one_is_taken(
    files: Files, draft: DraftName
) -> None:
    upload = await files.begin(draft)
    files.uploads._clock = LongAfter(HOUR)
    await files.put(draft, b"keeps the draft", path="other")
    is_upload_over = upload.expire_time - files.registry.drafts._clock.now() + HOUR / 2

    assert await expire(files.registry, is_upload_over) == Expired(uploads=1)

    with pytest.raises(UploadNotOpen, match=r"expired.*begin a new upload") as refused:
        await files.begin(draft, name=name_of(upload))
    assert refused.value.metadata["upload"] == upload_name_of(upload)
    with pytest.raises(UploadNotOpen):
        await files.write(upload)
    fresh = await files.begin(draft)
    await files.write(fresh)
    await files.commit(fresh)


async def test_many_are_expired_in_batches_each_on_record(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "BATCH_DRAFTS", 2)
    drafts = [await registry.draft("") for _ in range(5)]

    done = await expire(registry, DRAFT_TTL + HOUR)

    ended = [event.name for event in await events(registry) if event.actor == HOUSEKEEPER]
    assert done == Expired(drafts=5)
    assert sorted(name.rpartition("/")[2] for name in ended) == sorted(name[2] for name in drafts)


async def test_drafts_that_cannot_be_given_up_do_not_keep_the_others(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiring, "BATCH_DRAFTS", 2)
    drafts = [await registry.draft("") for _ in range(7)]
    broken: dict[DraftName, Exception] = {name: Conflict() for name in drafts[:3]}
    broken |= {name: ValueError("a row that no rule of ours made") for name in drafts[3:5]}

    def spoiled(draft: Draft, *, now: datetime, etag: str) -> Draft:
        name = DraftName(draft.namespace_id, draft.model_id, draft.draft_id)
        if name in broken:
            raise broken[name]
        return abandoned(draft, now=now, etag=etag)

    monkeypatch.setattr(expiring, "abandoned", spoiled)

    assert await expire(registry, DRAFT_TTL + HOUR) == Expired(drafts=2)
    broken.clear()
    assert await expire(registry, DRAFT_TTL + HOUR) == Expired(drafts=5)


async def test_what_was_sealed_or_given_up_does_not_expire(registry: Registry) -> None:
    sealed, left = await registry.draft("a"), await registry.draft("b")
    version = VersionName(*sealed[:2], (await registry.seal(sealed)).version.number)
    await registry.drafts.abandon(again(ANN), left)

    assert await expire(registry, 100 * DRAFT_TTL) == Expired()
    assert (await seen(registry, sealed)).state is DraftState.SEALED
    assert (await registry.versions.get(version)).answer.version.manifest.files


async def test_giving_a_draft_up_lets_its_bytes_go(files: Files, draft: DraftName) -> None:
    await files.put(draft, b"given up")
    await files.registry.drafts.abandon(again(ANN), draft)

    assert await collecting(files, GRACE + HOUR).collect() == Collected(1, 0)


async def test_an_upload_that_is_done_does_not_expire(files: Files, draft: DraftName) -> None:
    await files.put(draft, b"done")
    upload = await files.begin(draft, b"done")

    assert upload.state is UploadState.COMPLETE
    assert await expire(files.registry, DRAFT_TTL + HOUR) == Expired(drafts=1)
