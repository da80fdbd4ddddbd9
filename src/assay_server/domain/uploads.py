"""Uploads: how the bytes of one file of a draft arrive.

Rules:
- Bytes arrive in order; an offset other than the next expected one is refused.
- Nothing is visible before the whole file was hashed and its digest and size agree.
- A later Begin of the same upload raises its epoch and fences earlier streams.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class UploadState(StrEnum):
    """OPEN until committed or aborted."""

    OPEN = "OPEN"
    COMPLETE = "COMPLETE"
    ABORTED = "ABORTED"


@dataclass(frozen=True, slots=True)
class Rivals:
    """The other paths of a draft, complete or still open: how many, and those that may collide."""

    count: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """One file on its way into a draft.

    ``size_bytes`` is -1 and ``sha256`` is empty until known. ``durable_bytes`` is how much
    survives a crash of the machine: where an interrupted upload goes on.
    """

    namespace_id: str
    model_id: str
    draft_id: str
    upload_id: str
    path: str
    size_bytes: int
    sha256: str
    media_type: str
    role: str
    state: UploadState
    durable_bytes: int
    epoch: int
    created_by: str
    create_time: datetime
    expire_time: datetime
