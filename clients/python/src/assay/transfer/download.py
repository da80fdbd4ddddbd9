"""Receiving a version: whole, verified, and under its final name only then."""

import hashlib
import os
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from assay.calls import Calls
from assay.errors import (
    ChecksumMismatch,
    ContentMismatch,
    DeadlinePassed,
    DownloadInterrupted,
    TooManyCalls,
    TooManyUploads,
    Unavailable,
)
from assay.manifest import colliding, manifest_digest, path_problem
from assay.retries import Patience
from assay.transfer.destination import Destination, nursery, sync_tree
from assay.transfer.local_files import NO_FOLLOW
from assay.transfer.parallel import each
from assay.transfer.progress import OnProgress, Progress, Step
from assay.transfer.threads import in_thread
from assay.v1.artifact_service_pb2 import ReadArtifactRequest, ReadArtifactResponse
from assay.v1.file_pb2 import File
from assay.v1.version_pb2 import ModelVersion

_WORTH_RESUMING = (Unavailable, DeadlinePassed, ChecksumMismatch, TooManyCalls, TooManyUploads)


@dataclass(slots=True)
class Incoming:
    """A file being received: what is written, and the digest of that."""

    file: File
    handle: int
    digest: "hashlib._Hash"
    offset: int = 0

    def take(self, message: ReadArtifactResponse) -> None:
        """Write one message behind the last."""
        payload = message.data
        if message.offset != self.offset or google_crc32c.value(payload) != message.crc32c:
            raise ChecksumMismatch(f"A message of {self.file.path} arrived damaged.")
        rest = memoryview(payload)
        while rest:
            rest = rest[os.write(self.handle, rest) :]
        self.digest.update(payload)
        self.offset += len(payload)

    def finish(self, version: str) -> None:
        """Check the whole and make it durable.

        Raises:
            ContentMismatch: It is not what the manifest says.
        """
        actual = f"sha256:{self.digest.hexdigest()}"
        if actual != self.file.digest or self.offset != self.file.size_bytes:
            raise ContentMismatch(
                f"{self.file.path} of {version} arrived with {self.offset} bytes and the digest "
                f"{actual}, but should have {self.file.size_bytes} and {self.file.digest}. "
                "Nothing was kept."
            )
        os.fsync(self.handle)


class Downloads:
    """Receives the files of one version."""

    def __init__(
        self, calls: Calls, version: ModelVersion, *, patience_s: float, on_progress: OnProgress
    ) -> None:
        self._calls = calls
        self._version = version
        self._patience_s = patience_s
        self._on_progress = on_progress

    async def receive(self, target: Path) -> bool:
        """Bring the files to the directory ``target``; False if they were all there already.

        Raises:
            TargetExists: Something else is there.
            ContentMismatch: What the server sent is not what the version's digests promise.
            LocalDiskFull: No space was left.
            DownloadInterrupted: Nothing moved for longer than the client's patience.
        """
        self._check_manifest()
        for file in self._version.files:
            self._report(file, 0, Step.RECEIVING)
        destination = Destination(target, self._version.name, self._version.files)
        if await destination.holds_everything():
            return False
        with nursery(target) as content:
            await each(lambda file: self._receive_file(file, content), self._version.files)
            await in_thread(sync_tree, content)
            return await destination.put(content)

    def _check_manifest(self) -> None:
        """The server is not trusted with paths or digests: both are checked before any byte."""
        version, files = self._version.name, self._version.files
        for file in files:
            if problem := path_problem(file.path):
                raise ContentMismatch(f"{version} lists the path {file.path!r}: {problem}.")
        if collision := colliding(file.path for file in files):
            raise ContentMismatch(f"{version} lists paths that collide: {', '.join(collision)}.")
        actual = manifest_digest(files)
        if actual != self._version.manifest_digest:
            raise ContentMismatch(
                f"The list of files of {version} has the digest {actual}, but the server claims "
                f"{self._version.manifest_digest}. Do not use this version."
            )

    async def _receive_file(self, file: File, content: Path) -> None:
        handle = await in_thread(_create, content / file.path)
        try:
            incoming = Incoming(file, handle, hashlib.sha256())
            await self._fill(incoming)
            await in_thread(incoming.finish, self._version.name)
        finally:
            os.close(handle)
        self._report(file, file.size_bytes, Step.DONE)

    async def _fill(self, incoming: Incoming) -> None:
        """Receive until the end, going on after breaks from what is written."""
        patience = Patience(self._patience_s)
        while incoming.offset < incoming.file.size_bytes:
            start = incoming.offset
            try:
                await self._stream(incoming)
                if incoming.offset == start:
                    return  # the server holds less than it listed: the digest tells
            except _WORTH_RESUMING as failure:
                if incoming.offset > start:
                    patience.renew()
                if not await patience.pause(failure):
                    raise DownloadInterrupted(
                        f"{incoming.file.path} stopped at {incoming.offset} of "
                        f"{incoming.file.size_bytes} bytes and nothing moved for "
                        f"{self._patience_s:g} s: {failure} Nothing was kept; pull again."
                    ) from failure

    async def _stream(self, incoming: Incoming) -> None:
        request = ReadArtifactRequest(
            name=self._version.name,
            path=incoming.file.path,
            offset=incoming.offset,
            if_digest=incoming.file.digest,
        )
        call = self._calls.stubs.artifacts.ReadArtifact(request)
        async with aclosing(self._calls.messages(call, silence_s=self._patience_s)) as messages:
            async for message in messages:
                if not message.data:
                    continue
                if incoming.offset + len(message.data) > incoming.file.size_bytes:
                    raise ContentMismatch(
                        f"The server sent more of {incoming.file.path} than its "
                        f"{incoming.file.size_bytes} bytes. Nothing was kept."
                    )
                await in_thread(incoming.take, message)
                self._report(incoming.file, incoming.offset, Step.RECEIVING)

    def _report(self, file: File, done_bytes: int, step: Step) -> None:
        self._on_progress(Progress(file.path, done_bytes, file.size_bytes, step))


def _create(path: Path) -> int:
    """A descriptor of a file that was not there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, 0o666)
