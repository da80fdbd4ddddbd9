"""Collection: bytes without a name go, after long enough that nobody can still mean them."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from assay_server.domain.uploading import TransferLimits
from assay_server.ports.blobs import BlobKeeping
from assay_server.ports.clock import Clock
from assay_server.ports.metadata import MetadataStore

GRACE = timedelta(hours=48)
"""A blob is made before it is named; a commit that was interrupted in between is repeated within
a day. Twice that."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """What one collection removed."""

    blobs: int
    staged_files: int


class CollectingService:
    """Removes blobs that nothing refers to, and what abandoned uploads left behind."""

    def __init__(
        self, store: MetadataStore, blobs: BlobKeeping, clock: Clock, limits: TransferLimits
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._limits = limits

    async def collect(self) -> Collected:
        """Do it once. Interrupted anywhere it leaves garbage at most.

        Whether a blob is young is looked at twice: before asking who refers to it, and again
        when it has been moved aside. Every commit makes it young, so that what is committed in
        between stays.
        """
        now = self._clock.now()
        staged_files = await self._blobs.sweep(older_than=now - self._limits.ttl - GRACE)
        removed = 0
        async for digests in self._blobs.older_than(now - GRACE):
            async with self._store.read() as reader:
                wanted = await reader.uploads.referenced(digests) if digests else frozenset()
            for sha256 in digests - wanted:
                removed += await self._blobs.remove(sha256, if_older_than=now - GRACE)
        if removed or staged_files:
            _log.info("collected %d blobs and %d staged files", removed, staged_files)
        return Collected(removed, staged_files)
