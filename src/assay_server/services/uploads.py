"""Uploads: bytes first, name last. A crash leaves bytes without a name, never the reverse."""

import logging
from collections.abc import AsyncIterator, Mapping, Set
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from assay_server.access.permissions import Permission
from assay_server.domain.calls import Call, Change, Committed, Stamped
from assay_server.domain.errors import DigestMismatch, RegistryError, SizeMismatch, UploadFenced
from assay_server.domain.events import EventType
from assay_server.domain.manifest import File
from assay_server.domain.models import Model, require_live
from assay_server.domain.names import ModelName, UploadName, upload_name
from assay_server.domain.transitions import DRAFT_TTL
from assay_server.domain.transitions import require_open as require_open_draft
from assay_server.domain.uploading import (
    SIZE_UNKNOWN,
    Announced,
    TransferLimits,
    aborted,
    begun,
    begun_again,
    completed,
    file_of,
    require_announced,
    require_committable,
    require_epoch,
    require_room,
    require_upload_id,
    staging_id,
    upload_name_of,
)
from assay_server.domain.uploads import Rivals, Upload, UploadState
from assay_server.domain.versions import Draft
from assay_server.ports.blobs import BlobStore
from assay_server.ports.clock import Clock
from assay_server.ports.metadata import MetadataStore, Reader, Transaction
from assay_server.services.drafts import draft_happened, require_visible
from assay_server.services.upload_streams import UploadStream, UploadStreams

T = TypeVar("T")

_log = logging.getLogger(__name__)


