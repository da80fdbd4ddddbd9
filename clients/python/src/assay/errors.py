"""Every refusal and failure that the client raises, as one tree.

AssayError
├── Refused                      the server said no, or did not answer
│   ├── InvalidInput             change the request
│   │   └── InvalidName, InvalidReference, InvalidPath, InvalidMetric, InvalidSemver,
│   │       InvalidPageToken, RequestIdReused
│   ├── NotFound: NothingResolves               absent, or hidden from you
│   ├── Raced: AliasMoved, Conflict, EtagMismatch, UploadFenced     read again, decide again
│   ├── NotPossibleNow           change the state of things first
│   │   └── BumpRequired, DigestChanged, DraftEmpty, DraftIncomplete, DraftNotOpen,
│   │       FilesMissing, GateClosed, IllegalTransition, LastAdmin, ModelDeleted, NotDeleted,
│   │       RevisionInFuture, SemverTaken, SemverTooLow, UploadNotOpen, VersionInUse,
│   │       VersionNotReady, VersionYanked
│   ├── OutOfRange: RangePastEnd, RevisionCompacted, SizeMismatch, UploadOffsetWrong
│   ├── Corrupt: BlobCorrupt, ChecksumMismatch, DigestMismatch
│   ├── Unauthenticated: CertificateDenied, CertificateExpired
│   ├── Exhausted: MessageTooLarge, StorageFull, TooManyCalls, TooManyUploads
│   ├── Unavailable: ConnectionFailed           try again later
│   └── AlreadyExists, DeadlinePassed, MethodUnknown, PermissionDenied, ServerFault
├── TransferInterrupted: DownloadInterrupted, UploadInterrupted
├── Misused: ClientClosed, ForeignLoop, ForkedClient, InsecureTarget
├── CannotInfer, ContentMismatch, ContextInvalid, LocalDiskFull, LocalFileFailure
└── ServerNotInstalled, TargetBusy, TargetExists, UnsafeFile
"""

from collections.abc import Mapping

import grpc

from assay import violations as faults

Violation = faults.Violation


