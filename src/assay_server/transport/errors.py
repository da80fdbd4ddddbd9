"""Which status and reason each refusal has: the only mention of status codes for refusals.

``STATUS_OF`` has one line for each leaf of ``domain.errors``; reasons are values of
``ErrorReason`` without their prefix.
"""

from collections.abc import Mapping
from typing import Final

from grpc import StatusCode

from assay_server.domain import errors

DOMAIN: Final = "assay.dev"
"""``google.rpc.ErrorInfo.domain`` of every reason."""


class WireError(Exception):
    """A refusal that only exists on the wire; its text is safe to send."""

    code: StatusCode
    reason: str

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata


class MessageUndecodable(WireError):
    """The bytes are not an encoding of the request."""

    code = StatusCode.INVALID_ARGUMENT
    reason = "MESSAGE_UNDECODABLE"

    def __init__(self) -> None:
        super().__init__(
            "the message is not a valid encoding of the request; is the client generated from "
            "another version of the API, or was the stream empty?"
        )


class MethodUnknown(WireError):
    """There is no such method here."""

    code = StatusCode.UNIMPLEMENTED
    reason = "METHOD_UNKNOWN"

    def __init__(self, method: str) -> None:
        super().__init__(
            f"this server does not know the method {method}; it may be older than the client",
            method=method,
        )


class DeadlinePassed(WireError):
    """The client's deadline passed; seen in the trail only, since the client is not listening."""

    code = StatusCode.DEADLINE_EXCEEDED
    reason = "DEADLINE_PASSED"

    def __init__(self) -> None:
        super().__init__(
            "the deadline of the call passed; whether a change was made is told by a retry with "
            "the same request_id"
        )


class InternalFault(WireError):
    """A fault of the server; what it was stands in the log under the id of the call."""

    code = StatusCode.INTERNAL
    reason = "INTERNAL"

    def __init__(self, call_id: str) -> None:
        super().__init__(
            f"the server failed; tell the operator this id, under which it was logged: {call_id}"
        )