class UploadService:
    """The requests that bring files into drafts."""

    def __init__(
        self,
        store: MetadataStore,
        blobs: BlobStore,
        clock: Clock,
        limits: TransferLimits,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock
        self._limits = limits
        self._streams = UploadStreams(store, blobs, limits)

    @property
    def limits(self) -> TransferLimits:
        """What is taken."""
        return self._limits

    async def begin(self, call: Call, name: UploadName, file: Announced) -> Committed[Upload]:
        """Announce a file, or go on with an upload; earlier streams of it are fenced.

        The answer is COMPLETE, without a byte sent, where the draft has the content already or
        the caller may read it in the namespace: knowing a digest is not enough.

        Raises:
            NotFound: There is no such draft, or it is of somebody else.
            DraftNotOpen: It was sealed or abandoned.
            UploadNotOpen: The upload was aborted.
            InvalidName, InvalidPath, InvalidField, DuplicatePath: What is announced is wrong.
        """
        require_upload_id(name, field="upload.name")
        require_announced(file, self._limits)

        async def decide(tx: Transaction) -> Change[Upload]:
            model, locked = await tx.together(
                tx.models.hold(name.namespace_id, name.model_id),
                tx.drafts.lock_outline(*name[:3]),
            )
            draft = require_visible(call, locked)
            found, rivals, held_bytes = await tx.together(
                tx.uploads.find(*name),
                tx.uploads.rivals(*name[:3], file.path),
                _held_bytes(tx, call, draft, file),
            )
            _require_takes_files(model, draft)
            upload = self._begun(call, name, file, found=found, rivals=rivals)
            if upload.state is UploadState.COMPLETE:
                return Change(upload)
            if held_bytes is not None and upload.size_bytes in {SIZE_UNKNOWN, held_bytes}:
                upload = completed(upload, sha256=upload.sha256, size_bytes=held_bytes)
            await (tx.uploads.save(upload) if found else tx.uploads.add(upload))
            await tx.uploads.abort_others(upload)
            if upload.state is not UploadState.COMPLETE:
                return Change(upload)
            return await self._attached(tx, draft, upload, answer=upload)

        made = await self._store.change(call, Upload, decide)
        await self._streams.end(upload_name(*name))
        if made.answer.state is UploadState.COMPLETE:
            await self._tidy(name)
        return made

    @asynccontextmanager
    async def writing(
        self, call: Call, name: UploadName, *, epoch: int
    ) -> AsyncIterator[UploadStream]:
        """Open the stream that fills an upload from where it stands.

        Raises:
            NotFound: There is no such upload, or it is of somebody else.
            UploadNotOpen: It takes no bytes any more.
            UploadFenced: It was begun again since ``epoch``.
            TooManyUploads: The server fills as many as it can.
            StorageFull: No more bytes are taken now.
        """
        require_upload_id(name, field="upload")

        async def writable() -> Upload:
            async with self._store.read() as reader:
                require_open_draft(await _visible_draft(reader, call, name))
                return require_epoch(await reader.uploads.get(*name), epoch)

        upload = await writable()
        self._store.require_space()
        opened = self._streams.opened(upload, writable, holder=call.principal)
        async with opened as stream:
            yield stream

    async def get(self, call: Call, name: UploadName) -> Stamped[Upload]:
        """Tell where an upload stands."""
        async with self._store.read() as reader:
            await _visible_draft(reader, call, name)
            return Stamped(await reader.uploads.get(*name), reader.revision)

    async def commit(
        self, call: Call, name: UploadName, *, sha256: str, size_bytes: int
    ) -> Committed[File]:
        """Put the file into the draft.

        Raises:
            SizeMismatch: Another number of bytes arrived; the upload stays open.
            DigestMismatch: Other bytes arrived; the upload stays open.
            UploadNotOpen: It was aborted, or is complete with another file.
            DraftNotOpen: The draft was sealed or abandoned meanwhile.
        """
        async with self._store.read() as reader:
            await _visible_draft(reader, call, name)
            upload = require_committable(
                await reader.uploads.get(*name), sha256=sha256, size_bytes=size_bytes
            )
        fenced: UploadFenced | None = None
        if upload.state is UploadState.OPEN:
            await self._streams.end(upload_name(*name))
            try:
                await self._make_blob(upload, sha256, size_bytes)
            except UploadFenced as refusal:
                fenced = refusal  # perhaps by this very call, asked before: its bytes are gone

        async def attach(tx: Transaction) -> Change[File]:
            # The draft before the upload, as in ``begin``: else the two may wait for each other.
            model, draft, locked = await tx.together(
                tx.models.hold(name.namespace_id, name.model_id),
                tx.drafts.lock_outline(*name[:3]),
                tx.uploads.lock(*name),
            )
            require_visible(call, draft)
            current = require_committable(locked, sha256=sha256, size_bytes=size_bytes)
            if current.state is UploadState.COMPLETE:
                return Change(file_of(current))
            if fenced is not None:
                raise fenced
            _require_takes_files(model, draft)
            done = completed(current, sha256=sha256, size_bytes=size_bytes)
            await tx.uploads.save(done)
            return await self._attached(tx, draft, done, answer=file_of(done))

        made = await self._store.change(call, File, attach)
        await self._tidy(name)
        return made

    async def abort(self, call: Call, name: UploadName) -> Committed[bool]:
        """Give an upload up; says whether there was anything to give up.

        Raises:
            NotFound: There is no such draft, or it is of somebody else.
        """
        require_upload_id(name, field="name")

        async def give_up(tx: Transaction) -> Change[bool]:
            require_visible(call, await tx.drafts.lock_outline(*name[:3]))
            upload = await tx.uploads.find(*name)
            if upload is None or upload.state is not UploadState.OPEN:
                return Change(answer=False)
            await tx.uploads.save(aborted(upload))
            return Change(answer=True)

        made = await self._store.change(call, bool, give_up)
        if made.answer:
            await self._streams.end(upload_name(*name))
            await self._tidy(name)
        return made

    def _begun(
        self,
        call: Call,
        name: UploadName,
        file: Announced,
        *,
        found: Upload | None,
        rivals: Rivals,
    ) -> Upload:
        now = self._clock.now()
        if found is not None:
            return begun_again(found, file, now=now, limits=self._limits)
        require_room(file.path, rivals, self._limits)
        return begun(name, file, by=call.principal, now=now, limits=self._limits)

    async def _attached(
        self, tx: Transaction, draft: Draft, upload: Upload, answer: T
    ) -> Change[T]:
        """Put the file of a complete upload into its draft."""
        now = self._clock.now()
        changed = replace(draft, update_time=now, expire_time=now + DRAFT_TTL)
        await tx.drafts.save(changed)
        await tx.drafts.put_file(changed, file_of(upload))
        return Change(answer, (draft_happened(EventType.UPDATED, changed),))

    async def _make_blob(self, upload: Upload, sha256: str, size_bytes: int) -> None:
        """Make the staged bytes a blob; refusals speak of the upload as the caller knows it."""
        try:
            await self._commit_blob(upload, sha256, size_bytes)
        except DigestMismatch as refused:
            raise DigestMismatch(
                upload.path,
                declared_digest=refused.metadata["expected"],
                actual_digest=refused.metadata["actual"],
            ) from None

    async def _commit_blob(self, upload: Upload, sha256: str, size_bytes: int) -> None:
        """Commit what is durable.

        A stream that broke off may have left bytes behind that: nobody was told of them, so they
        are cut off. That less is there than was durable only happens when the disk was changed
        behind our back; the client is told to send it again.
        """
        staged_id = staging_id(upload_name_of(upload))
        try:
            await self._blobs.commit(staged_id, sha256=sha256, size_bytes=size_bytes)
        except SizeMismatch:
            staged = await self._blobs.stage(staged_id, durable_bytes=size_bytes)
            await staged.close()
            if staged.size_bytes < size_bytes:
                name = upload_name_of(upload)
                received_bytes = staged.size_bytes
                await self._store.note_durable(
                    name, epoch=upload.epoch, durable_bytes=received_bytes
                )
                raise SizeMismatch(
                    name, declared_bytes=size_bytes, received_bytes=received_bytes
                ) from None
            await self._blobs.commit(staged_id, sha256=sha256, size_bytes=size_bytes)

    async def _tidy(self, name: UploadName) -> None:
        """Remove what an upload that is over left behind; if that fails it is swept later."""
        try:
            await self._blobs.discard(staging_id(upload_name(*name)))
        except RegistryError as refusal:
            _log.warning("%s left something behind: %s", upload_name(*name), refusal)


async def _visible_draft(reader: Reader, call: Call, name: UploadName) -> Draft:
    return require_visible(call, await reader.drafts.outline(*name[:3]))


def _require_takes_files(model: Model, draft: Draft) -> None:
    require_live(model)
    require_open_draft(draft)


async def _held_bytes(tx: Transaction, call: Call, draft: Draft, file: Announced) -> int | None:
    """Size of the announced content where the caller has it, or may download it, already."""
    if not file.sha256:
        return None
    name = (draft.namespace_id, draft.model_id, draft.draft_id)
    in_draft, sealed = await tx.together(
        tx.drafts.find_held(*name, file.sha256),
        sealed_sizes(tx, call, ModelName(*name[:2]), {file.sha256}),
    )
    return sealed.get(file.sha256) if in_draft is None else in_draft


async def sealed_sizes(
    tx: Transaction, call: Call, name: ModelName, digests: Set[str]
) -> Mapping[str, int]:
    """Sizes of those contents that sealed versions have which the caller may download.

    That is in the whole namespace only for who may read all of it; knowing a digest is not enough.
    """
    if Permission.ARTIFACTS_READ not in call.permissions:
        return {}
    namespaces = call.readable_namespaces
    is_wide = namespaces is None or name.namespace_id in namespaces
    return await tx.uploads.blob_sizes(
        name.namespace_id, digests, model_id=None if is_wide else name.model_id
    )