class AssayError(Exception):
    """Root of everything this package raises; the message is a sentence for a person.

    Attributes:
        reason: From the catalogue ``ErrorReason`` without its prefix; empty for the client's own.
        metadata: Strings for programs; the catalogue lists the keys of each reason.
        code: Status code of the call; None for the client's own.
        request_id: Under which the server logged its fault; usually empty.
        retry_after_s: When the server asks to come back; None where it did not say.
        violations: Each fault, where the server listed several.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        code: grpc.StatusCode | None = None,
        request_id: str = "",
        retry_after_s: float | None = None,
        violations: tuple[Violation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.violations = violations


class Refused(AssayError):
    """The server said no, or did not answer."""


class InvalidInput(Refused):
    """The request is wrong whatever the registry holds: change it."""


class InvalidName(InvalidInput):
    """A name or id breaks its grammar."""


class InvalidReference(InvalidInput):
    """A reference to a version cannot be read."""


class InvalidPath(InvalidInput):
    """The path of a file is not allowed, or two files share it."""


class InvalidMetric(InvalidInput):
    """A metric is NaN, infinite, duplicate or without direction."""


class InvalidSemver(InvalidInput):
    """Not a semantic version."""


class InvalidPageToken(InvalidInput):
    """A page token of another query."""


class RequestIdReused(InvalidInput):
    """The request id was used with another content."""


class NotFound(Refused):
    """Absent, or hidden from you: the server does not tell which."""


class NothingResolves(NotFound):
    """The model is there, but no version fits the reference."""


class AlreadyExists(Refused):
    """The id was used already, perhaps by something deleted."""


class Raced(Refused):
    """Someone else changed it first: read again, then decide again."""


class EtagMismatch(Raced):
    """The resource changed since it was read."""


class AliasMoved(Raced):
    """The alias does not point where you expected."""

    @property
    def current_version_number(self) -> int:
        """Number that the alias points to; 0 for nowhere."""
        return int(self.metadata.get("current_version_number") or 0)


class UploadFenced(Raced):
    """Another process resumed this upload."""


class Conflict(Raced):
    """A change at the same moment won, several times in a row."""


class NotPossibleNow(Refused):
    """The state of things forbids it: change that state first."""


class DraftNotOpen(NotPossibleNow):
    """The draft is sealed or abandoned."""


class DraftIncomplete(NotPossibleNow):
    """An upload of the draft is still open."""


class FilesMissing(NotPossibleNow):
    """No version that the caller may download has the content of some of the files."""


class DraftEmpty(NotPossibleNow):
    """The draft has no file."""


class GateClosed(NotPossibleNow):
    """A gate refuses the move; ``findings`` holds every unmet rule, and so does its text."""

    def __str__(self) -> str:
        """The gate, and each unmet rule on a line of its own."""
        return faults.told(self.message, self.violations)

    @property
    def findings(self) -> tuple[Violation, ...]:
        """Every unmet rule."""
        return self.violations


class BumpRequired(NotPossibleNow):
    """Without signatures the semantic version cannot be inferred: name a bump."""


class SemverTooLow(NotPossibleNow):
    """The changes demand a greater step."""


class SemverTaken(NotPossibleNow):
    """Another version of the model has this semantic version."""


class IllegalTransition(NotPossibleNow):
    """No step leads from the state to the wanted one."""


class VersionNotReady(NotPossibleNow):
    """The version is not published."""


class VersionYanked(NotPossibleNow):
    """The version was yanked."""


class VersionInUse(NotPossibleNow):
    """An alias points to the version."""


class ModelDeleted(NotPossibleNow):
    """The model is deleted."""


class NotDeleted(NotPossibleNow):
    """There is nothing to restore."""


class UploadNotOpen(NotPossibleNow):
    """The upload was committed or aborted."""


class DigestChanged(NotPossibleNow):
    """The file does not have the digest that was expected."""


class LastAdmin(NotPossibleNow):
    """Nobody would be left who administers everything."""


class RevisionInFuture(NotPossibleNow):
    """The server never reached that revision."""


class OutOfRange(Refused):
    """A position lies outside of what there is."""


class UploadOffsetWrong(OutOfRange):
    """Bytes do not continue where the upload stands."""


class SizeMismatch(OutOfRange):
    """The committed size is not what was sent."""


class RangePastEnd(OutOfRange):
    """The range ends after the file does."""


class RevisionCompacted(OutOfRange):
    """The history before this revision is gone: watch with ``initial_state``."""

    @property
    def oldest_revision(self) -> int:
        """The oldest revision that a watch can start from, or that can be read."""
        return int(self.metadata.get("oldest_revision") or 0)


class Corrupt(Refused):
    """Bytes are not what their digest or checksum says."""


class DigestMismatch(Corrupt):
    """The bytes do not have the given digest."""


class ChecksumMismatch(Corrupt):
    """A message arrived damaged."""


class BlobCorrupt(Corrupt):
    """Stored bytes do not have their digest any more."""


class PermissionDenied(Refused):
    """You may see it, but may not do this."""

    @property
    def permission(self) -> str:
        """The permission that is missing."""
        return self.metadata.get("permission", "")


class Unauthenticated(Refused):
    """The certificate names no principal."""


class CertificateExpired(Unauthenticated):
    """The certificate expired while the connection was open."""


class CertificateDenied(Unauthenticated):
    """An operator denied the certificate, its key or whom it names: ask them."""


class Exhausted(Refused):
    """A limit or a store is full."""


class StorageFull(Exhausted):
    """The server has no space left."""


class MessageTooLarge(Exhausted):
    """A message is over its limit; sending it again does not help."""


class TooManyCalls(Exhausted):
    """One principal calls more often than it may; ``retry_after_s`` says when to come back."""


class TooManyUploads(Exhausted):
    """Too many streams at once."""


class MethodUnknown(Refused):
    """The server does not know the method; it may be older than the client."""


class Unavailable(Refused):
    """The server cannot serve at this moment: try again."""


class ConnectionFailed(Unavailable):
    """No connection, or it broke; the message says what is probably wrong."""


class DeadlinePassed(Refused):
    """No answer in time; a change may have happened or not."""


class ServerFault(Refused):
    """A fault of the server; ``request_id`` is where to look in its log."""


class TransferInterrupted(AssayError):
    """Bytes stopped moving for longer than the client's patience."""


class UploadInterrupted(TransferInterrupted):
    """An upload stopped; the message says how to go on. ``draft`` is the name to go on with."""

    def __init__(self, message: str, *, draft: str) -> None:
        super().__init__(message)
        self.draft = draft


class DownloadInterrupted(TransferInterrupted):
    """A download stopped; nothing is left under the target's name. Pull again to go on."""


class Misused(AssayError):
    """The program uses the client wrongly."""


class ClientClosed(Misused):
    """The client was closed."""


class ForeignLoop(Misused):
    """The client belongs to another event loop, or to another thread."""


class ForkedClient(Misused):
    """gRPC does not survive a fork."""


class InsecureTarget(Misused):
    """Plaintext is for the loopback of this machine only."""


class CannotInfer(AssayError):
    """Push cannot tell how to store or describe the object."""


class ContentMismatch(AssayError):
    """What arrived is not what was promised; nothing of it is kept."""


class ContextInvalid(AssayError):
    """The contexts file is absent, wrong, or lacks the context."""


class LocalDiskFull(AssayError):
    """No space is left on this machine; nothing is left under the target's name."""


class LocalFileFailure(AssayError):
    """A file or directory of this machine cannot be read or written."""


class ServerNotInstalled(AssayError):
    """``assay.local()`` needs the server's distribution."""


class TargetBusy(AssayError):
    """Another pull of the same version to the same place is under way."""


class TargetExists(AssayError):
    """Something else is where the version should go."""


class UnsafeFile(AssayError):
    """A file cannot be pushed as it is: a link, a device, or a name outside the grammar."""