STATUS_OF: Final[Mapping[type[errors.RegistryError], tuple[StatusCode, str]]] = {
    errors.InvalidField: (StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
    errors.InvalidName: (StatusCode.INVALID_ARGUMENT, "NAME_INVALID"),
    errors.InvalidReference: (StatusCode.INVALID_ARGUMENT, "REFERENCE_INVALID"),
    errors.InvalidPath: (StatusCode.INVALID_ARGUMENT, "PATH_INVALID"),
    errors.DuplicatePath: (StatusCode.INVALID_ARGUMENT, "PATH_DUPLICATE"),
    errors.InvalidMetric: (StatusCode.INVALID_ARGUMENT, "METRIC_INVALID"),
    errors.InvalidSemver: (StatusCode.INVALID_ARGUMENT, "SEMVER_INVALID"),
    errors.InvalidPageToken: (StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID"),
    errors.InvalidUpdateMask: (StatusCode.INVALID_ARGUMENT, "UPDATE_MASK_INVALID"),
    errors.RequestIdReused: (StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED"),
    errors.NotFound: (StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND"),
    errors.NothingResolves: (StatusCode.NOT_FOUND, "NOTHING_RESOLVES"),
    errors.AlreadyExists: (StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS"),
    errors.EtagMismatch: (StatusCode.ABORTED, "ETAG_MISMATCH"),
    errors.AliasMoved: (StatusCode.ABORTED, "ALIAS_MOVED"),
    errors.UploadFenced: (StatusCode.ABORTED, "UPLOAD_FENCED"),
    errors.Conflict: (StatusCode.ABORTED, "CONFLICT"),
    errors.DraftNotOpen: (StatusCode.FAILED_PRECONDITION, "DRAFT_NOT_OPEN"),
    errors.DraftIncomplete: (StatusCode.FAILED_PRECONDITION, "DRAFT_INCOMPLETE"),
    errors.DraftEmpty: (StatusCode.FAILED_PRECONDITION, "DRAFT_EMPTY"),
    errors.FilesMissing: (StatusCode.FAILED_PRECONDITION, "FILES_MISSING"),
    errors.GateClosed: (StatusCode.FAILED_PRECONDITION, "GATE_CLOSED"),
    errors.BumpRequired: (StatusCode.FAILED_PRECONDITION, "BUMP_REQUIRED"),
    errors.SemverTooLow: (StatusCode.FAILED_PRECONDITION, "SEMVER_TOO_LOW"),
    errors.SemverTaken: (StatusCode.FAILED_PRECONDITION, "SEMVER_TAKEN"),
    errors.IllegalTransition: (StatusCode.FAILED_PRECONDITION, "TRANSITION_ILLEGAL"),
    errors.VersionNotReady: (StatusCode.FAILED_PRECONDITION, "VERSION_NOT_READY"),
    errors.VersionYanked: (StatusCode.FAILED_PRECONDITION, "VERSION_YANKED"),
    errors.VersionInUse: (StatusCode.FAILED_PRECONDITION, "VERSION_IN_USE"),
    errors.ModelIsDeleted: (StatusCode.FAILED_PRECONDITION, "MODEL_DELETED"),
    errors.NotDeleted: (StatusCode.FAILED_PRECONDITION, "NOT_DELETED"),
    errors.LastAdmin: (StatusCode.FAILED_PRECONDITION, "LAST_ADMIN"),
    errors.RevisionInFuture: (StatusCode.FAILED_PRECONDITION, "REVISION_IN_FUTURE"),
    errors.UploadNotOpen: (StatusCode.FAILED_PRECONDITION, "UPLOAD_NOT_OPEN"),
    errors.DigestChanged: (StatusCode.FAILED_PRECONDITION, "DIGEST_CHANGED"),
    errors.UploadOffsetWrong: (StatusCode.OUT_OF_RANGE, "UPLOAD_OFFSET_WRONG"),
    errors.SizeMismatch: (StatusCode.OUT_OF_RANGE, "SIZE_MISMATCH"),
    errors.RangePastEnd: (StatusCode.OUT_OF_RANGE, "RANGE_PAST_END"),
    errors.RevisionCompacted: (StatusCode.OUT_OF_RANGE, "REVISION_COMPACTED"),
    errors.DigestMismatch: (StatusCode.DATA_LOSS, "DIGEST_MISMATCH"),
    errors.ChecksumMismatch: (StatusCode.DATA_LOSS, "CHECKSUM_MISMATCH"),
    errors.BlobCorrupt: (StatusCode.DATA_LOSS, "BLOB_CORRUPT"),
    errors.PermissionDenied: (StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING"),
    errors.Unauthenticated: (StatusCode.UNAUTHENTICATED, "IDENTITY_INVALID"),
    errors.CertificateExpired: (StatusCode.UNAUTHENTICATED, "CERTIFICATE_EXPIRED"),
    errors.CertificateDenied: (StatusCode.UNAUTHENTICATED, "CERTIFICATE_DENIED"),
    errors.StorageFull: (StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL"),
    errors.MessageTooLarge: (StatusCode.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE"),
    errors.TooManyCalls: (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS"),
    errors.TooManyUploads: (StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_UPLOADS"),
    errors.StoreUnavailable: (StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
    errors.Draining: (StatusCode.UNAVAILABLE, "SERVER_DRAINING"),
    errors.StreamStalled: (StatusCode.UNAVAILABLE, "STREAM_STALLED"),
    errors.WatchTooSlow: (StatusCode.UNAVAILABLE, "WATCH_TOO_SLOW"),
    errors.AuditUnavailable: (StatusCode.UNAVAILABLE, "AUDIT_UNAVAILABLE"),
}


def status_and_reason(error: errors.RegistryError | WireError) -> tuple[StatusCode, str]:
    """The status code and the reason with which ``error`` is answered."""
    if isinstance(error, WireError):
        return error.code, error.reason
    return STATUS_OF[type(error)]
