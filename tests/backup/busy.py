"""A registry that somebody writes to: bytes, versions, aliases, reads, all the time."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from assay_server.app.backups import back_up, restore
from assay_server.app.clock import SystemClock
from assay_server.blobstore.disk import Disk
from assay_server.config import Config
from assay_server.config.settings import BlobsSection, StoreSection
from assay_server.domain.backups import Backup
from assay_server.domain.bumps import Asked
from assay_server.domain.calls import Page
from assay_server.domain.models import ModelChange
from assay_server.domain.uploading import TransferLimits
from assay_server.services.collecting import GRACE, CollectingService
from assay_server.services.namespaces import NamespaceChange, NamespaceService
from assay_server.sqlstore.opening import Store, open_store
from tests.services.registry import ANN, DIGITS, MAX, CountingIds, Registry, again

PAUSE_S = 0.02
"""Between two things that one of them does: the registry must not outgrow a test."""

EVERYTHING = Page(100_000)


def config_of(url: str, blobs: Path) -> Config:
    return Config(
        store=StoreSection(url=url, audit_reserve_bytes=0), blobs=BlobsSection(directory=blobs)
    )


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


@dataclass
class Place:
    """Where a registry is kept."""

    url: str
    blobs: Path

    @property
    def config(self) -> Config:
        return config_of(self.url, self.blobs)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Working"]:
        store = await open_store(self.url, SystemClock())
        blobs = Disk(self.blobs)
        try:
            yield Working(store, blobs, Registry(store.metadata), self.blobs)
        finally:
            await blobs.close()
            await store.close()

    async def backed_up(self, directory: Path, *, may_link: bool = True) -> Backup:
        """Back up in a thread of its own, so that others go on meanwhile."""

        def work() -> Backup:
            return asyncio.run(back_up(self.config, directory, quiet, may_link=may_link))

        return await asyncio.to_thread(work)

    async def restored(self, source: Path) -> Backup:
        """Restore a backup to here."""
        return await restore(self.config, source, quiet, may_link=True)


@dataclass
class Working:
    """An open registry, and what is done with it."""

    store: Store
    blobs: Disk
    registry: Registry
    root: Path
    published: list[int] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def found(self) -> None:
        """Make the namespace and the model, through the services."""
        namespaces = NamespaceService(self.store.metadata, SystemClock(), CountingIds())
        await namespaces.create(again(MAX), "vision", NamespaceChange(display_name="Vision"))
        await self.registry.models.create(
            again(MAX), DIGITS, ModelChange(task="image-classification")
        )

    async def keep(self, content: str) -> str:
        """Store bytes as a blob."""
        upload_id = str(uuid.uuid4())
        sha256 = hashlib.sha256(content.encode()).hexdigest()
        staged = await self.blobs.stage(upload_id, durable_bytes=0)
        await staged.append(content.encode())
        await staged.flush()
        await staged.close()
        await self.blobs.commit(upload_id, sha256=sha256, size_bytes=len(content))
        return sha256

    async def publish(self, content: str, alias_id: str = "champion") -> int:
        """A READY version to which the alias is moved, and a read that is audited."""
        await self.keep(content)
        draft = await self.registry.draft(content)
        sealed = await self.registry.seal(draft, publish=Asked())
        number = sealed.version.number
        aliases = await self.registry.aliases.list(DIGITS, EVERYTHING)
        at = {one.alias.alias_id: one.alias.number for one in aliases.answer.items}
        await self.registry.point(alias_id, number, expected=at.get(alias_id))
        await self.store.audit_sink.record(replace(again(ANN).entry(), time=SystemClock().now()))
        async with self.news:
            self.published.append(number)
            self.news.notify_all()
        return number

    async def wait_for(self, count: int) -> None:
        """Wait until so many versions were published."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.published) >= count)

    async def publish_until(self, stop: asyncio.Event, alias_id: str = "champion") -> None:
        while not stop.is_set():
            await self.publish(f"weights {len(self.published)} {uuid.uuid4()}", alias_id)
            await asyncio.sleep(PAUSE_S)

    async def drop(self, content: str) -> None:
        """A file of a draft that another one replaces: its bytes may be collected at once."""
        sha256 = await self.keep(content)
        draft = await self.registry.draft(content)
        blob = self.root / "blobs/sha256" / sha256[:2] / sha256[2:4] / sha256
        long_ago = (SystemClock().now() - 2 * GRACE).timestamp()
        os.utime(blob, (long_ago, long_ago))
        await asyncio.sleep(PAUSE_S)
        await self.keep("another")
        async with self.store.metadata.read() as reader:
            held = await reader.drafts.get(*draft)
        await self.registry.put_file(held, "another")

    async def drop_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.drop(f"dropped {uuid.uuid4()}")
            await asyncio.sleep(PAUSE_S)

    async def collect_until(self, stop: asyncio.Event) -> int:
        gone = 0
        while not stop.is_set():
            gone += await self.collect()
            await asyncio.sleep(PAUSE_S)
        return gone

    async def collect(self) -> int:
        """Collect garbage once, as servers do by the hour; gives how many blobs went."""
        limits = TransferLimits(file_bytes_max=1, idle_s=1, ttl=timedelta(days=7), streams_max=1)
        store = self.store.metadata
        return (await CollectingService(store, self.blobs, SystemClock(), limits).collect()).blobs
