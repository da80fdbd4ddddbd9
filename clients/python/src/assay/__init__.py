"""Client of the Assay model registry.

``Client`` waits, ``AsyncClient`` awaits; both have the same verbs. Results are the messages of
the contract, from ``assay.v1``.
"""

from assay import errors, rules
from assay.async_client import AsyncClient
from assay.calls import Deadlines
from assay.client import Client
from assay.datasets import dataset, digest_of
from assay.errors import (
    AliasMoved,
    AlreadyExists,
    AssayError,
    CertificateDenied,
    CertificateExpired,
    ClientClosed,
    ConnectionFailed,
    ContentMismatch,
    ContextInvalid,
    Corrupt,
    DeadlinePassed,
    EtagMismatch,
    Exhausted,
    ForeignLoop,
    ForkedClient,
    GateClosed,
    InsecureTarget,
    InvalidInput,
    LocalDiskFull,
    LocalFileFailure,
    MethodUnknown,
    NotFound,
    NotPossibleNow,
    OutOfRange,
    PermissionDenied,
    Raced,
    RevisionCompacted,
    ServerFault,
    TargetBusy,
    TargetExists,
    TransferInterrupted,
    Unauthenticated,
    Unavailable,
    UnsafeFile,
)
from assay.inference.signatures import infer_signature
from assay.local import LocalRegistry, local
from assay.measuring import Measured, higher, lower
from assay.tls import TLS
from assay.transfer.progress import Progress, Step
from assay.verbs.transfers import Pulled

__all__ = [
    "TLS",
    "AliasMoved",
    "AlreadyExists",
    "AssayError",
    "AsyncClient",
    "CertificateDenied",
    "CertificateExpired",
    "Client",
    "ClientClosed",
    "ConnectionFailed",
    "ContentMismatch",
    "ContextInvalid",
    "Corrupt",
    "DeadlinePassed",
    "Deadlines",
    "EtagMismatch",
    "Exhausted",
    "ForeignLoop",
    "ForkedClient",
    "GateClosed",
    "InsecureTarget",
    "InvalidInput",
    "LocalDiskFull",
    "LocalFileFailure",
    "LocalRegistry",
    "Measured",
    "MethodUnknown",
    "NotFound",
    "NotPossibleNow",
    "OutOfRange",
    "PermissionDenied",
    "Progress",
    "Pulled",
    "Raced",
    "RevisionCompacted",
    "ServerFault",
    "Step",
    "TargetBusy",
    "TargetExists",
    "TransferInterrupted",
    "Unauthenticated",
    "Unavailable",
    "UnsafeFile",
    "dataset",
    "digest_of",
    "errors",
    "higher",
    "infer_signature",
    "local",
    "lower",
    "rules",
]
