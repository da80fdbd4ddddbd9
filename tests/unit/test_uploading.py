"""The steps in the life of an upload."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from assay_server.domain.errors import (
    DuplicatePath,
    InvalidField,
    InvalidName,
    InvalidPath,
    SizeMismatch,
    UploadFenced,
    UploadNotOpen,
    UploadOffsetWrong,
)
from assay_server.domain.names import UploadName
from assay_server.domain.uploading import (
    Announced,
    TransferLimits,
    aborted,
    begun,
    begun_again,
    completed,
    file_of,
    is_too_slow,
    require_announced,
    require_committable,
    require_epoch,
    require_next,
    require_room,
    require_upload_id,
)
from assay_server.domain.uploads import Rivals, Upload, UploadState
from tests.unit.making import HEX, NOON

UPLOAD_ID = "0195e0a4-7b1c-7c3e-8a55-1f2e3d4c5b6a"
NAME = UploadName("vision", "digits", "d1", UPLOAD_ID)
FILE = Announced("model.joblib", 6, HEX, "application/octet-stream", "weights")
UNKNOWN = replace(FILE, size_bytes=-1, sha256="")
LIMITS = TransferLimits()
OTHER_HEX = "0" * 64


def upload(file: Announced = FILE, **changes: Any) -> Upload:
    made = begun(NAME, file, by="spiffe://lab/ann", now=NOON, limits=LIMITS)
    return replace(made, **changes)


@pytest.mark.parametrize("bad", ["u1", UPLOAD_ID.upper(), UPLOAD_ID.replace("-", ""), "a" * 36])
def test_the_id_of_an_upload_is_a_uuid(bad: str) -> None:
    with pytest.raises(InvalidName, match="UUID"):
        require_upload_id(NAME._replace(upload_id=bad), field="name")

    assert require_upload_id(NAME, field="name") == NAME


@pytest.mark.parametrize("path", ["../etc/passwd", "/etc/passwd", "a//b", "C:\\x", "a\0b", ""])
def test_a_path_that_leads_out_of_the_draft_is_refused(path: str) -> None:
    with pytest.raises(InvalidPath):
        require_announced(replace(FILE, path=path), LIMITS)


@pytest.mark.parametrize("size_bytes", [-2, LIMITS.file_bytes_max + 1])
def test_a_size_that_no_file_has_is_refused(size_bytes: int) -> None:
    with pytest.raises(InvalidField, match="size_bytes"):
        require_announced(replace(FILE, size_bytes=size_bytes), LIMITS)


@pytest.mark.parametrize("size_bytes", [-1, 0, LIMITS.file_bytes_max])
def test_a_size_may_be_unknown_nothing_or_the_limit(size_bytes: int) -> None:
    assert require_announced(replace(FILE, size_bytes=size_bytes), LIMITS).size_bytes == size_bytes


@pytest.mark.parametrize("other", ["Model.joblib", "model.joblib/part"])
def test_paths_in_a_draft_stay_apart_on_every_machine(other: str) -> None:
    with pytest.raises(DuplicatePath):
        require_room("model.joblib", Rivals(1, (other,)), LIMITS)


def test_a_draft_that_is_full_takes_no_more() -> None:
    few = replace(LIMITS, files_per_draft_max=1)

    require_room("model.joblib", Rivals(0, ()), few)
    with pytest.raises(InvalidField, match="one too many"):
        require_room("model.joblib", Rivals(1, ()), few)


def test_beginning_again_raises_the_epoch_and_keeps_what_is_durable() -> None:
    later = NOON + timedelta(hours=1)
    first = upload(durable_bytes=4)

    again = begun_again(first, FILE, now=later, limits=LIMITS)

    assert (again.epoch, again.durable_bytes) == (first.epoch + 1, 4)
    assert again.expire_time == later + LIMITS.ttl


def test_size_and_digest_may_be_told_later_but_not_changed() -> None:
    known = begun_again(upload(UNKNOWN), FILE, now=NOON, limits=LIMITS)
    still_known = begun_again(known, UNKNOWN, now=NOON, limits=LIMITS)

    assert (still_known.size_bytes, still_known.sha256) == (6, HEX)
    for change in ({"size_bytes": 7}, {"sha256": OTHER_HEX}, {"path": "other"}):
        with pytest.raises(InvalidField):
            begun_again(known, replace(FILE, **change), now=NOON, limits=LIMITS)


def test_a_complete_upload_stays_so_and_an_aborted_one_is_over() -> None:
    done = completed(upload(), sha256=HEX, size_bytes=6)

    assert begun_again(done, FILE, now=NOON, limits=LIMITS) is done
    assert aborted(done) is done
    with pytest.raises(UploadNotOpen):
        begun_again(aborted(upload()), FILE, now=NOON, limits=LIMITS)


def test_only_a_stream_of_the_latest_epoch_may_write() -> None:
    assert require_epoch(upload(epoch=3), 3)
    for epoch in (0, 2, 4):
        with pytest.raises(UploadFenced):
            require_epoch(upload(epoch=3), epoch)
    with pytest.raises(UploadNotOpen):
        require_epoch(aborted(upload()), 1)


@pytest.mark.parametrize("offset", [0, 3, 5, -1])
def test_bytes_come_in_order_or_hear_what_is_expected(offset: int) -> None:
    with pytest.raises(UploadOffsetWrong) as refused:
        require_next(upload(), offset=offset, expected_offset=4, length=1, limits=LIMITS)

    assert refused.value.metadata["expected_offset"] == "4"


def test_no_more_bytes_than_announced_or_allowed_are_taken() -> None:
    require_next(upload(), offset=4, expected_offset=4, length=2, limits=LIMITS)
    with pytest.raises(SizeMismatch):
        require_next(upload(), offset=4, expected_offset=4, length=3, limits=LIMITS)
    small = replace(LIMITS, file_bytes_max=5)
    with pytest.raises(InvalidField):
        require_next(upload(UNKNOWN), offset=4, expected_offset=4, length=2, limits=small)


def test_all_that_is_durable_is_committed_or_nothing() -> None:
    whole = upload(durable_bytes=6)

    assert require_committable(whole, sha256=HEX, size_bytes=6) == whole
    for size_bytes in (5, 7):
        with pytest.raises(SizeMismatch):
            require_committable(whole, sha256=HEX, size_bytes=size_bytes)
        with pytest.raises(SizeMismatch):
            require_committable(upload(UNKNOWN, durable_bytes=6), sha256=HEX, size_bytes=size_bytes)
    with pytest.raises(SizeMismatch, match="from offset 4"):
        require_committable(upload(durable_bytes=4), sha256=HEX, size_bytes=6)


def test_what_was_announced_is_what_is_committed() -> None:
    with pytest.raises(InvalidField, match="digest"):
        require_committable(upload(durable_bytes=6), sha256=OTHER_HEX, size_bytes=6)


def test_a_repeated_commit_is_told_what_there_is_and_another_one_refused() -> None:
    done = completed(upload(UNKNOWN), sha256=HEX, size_bytes=6)

    assert require_committable(done, sha256=HEX, size_bytes=6) is done
    assert file_of(done).sha256 == HEX
    with pytest.raises(UploadNotOpen):
        require_committable(done, sha256=OTHER_HEX, size_bytes=6)


def test_aborting_fences_the_streams_of_an_upload() -> None:
    given_up = aborted(upload())

    assert given_up.state is UploadState.ABORTED
    assert given_up.epoch > upload().epoch


def test_a_stream_that_only_holds_its_place_is_told_from_a_slow_one() -> None:
    limits = TransferLimits(bytes_per_s_min=1000, pace_after_s=60)

    assert not is_too_slow(received_bytes=0, open_s=60, limits=limits)
    assert is_too_slow(received_bytes=60_999, open_s=61, limits=limits)
    assert not is_too_slow(received_bytes=61_000, open_s=61, limits=limits)
    assert not is_too_slow(received_bytes=0, open_s=3600, limits=replace(limits, bytes_per_s_min=0))
