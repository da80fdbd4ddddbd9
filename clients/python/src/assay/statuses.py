"""What a status from the wire becomes: one table from reasons, one from codes."""

from collections.abc import Mapping
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from assay import errors
from assay.errors import AssayError, Violation

Detail = TypeVar("Detail", bound=Message)

ERROR_DOMAIN = "assay.dev"

CLASS_OF_REASON: Mapping[str, type[AssayError]] = {
    "FIELD_INVALID": errors.InvalidInput,
    "NAME_INVALID": errors.InvalidName,
    "REFERENCE_INVALID": errors.InvalidReference,
    "PATH_INVALID": errors.InvalidPath,
    "PATH_DUPLICATE": errors.InvalidPath,
    "METRIC_INVALID": errors.InvalidMetric,
    "SEMVER_INVALID": errors.InvalidSemver,
    "PAGE_TOKEN_INVALID": errors.InvalidPageToken,
    "UPDATE_MASK_INVALID": errors.InvalidInput,
    "REQUEST_ID_REUSED": errors.RequestIdReused,
    "MESSAGE_UNDECODABLE": errors.InvalidInput,
    "RESOURCE_NOT_FOUND": errors.NotFound,
    "NOTHING_RESOLVES": errors.NothingResolves,
    "RESOURCE_EXISTS": errors.AlreadyExists,
    "ETAG_MISMATCH": errors.EtagMismatch,
    "ALIAS_MOVED": errors.AliasMoved,
    "UPLOAD_FENCED": errors.UploadFenced,
    "CONFLICT": errors.Conflict,
    "DRAFT_NOT_OPEN": errors.DraftNotOpen,
    "DRAFT_INCOMPLETE": errors.DraftIncomplete,
    "DRAFT_EMPTY": errors.DraftEmpty,
    "FILES_MISSING": errors.FilesMissing,
    "GATE_CLOSED": errors.GateClosed,
    "BUMP_REQUIRED": errors.BumpRequired,
    "SEMVER_TOO_LOW": errors.SemverTooLow,
    "SEMVER_TAKEN": errors.SemverTaken,
    "TRANSITION_ILLEGAL": errors.IllegalTransition,
    "VERSION_NOT_READY": errors.VersionNotReady,
    "VERSION_YANKED": errors.VersionYanked,
    "VERSION_IN_USE": errors.VersionInUse,
    "MODEL_DELETED": errors.ModelDeleted,
    "NOT_DELETED": errors.NotDeleted,
    "UPLOAD_NOT_OPEN": errors.UploadNotOpen,
    "DIGEST_CHANGED": errors.DigestChanged,
    "LAST_ADMIN": errors.LastAdmin,
    "REVISION_IN_FUTURE": errors.RevisionInFuture,
    "UPLOAD_OFFSET_WRONG": errors.UploadOffsetWrong,
    "SIZE_MISMATCH": errors.SizeMismatch,
    "RANGE_PAST_END": errors.RangePastEnd,
    "REVISION_COMPACTED": errors.RevisionCompacted,
    "DIGEST_MISMATCH": errors.DigestMismatch,
    "CHECKSUM_MISMATCH": errors.ChecksumMismatch,
    "BLOB_CORRUPT": errors.BlobCorrupt,
    "PERMISSION_MISSING": errors.PermissionDenied,
    "IDENTITY_INVALID": errors.Unauthenticated,
    "CERTIFICATE_EXPIRED": errors.CertificateExpired,
    "CERTIFICATE_DENIED": errors.CertificateDenied,
    "STORAGE_FULL": errors.StorageFull,
    "MESSAGE_TOO_LARGE": errors.MessageTooLarge,
    "TOO_MANY_CALLS": errors.TooManyCalls,
    "TOO_MANY_UPLOADS": errors.TooManyUploads,
    "METHOD_UNKNOWN": errors.MethodUnknown,
    "STORE_UNAVAILABLE": errors.Unavailable,
    "SERVER_DRAINING": errors.Unavailable,
    "AUDIT_UNAVAILABLE": errors.Unavailable,
    "DEADLINE_PASSED": errors.DeadlinePassed,
    "INTERNAL": errors.ServerFault,
    "STREAM_STALLED": errors.Unavailable,
    "WATCH_TOO_SLOW": errors.Unavailable,
}

