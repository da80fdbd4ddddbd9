"""Opens what keeps things, and closes it in the opposite order."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import CollectorRegistry, Gauge

from assay_server.app.rooms import CLOCK, Stores
from assay_server.blobstore.disk import Disk
from assay_server.blobstore.metered import Metered
from assay_server.config import Config
from assay_server.sqlstore.opening import open_store
from assay_server.sqlstore.places import StoreNotOpened
from assay_server.sqlstore.reserve import Reserve
from assay_server.sqlstore.schema import migrate

StoreProblem = StoreNotOpened
"""A store cannot be opened; the text says which and what to do."""


@asynccontextmanager
async def open_stores(config: Config, metrics: CollectorRegistry) -> AsyncIterator[Stores]:
    """Open facts, trail and bytes.

    Raises:
        StoreNotOpened: One does not answer, is in use, or has another schema.
    """
    store = await open_store(
        config.store.url,
        CLOCK,
        bring_up_to_date=config.store.migrate_at_start,
        events_kept=timedelta(seconds=config.store.events_kept_s),
        audit_kept=timedelta(seconds=config.store.audit_kept_s),
        audit_reserve_bytes=config.store.audit_reserve_bytes,
    )
    if store.audit_reserve is not None:
        _show(store.audit_reserve, metrics)
    try:
        blobs = Disk(config.blobs.directory)
        try:
            yield Stores(
                facts=store.metadata,
                sink=store.audit_sink,
                trail=store.audit_reads,
                blobs=Metered(blobs, metrics),
                blob_keeping=blobs,
                ping=store.ping,
                keep=store.keep,
            )
        finally:
            await blobs.close()
    finally:
        await store.close()


async def migrate_store(config: Config) -> None:
    """Bring the schema to this version.

    Raises:
        StoreNotOpened: The store does not answer or is in use.
    """
    await migrate(config.store.url)


def _show(reserve: Reserve, metrics: CollectorRegistry) -> None:
    """Tell the monitors how much longer the trail can be written when the disk is full."""
    left = Gauge(
        "assay_audit_reserve_bytes",
        "What is left of the space that is kept for the audit trail.",
        registry=metrics,
    )
    left.set_function(lambda: reserve.left_bytes)
    is_whole = Gauge(
        "assay_audit_reserve_is_whole",
        "0 while the disk is full: changes are refused, and the reserve is used.",
        registry=metrics,
    )
    is_whole.set_function(lambda: reserve.is_whole)
