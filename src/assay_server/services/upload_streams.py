"""The streams that fill uploads at this moment, in this process.

What must hold across processes is in the store (the epoch) and in the blob store (one writer per
upload); here the streams of one process step aside for each other at once.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from assay_server.domain.errors import (
    RegistryError,
    StreamStalled,
    TooManyUploads,
    UploadFenced,
    UploadOffsetWrong,
)
from assay_server.domain.uploading import (
    TransferLimits,
    is_too_slow,
    require_next,
    staging_id,
    upload_name_of,
)
from assay_server.domain.uploads import Upload
from assay_server.ports.blobs import BlobStore, Staged
from assay_server.ports.metadata import MetadataStore

RETRY_AFTER_S = 5.0
"""When too many streams are open: about as long as a small file takes."""

_log = logging.getLogger(__name__)


class UploadStream:
    """Bytes of one upload as they arrive, made durable in the background every so often."""

    def __init__(
        self, upload: Upload, staged: Staged, store: MetadataStore, limits: TransferLimits
    ) -> None:
        self._upload = upload
        self._name = upload_name_of(upload)
        self._staged = staged
        self._store = store
        self._limits = limits
        self._durable_bytes = staged.size_bytes
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._began_bytes = staged.size_bytes
        self._began_s = time.monotonic()

    async def append(self, offset: int, data: bytes) -> None:
        """Take the next bytes.

        Raises:
            UploadOffsetWrong: They are not the next.
            SizeMismatch: There are more than were announced.
            StorageFull: No space is left; what was durable stays.
            UploadFenced: The upload was begun again, committed or aborted elsewhere.
            StreamStalled: So little came for so long that the place is given to another.
        """
        self._require_sound()
        self._require_pace()
        require_next(
            self._upload,
            offset=offset,
            expected_offset=self._staged.size_bytes,
            length=len(data),
            limits=self._limits,
        )
        await self._staged.append(data)
        if self._staged.size_bytes - self._durable_bytes >= self._limits.durable_after_bytes:
            self._start_saving()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.durable_after_s, self._start_saving)

    async def finish(self) -> Upload:
        """Make all that was appended durable and tell how much that is."""
        await self._save_rest()
        self._require_sound()
        return replace(self._upload, durable_bytes=self._durable_bytes)

    async def close(self, *, is_fenced: bool) -> None:
        """Release the bytes; of a stream that broke off keep what arrived."""
        try:
            if not is_fenced:
                await self._save_rest()
        finally:
            self._cancel_timer()
            if self._saving is not None:
                await asyncio.wait((self._saving,))
            await self._staged.close()

    async def _save_rest(self) -> None:
        if self._saving is not None:
            await asyncio.wait((self._saving,))
        if self._failure is None and self._durable_bytes < self._staged.size_bytes:
            self._start_saving()
        if self._saving is not None:
            await asyncio.wait((self._saving,))

    def _start_saving(self) -> None:
        self._cancel_timer()
        if self._saving is None and self._failure is None:
            self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        try:
            durable_bytes = await self._staged.flush()
            await self._store.note_durable(
                self._name, epoch=self._upload.epoch, durable_bytes=durable_bytes
            )
            self._durable_bytes = durable_bytes
        except Exception as failure:  # noqa: BLE001 - raised by whoever uses the stream next
            self._failure = failure
        finally:
            self._saving = None

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _require_pace(self) -> None:
        received_bytes = self._staged.size_bytes - self._began_bytes
        open_s = time.monotonic() - self._began_s
        if is_too_slow(received_bytes=received_bytes, open_s=open_s, limits=self._limits):
            raise StreamStalled(open_s, bytes_per_s_min=self._limits.bytes_per_s_min)

    def _require_sound(self) -> None:
        if self._failure is not None:
            raise self._failure


class _Place:
    """The place of one stream among the others, from before it opens until it is closed."""

    def __init__(self, name: str, holder: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._name = name
        self.holder = holder
        self._task = task
        self._closed = asyncio.Event()
        self.is_fenced = False
        self.is_leaving = False

    async def vacate(self) -> None:
        """Make the stream stop, wherever it waits, and wait until it has let go of the bytes."""
        if not self.is_fenced and not self.is_leaving:
            self.is_fenced = True
            self._task.cancel()
        await self._closed.wait()

    def left(self) -> None:
        """Let those who wait for the place have it."""
        self._closed.set()

    def refusal(self) -> UploadFenced | None:
        """What a cancelled stream is to answer, if it was stopped from here."""
        if not self.is_fenced:
            return None
        self._task.uncancel()
        return UploadFenced(self._name)


class UploadStreams:
    """All of them; never more than ``limits.streams_max``, nor two of one upload."""

    def __init__(self, store: MetadataStore, blobs: BlobStore, limits: TransferLimits) -> None:
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._places: dict[str, _Place] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def opened(
        self, upload: Upload, read_again: Callable[[], Awaitable[Upload]], *, holder: str
    ) -> AsyncIterator[UploadStream]:
        """Open the stream of an upload in this task; one that is open already is stopped.

        ``read_again`` tells where the upload stands after that one has said its last word;
        ``holder`` is who fills it, and whose share its place is of.

        Raises:
            TooManyUploads: No more streams are taken now.
            UploadOffsetWrong: Bytes that were durable are gone; says where to go on.
            UploadFenced: Another stream took over.
        """
        name = upload_name_of(upload)
        previous = self._places.get(name)
        self._require_place(name, holder)
        place = self._places[name] = _Place(name, holder)
        stream: UploadStream | None = None
        try:
            if previous is not None:
                await previous.vacate()
                upload = await read_again()
            stream = await self._open(upload)
            yield stream
        except asyncio.CancelledError:
            if refusal := place.refusal():
                raise refusal from None
            raise
        finally:
            place.is_leaving = True
            await self._close(name, place, stream)

    async def end(self, name: str) -> None:
        """Stop the stream of an upload, if one is open."""
        if place := self._places.get(name):
            await place.vacate()

    def _require_place(self, name: str, holder: str) -> None:
        """One that is taken over is not counted: it becomes free."""
        streams_max, own_max = self._limits.streams_max, self._limits.streams_per_principal_max
        others = [place.holder for other, place in self._places.items() if other != name]
        if len(others) >= streams_max:
            raise TooManyUploads(streams_max, retry_after_s=RETRY_AFTER_S)
        if others.count(holder) >= own_max:
            raise TooManyUploads(own_max, retry_after_s=RETRY_AFTER_S, what="of your uploads")

    async def _open(self, upload: Upload) -> UploadStream:
        name = upload_name_of(upload)
        staged = await self._blobs.stage(staging_id(name), durable_bytes=upload.durable_bytes)
        stream = UploadStream(upload, staged, self._store, self._limits)
        if staged.size_bytes == upload.durable_bytes:
            return stream
        await staged.close()
        _log.error(
            "%s has %d bytes but should have %d", name, staged.size_bytes, upload.durable_bytes
        )
        await self._store.note_durable(name, epoch=upload.epoch, durable_bytes=staged.size_bytes)
        raise UploadOffsetWrong(
            name, sent_offset=upload.durable_bytes, expected_offset=staged.size_bytes
        )

    async def _close(self, name: str, place: _Place, stream: UploadStream | None) -> None:
        """Let go of the bytes to the end, even if the task is cancelled again meanwhile."""

        async def leave() -> None:
            try:
                if stream is not None:
                    await stream.close(is_fenced=place.is_fenced)
            except RegistryError as refusal:
                _log.warning("%s was closed with a failure: %s", name, refusal)
            finally:
                if self._places.get(name) is place:
                    del self._places[name]
                place.left()

        closing = asyncio.create_task(leave())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)
