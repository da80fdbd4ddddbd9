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
    ConnectionFailed,
    GateClosed,
    NotFound,
    PermissionDenied,
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
    "Client",
    "ConnectionFailed",
    "Deadlines",
    "GateClosed",
    "LocalRegistry",
    "Measured",
    "NotFound",
    "PermissionDenied",
    "Progress",
    "Pulled",
    "Step",
    "dataset",
    "digest_of",
    "errors",
    "higher",
    "infer_signature",
    "local",
    "lower",
    "rules",
]
