"""Refusals on the way of bytes: uploads, ranges, digests."""

from assay_server.domain.errors.families import (
    Corrupt,
    NotPossibleNow,
    OutOfRange,
    Raced,
    quoted,
)


class UploadFenced(Raced):
    """A later Begin took the upload over; this stream may not write any more."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was begun again elsewhere, so this stream may no longer write. "
            "Only one writer fills an upload: stop the other one, or let it finish",
            upload=name,
        )


class UploadNotOpen(NotPossibleNow):
    """The upload is complete or was aborted."""

    def __init__(self, name: str, state: str) -> None:
        how = " (given up, expired, or replaced by a newer one)" if state == "ABORTED" else ""
        super().__init__(
            f"{name} is {state}{how} and takes no more bytes; begin a new upload",
            upload=name,
            state=state,
        )


class SizeMismatch(OutOfRange):
    """The upload holds another number of bytes than the commit says."""

    def __init__(self, name: str, *, declared_bytes: int, received_bytes: int) -> None:
        advice = (
            f"send the rest from offset {received_bytes}, then commit"
            if received_bytes < declared_bytes
            else "abort it and begin again with the right size"
        )
        super().__init__(
            f"{name} was to have {declared_bytes} bytes, but {received_bytes} arrived; {advice}",
            sent_bytes=str(received_bytes),
            size_bytes=str(declared_bytes),
        )


class DigestChanged(NotPossibleNow):
    """The file is not the one the caller asked for by digest."""

    def __init__(self, path: str, *, expected_digest: str, current_digest: str) -> None:
        super().__init__(
            f"{quoted(path)} has the digest {current_digest}, not {expected_digest}; "
            "start over with the new one",
            path=path,
            digest=current_digest,
        )


class UploadOffsetWrong(OutOfRange):
    """Bytes arrive in order; only the next offset is accepted."""

    def __init__(self, name: str, *, sent_offset: int, expected_offset: int) -> None:
        super().__init__(
            f"{name} expects offset {expected_offset}, not {sent_offset}; go on from there",
            expected_offset=str(expected_offset),
        )


class RangePastEnd(OutOfRange):
    """A read reaches behind the end of the file."""

    def __init__(self, end: int, size_bytes: int) -> None:
        super().__init__(
            f"the range ends at {end}, but the file has {size_bytes} bytes; ask for less",
            size_bytes=str(size_bytes),
        )


class RevisionCompacted(OutOfRange):
    """What was before the oldest kept revision is gone: events, or facts as they were."""

    def __init__(self, asked: int, oldest: int) -> None:
        super().__init__(
            f"revision {asked} is no longer kept; the oldest is {oldest}. "
            "List again, or watch with send_initial_state",
            oldest_revision=str(oldest),
        )


class DigestMismatch(Corrupt):
    """A file or manifest has another digest than was declared; nothing was kept."""

    def __init__(self, subject: str, *, declared_digest: str, actual_digest: str) -> None:
        super().__init__(
            f"{quoted(subject)} has the digest {actual_digest}, not {declared_digest}: it was "
            "changed on the way, or the digest is of something else. Compare, then send it again",
            expected=declared_digest,
            actual=actual_digest,
        )


class ChecksumMismatch(Corrupt):
    """One message of a stream was damaged on the way."""

    def __init__(self, offset: int) -> None:
        super().__init__(
            f"the checksum of the message at offset {offset} is wrong: it was damaged on the way. "
            "Send again from there",
            offset=str(offset),
        )


class BlobCorrupt(Corrupt):
    """Stored bytes no longer have their digest; they are never given out."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"the stored bytes of {digest} are damaged and are not given out; "
            "tell the operator, who can restore them from a backup or another upload",
            digest=digest,
        )
