"""Every refusal of the registry, in one tree.

    RegistryError                message for people, metadata for programs
    ├── InvalidInput             InvalidField, InvalidName, InvalidReference, InvalidPath,
    │                            DuplicatePath, InvalidMetric, InvalidSemver, InvalidPageToken,
    │                            InvalidUpdateMask, RequestIdReused
    ├── Missing                  NotFound, NothingResolves
    ├── Exists                   AlreadyExists
    ├── Raced                    EtagMismatch, AliasMoved, UploadFenced, Conflict
    ├── NotPossibleNow           DraftNotOpen, DraftIncomplete, DraftEmpty, GateClosed,
    │                            BumpRequired, SemverTooLow, SemverTaken, IllegalTransition,
    │                            VersionNotReady, VersionYanked, VersionInUse, ModelIsDeleted,
    │                            NotDeleted, LastAdmin, RevisionInFuture, UploadNotOpen,
    │                            DigestChanged
    ├── OutOfRange               UploadOffsetWrong, SizeMismatch, RangePastEnd,
    │                            RevisionCompacted
    ├── Corrupt                  DigestMismatch, ChecksumMismatch, BlobCorrupt
    ├── Forbidden                PermissionDenied
    ├── Unidentified             Unauthenticated, CertificateExpired
    ├── Exhausted                StorageFull, MessageTooLarge, TooManyUploads,
    │                            TooManyCalls
    └── Unavailable              StoreUnavailable, Draining, AuditUnavailable,
                                 StreamStalled, WatchTooSlow

Families decide the status code, leaves the reason in error_reason.proto, which also lists the
keys of each leaf's metadata. Only leaves are raised.
"""

from assay_server.domain.errors.families import (
    Corrupt,
    Exhausted,
    Exists,
    Forbidden,
    InvalidInput,
    Missing,
    NotPossibleNow,
    OutOfRange,
    Raced,
    RegistryError,
    Unavailable,
    Unidentified,
)
from assay_server.domain.errors.input import (
    DuplicatePath,
    InvalidField,
    InvalidMetric,
    InvalidName,
    InvalidPageToken,
    InvalidPath,
    InvalidReference,
    InvalidSemver,
    InvalidUpdateMask,
    RequestIdReused,
)
from assay_server.domain.errors.service import (
    AuditUnavailable,
    CertificateExpired,
    Draining,
    MessageTooLarge,
    PermissionDenied,
    StorageFull,
    StoreUnavailable,
    StreamStalled,
    TooManyCalls,
    TooManyUploads,
    Unauthenticated,
    WatchTooSlow,
)
from assay_server.domain.errors.state import (
    AliasMoved,
    AlreadyExists,
    Conflict,
    EtagMismatch,
    GateClosed,
    LastAdmin,
    ModelIsDeleted,
    NotDeleted,
    NotFound,
    RevisionInFuture,
)
from assay_server.domain.errors.transfer import (
    BlobCorrupt,
    ChecksumMismatch,
    DigestChanged,
    DigestMismatch,
    RangePastEnd,
    RevisionCompacted,
    SizeMismatch,
    UploadFenced,
    UploadNotOpen,
    UploadOffsetWrong,
)
from assay_server.domain.errors.versions import (
    BumpRequired,
    DraftEmpty,
    DraftIncomplete,
    DraftNotOpen,
    IllegalTransition,
    NothingResolves,
    SemverTaken,
    SemverTooLow,
    VersionInUse,
    VersionNotReady,
    VersionYanked,
)

__all__ = [
    "AliasMoved",
    "AlreadyExists",
    "AuditUnavailable",
    "BlobCorrupt",
    "BumpRequired",
    "CertificateExpired",
    "ChecksumMismatch",
    "Conflict",
    "Corrupt",
    "DigestChanged",
    "DigestMismatch",
    "DraftEmpty",
    "DraftIncomplete",
    "DraftNotOpen",
    "Draining",
    "DuplicatePath",
    "EtagMismatch",
    "Exhausted",
    "Exists",
    "Forbidden",
    "GateClosed",
    "IllegalTransition",
    "InvalidField",
    "InvalidInput",
    "InvalidMetric",
    "InvalidName",
    "InvalidPageToken",
    "InvalidPath",
    "InvalidReference",
    "InvalidSemver",
    "InvalidUpdateMask",
    "LastAdmin",
    "MessageTooLarge",
    "Missing",
    "ModelIsDeleted",
    "NotDeleted",
    "NotFound",
    "NotPossibleNow",
    "NothingResolves",
    "OutOfRange",
    "PermissionDenied",
    "Raced",
    "RangePastEnd",
    "RegistryError",
    "RequestIdReused",
    "RevisionCompacted",
    "RevisionInFuture",
    "SemverTaken",
    "SemverTooLow",
    "SizeMismatch",
    "StorageFull",
    "StoreUnavailable",
    "StreamStalled",
    "TooManyCalls",
    "TooManyUploads",
    "Unauthenticated",
    "Unavailable",
    "Unidentified",
    "UploadFenced",
    "UploadNotOpen",
    "UploadOffsetWrong",
    "VersionInUse",
    "VersionNotReady",
    "VersionYanked",
    "WatchTooSlow",
]
