"""The files of uploads, from the first byte to the blob. All of this blocks."""

import os
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from assay_server.blobstore.incoming import IncomingFile
from assay_server.blobstore.layout import Layout
from assay_server.blobstore.leaves import ContentDigests, Digests, digests_of
from assay_server.blobstore.operations import FileOperations
from assay_server.blobstore.publishing import Publishing
from assay_server.blobstore.writer_lock import WriterLock
from assay_server.domain.errors import DigestMismatch, SizeMismatch

KEPT_DIGESTS_MAX = 256
"""Uploads whose hashing can go on where it stood; 32 bytes per MiB each. Others hash again."""


@dataclass(frozen=True, slots=True)
class HeldFile:
    """An open staged file and the right to write it."""

    upload_id: str
    lock: WriterLock
    incoming: IncomingFile


class StagedFiles:
    """Opens, commits and discards staged files; each method is given the upload's lock."""

    def __init__(
        self,
        layout: Layout,
        files: FileOperations,
        publishing: Publishing,
        *,
        writers: Executor,
        direct_io: bool,
    ) -> None:
        self._layout = layout
        self._files = files
        self._publishing = publishing
        self._writers = writers
        self._direct_io = direct_io
        self._kept: OrderedDict[str, tuple[bytes, Digests]] = OrderedDict()

    def open(self, upload_id: str, lock: WriterLock, durable_bytes: int) -> HeldFile:
        """Open the file of an upload, cut back to what is durable; shorter if that was lost."""
        try:
            path = self._layout.staged(upload_id)
            size_bytes = self._cut_back(path, durable_bytes)
            incoming = IncomingFile(
                path,
                files=self._files,
                writers=self._writers,
                direct_io=self._direct_io,
                size_bytes=size_bytes,
            )
            incoming.go_on_from(self._digests(upload_id, lock, size_bytes))
        except BaseException:
            lock.release()
            raise
        return HeldFile(upload_id, lock, incoming)

    def release(self, held: HeldFile, *, is_sound: bool) -> None:
        """Close the file, and remember what was hashed for whoever goes on."""
        with held.lock:
            held.incoming.close(is_sound=is_sound)
            if is_sound:
                self._keep(held.upload_id, held.lock, held.incoming.digests)

    def commit(self, upload_id: str, lock: WriterLock, sha256: str, size_bytes: int) -> None:
        """Verify the staged bytes and make them a blob; see the port."""
        with lock:
            staged = self._layout.staged(upload_id)
            if not staged.exists() and self._was_committed(upload_id, sha256, size_bytes):
                return
            descriptor = self._files.open(staged, os.O_RDWR | os.O_CREAT)
            try:
                content = self._content(upload_id, lock, descriptor)
                _require_same(upload_id, content, sha256, size_bytes)
                self._publishing.publish(upload_id, descriptor, content)
                self._kept.pop(upload_id, None)
            finally:
                os.close(descriptor)

    def discard(self, upload_id: str, lock: WriterLock) -> None:
        """Remove all that an upload left in the staging directory."""
        with lock:
            self._kept.pop(upload_id, None)
            staged = self._layout.staged(upload_id)
            for path in staged.parent.glob(f"{staged.name}*"):
                if path.suffix != ".lock":
                    self._files.remove(path)
            lock.remove_file()

    def _cut_back(self, path: Path, durable_bytes: int) -> int:
        is_new = not path.exists()
        descriptor = self._files.open(path, os.O_RDWR | os.O_CREAT)
        try:
            size_bytes = os.fstat(descriptor).st_size
            if size_bytes > durable_bytes:
                self._files.truncate(descriptor, durable_bytes)
        finally:
            os.close(descriptor)
        if is_new:
            self._files.sync_directory(path.parent)
        return min(size_bytes, durable_bytes)

    def _content(self, upload_id: str, lock: WriterLock, descriptor: int) -> ContentDigests:
        size_bytes = os.fstat(descriptor).st_size
        digests = self._digests(upload_id, lock, size_bytes)
        content = digests_of(descriptor, digests)
        self._keep(upload_id, lock, digests)
        return content

    def _digests(self, upload_id: str, lock: WriterLock, size_bytes: int) -> Digests:
        """What this process had hashed, if nobody wrote since and nothing of it was cut off."""
        token, digests = self._kept.pop(upload_id, (b"", Digests()))
        is_current = token == lock.previous_token and digests.position <= size_bytes
        return digests if is_current else Digests()

    def _keep(self, upload_id: str, lock: WriterLock, digests: Digests) -> None:
        self._kept[upload_id] = lock.token, digests
        while len(self._kept) > KEPT_DIGESTS_MAX:
            self._kept.popitem(last=False)

    def _was_committed(self, upload_id: str, sha256: str, size_bytes: int) -> bool:
        """Whether this very upload brought the blob: knowing a digest is not having the bytes.

        That makes the blob young again, as every commit does: nobody names it yet.
        """
        if not self._layout.verified(upload_id, sha256).exists():
            return False
        blob = self._layout.blob(sha256)
        try:
            descriptor = self._files.open(blob, os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            if os.fstat(descriptor).st_size != size_bytes:
                return False
            self._files.touch(descriptor)
        finally:
            os.close(descriptor)
        return blob.exists()  # a collection may have moved it aside before it was young


def _require_same(upload_id: str, content: ContentDigests, sha256: str, size_bytes: int) -> None:
    if content.size_bytes != size_bytes:
        raise SizeMismatch(upload_id, declared_bytes=size_bytes, received_bytes=content.size_bytes)
    if content.sha256 != sha256:
        declared, actual = f"sha256:{sha256}", f"sha256:{content.sha256}"
        raise DigestMismatch(upload_id, declared_digest=declared, actual_digest=actual)
