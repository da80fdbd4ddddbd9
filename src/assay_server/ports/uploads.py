"""Uploads, and which content a namespace holds already."""

from collections.abc import Mapping, Set
from datetime import datetime
from typing import Protocol

from assay_server.domain.uploads import Rivals, Upload


class UploadReads(Protocol):
    """Reading uploads."""

    async def get(
        self, namespace_id: str, model_id: str, draft_id: str, upload_id: str
    ) -> Upload: ...

    async def open_paths(self, namespace_id: str, model_id: str, draft_id: str) -> tuple[str, ...]:
        """Paths of the uploads of a draft that are still open, sorted."""
        ...

    async def rivals(self, namespace_id: str, model_id: str, draft_id: str, path: str) -> Rivals:
        """What else a draft has or is to have, as far as it bears on a file at ``path``."""
        ...

    async def blob_sizes(
        self, namespace_id: str, digests: Set[str], *, model_id: str | None
    ) -> Mapping[str, int]:
        """Sizes of those blobs that sealed versions in the namespace refer to.

        Nothing deleted counts. ``model_id`` looks at the versions of one model only; None at
        those of all.
        """
        ...

    async def referenced(self, digests: Set[str]) -> frozenset[str]:
        """Those of the digests that any version, draft or open upload refers to."""
        ...


class Uploads(UploadReads, Protocol):
    """Uploads within a transaction."""

    async def lock(
        self, namespace_id: str, model_id: str, draft_id: str, upload_id: str
    ) -> Upload: ...
    async def find(
        self, namespace_id: str, model_id: str, draft_id: str, upload_id: str
    ) -> Upload | None: ...
    async def add(self, upload: Upload) -> None: ...
    async def save(self, upload: Upload) -> None: ...

    async def abort_others(self, upload: Upload) -> None:
        """Abort the other open uploads of the same path in the draft: the newest wins."""
        ...

    async def expire(
        self, namespace_id: str, model_id: str, draft_id: str, *, now: datetime
    ) -> int:
        """Abort the open uploads of the draft whose time is over; tells how many."""
        ...