CLASS_OF_CODE: Mapping[grpc.StatusCode, type[AssayError]] = {
    grpc.StatusCode.CANCELLED: errors.Unavailable,
    grpc.StatusCode.UNKNOWN: errors.ServerFault,
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidInput,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlinePassed,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.Exhausted,
    grpc.StatusCode.FAILED_PRECONDITION: errors.NotPossibleNow,
    grpc.StatusCode.ABORTED: errors.Raced,
    grpc.StatusCode.OUT_OF_RANGE: errors.OutOfRange,
    grpc.StatusCode.UNIMPLEMENTED: errors.MethodUnknown,
    grpc.StatusCode.INTERNAL: errors.ServerFault,
    grpc.StatusCode.UNAVAILABLE: errors.ConnectionFailed,
    grpc.StatusCode.DATA_LOSS: errors.Corrupt,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
}
"""For statuses without a reason of ours: another server, a proxy, or gRPC itself spoke."""


class Details:
    """The details of a status, read with care: another server may have sent anything."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.reason = ""
        self.metadata: dict[str, str] = {}
        self.request_id = ""
        self.retry_after_s: float | None = None
        self.violations: tuple[Violation, ...] = ()
        for detail in _status(error).details:
            self._take(detail)

    def _take(self, detail: AnyMessage) -> None:
        if info := _unpacked(detail, error_details_pb2.ErrorInfo):
            if info.domain == ERROR_DOMAIN:
                self.reason, self.metadata = info.reason, dict(info.metadata)
        elif retry := _unpacked(detail, error_details_pb2.RetryInfo):
            self.retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        elif request := _unpacked(detail, error_details_pb2.RequestInfo):
            self.request_id = request.request_id
        elif bad := _unpacked(detail, error_details_pb2.BadRequest):
            self.violations += tuple(
                Violation(fault.field, fault.description) for fault in bad.field_violations
            )
        elif unmet := _unpacked(detail, error_details_pb2.PreconditionFailure):
            self.violations += tuple(
                Violation(fault.subject, fault.description, fault.type)
                for fault in unmet.violations
            )


def error_of(error: grpc.aio.AioRpcError) -> AssayError:
    """The exception that says what ``error`` means; the caller raises it from ``error``."""
    details = Details(error)
    fallback = CLASS_OF_CODE.get(error.code(), errors.ServerFault)
    if _was_reset(error, details):
        fallback = errors.ConnectionFailed
    kind = CLASS_OF_REASON.get(details.reason, fallback)
    return kind(
        error.details() or f"The server answered {error.code().name} without a word.",
        reason=details.reason,
        metadata=details.metadata,
        code=error.code(),
        request_id=details.request_id,
        retry_after_s=details.retry_after_s,
        violations=details.violations,
    )


def _was_reset(error: grpc.aio.AioRpcError, details: Details) -> bool:
    """Whether the stream was cut, which gRPC reports as INTERNAL or UNKNOWN."""
    cut = {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
    text = error.details() or ""
    signs = ("RST_STREAM", "Internal error from Core")
    return not details.reason and error.code() in cut and any(sign in text for sign in signs)


def _status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _unpacked(detail: AnyMessage, kind: type[Detail]) -> Detail | None:
    """``detail`` as ``kind``, if it is one and can be read."""
    if detail.TypeName() != kind.DESCRIPTOR.full_name:
        return None
    message = kind()
    try:
        detail.Unpack(message)
    except DecodeError:
        return None
    return message
