"""Receiving a version: whole, verified, and under its final name only then."""

import asyncio
from contextlib import aclosing
from functools import partial
from pathlib import Path

from assay import retries
from assay.calls import Calls
from assay.errors import (
    AssayError,
    ChecksumMismatch,
    ContentMismatch,
    DeadlinePassed,
    DownloadInterrupted,
    RangePastEnd,
    TooManyCalls,
    TooManyUploads,
    Unavailable,
)
from assay.manifest import colliding, manifest_digest, path_problem
from assay.retries import Patience
from assay.transfer.destination import Destination, sync_tree
from assay.transfer.nursery import Nursery, explained, nursery
from assay.transfer.parallel import Streams, each
from assay.transfer.part import Digest, Part
from assay.transfer.progress import OnProgress, Progress, Step
from assay.transfer.threads import in_thread
from assay.v1.artifact_service_pb2 import ReadArtifactRequest
from assay.v1.file_pb2 import File
from assay.v1.version_pb2 import ModelVersion

WORTH_RESUMING = (Unavailable, DeadlinePassed, ChecksumMismatch, TooManyCalls, TooManyUploads)


class Downloads:
    """Receives the files of one version."""

    def __init__(
        self, calls: Calls, version: ModelVersion, *, patience_s: float, on_progress: OnProgress
    ) -> None:
        self._calls = calls
        self._version = version
        self._patience_s = patience_s
        self._on_progress = on_progress
        # Sorted as in the manifest: their numbers are names in the nursery.
        self._files = sorted(version.files, key=lambda file: file.path.encode())
        self._streams = Streams()

    async def receive(self, target: Path) -> bool:
        """Bring the files to the directory ``target``; False if they were all there already.

        Raises:
            TargetExists: Something else is there.
            ContentMismatch: What the server sent is not what the version's digests promise.
            LocalDiskFull: No space was left.
            LocalFileFailure: Something else is wrong with the disk or its permissions.
            TargetBusy: Another pull of the same to the same place is under way.
            DownloadInterrupted: Nothing moved for longer than the client's patience.
        """
        self._check_manifest()
        for file in self._version.files:
            self._report(file, 0, Step.RECEIVING)
        with explained(target):
            return await self._gather(target)

    async def _gather(self, target: Path) -> bool:
        destination = Destination(target, self._version.name, self._files)
        if await destination.holds_everything():
            return False
        with nursery(target, self._version.manifest_digest) as place:
            if await destination.holds_everything():
                return False  # another pull put it there before this one got its lock
            await in_thread(place.require_space, self._files)
            await each(partial(self._receive_file, place), enumerate(self._files))
            await in_thread(sync_tree, place.files)
            return await destination.put(place.files)

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

    async def _receive_file(self, place: Nursery, numbered: tuple[int, File]) -> None:
        """Bring one file. What an earlier pull left of it is used once."""
        part = await in_thread(place.part, *numbered)
        try:
            was_there = part.received_bytes > 0
            actual = await self._fill(part)
            if actual != part.file.digest and was_there:
                await in_thread(part.forget)
                actual = await self._fill(part)
            if actual != part.file.digest:
                raise ContentMismatch(
                    f"{part.file.path} of {self._version.name} arrived with the digest {actual}, "
                    f"but should have {part.file.digest}. Nothing was kept."
                )
            await in_thread(part.sync)
        finally:
            part.close()
        self._report(part.file, part.file.size_bytes, Step.DONE)

    async def _fill(self, part: Part) -> str:
        """Fetch the pieces that are not there; says which digest the whole has then."""
        missing = part.missing()
        arrived = {piece: asyncio.Event() for piece in missing}

        async def fetch(piece: int) -> None:
            await self._fetch(part, piece)
            arrived[piece].set()

        follower = asyncio.create_task(_follow(part, arrived))
        try:
            await each(fetch, missing)
            return await follower
        finally:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)

    async def _fetch(self, part: Part, piece: int) -> None:
        """Bring one piece to its place, going on after breaks from what is written."""
        rest = _Rest(part.span(piece))
        patience = Patience(self._patience_s)
        async with self._streams.one() as carrier:
            while rest.offset < rest.end:
                start = rest.offset
                failure: AssayError | None = None
                try:
                    await self._stream(carrier, part, rest)
                except WORTH_RESUMING as error:
                    failure = error
                except RangePastEnd as error:
                    raise self._too_short(part.file) from error
                if failure is None and rest.offset == start:
                    raise self._too_short(part.file)
                if rest.offset > start:
                    patience.renew()
                if failure is not None and not await patience.pause(failure):
                    raise self._interrupted(part, failure) from failure
        await in_thread(part.mark_done, piece)

    async def _stream(self, carrier: int, part: Part, rest: "_Rest") -> None:
        """Receive one stream, as far as it comes."""
        file = part.file
        request = ReadArtifactRequest(
            name=self._version.name,
            path=file.path,
            offset=rest.offset,
            length=rest.end - rest.offset,
            if_digest=file.digest,
        )
        call = self._calls.connection.carrier(carrier).artifacts.ReadArtifact(request)
        async with aclosing(self._calls.messages(call, silence_s=retries.SILENCE_S)) as messages:
            async for message in messages:
                size_bytes = len(message.data)
                if not size_bytes:
                    continue
                if rest.offset + size_bytes > rest.end:
                    raise ContentMismatch(
                        f"The server sent more of {file.path} than was asked. Nothing was kept."
                    )
                await in_thread(part.write, message, rest.offset)
                rest.offset += size_bytes
                part.received_bytes += size_bytes
                self._report(file, part.received_bytes, Step.RECEIVING)

    def _interrupted(self, part: Part, failure: AssayError) -> DownloadInterrupted:
        return DownloadInterrupted(
            f"{part.file.path} stopped at {part.received_bytes} of {part.file.size_bytes} bytes "
            f"and nothing moved for {self._patience_s:g} s: {failure} Pull again to go on."
        )

    def _too_short(self, file: File) -> ContentMismatch:
        return ContentMismatch(
            f"The server holds less of {file.path} of {self._version.name} than its "
            f"{file.size_bytes} bytes. Nothing was kept."
        )

    def _report(self, file: File, done_bytes: int, step: Step) -> None:
        self._on_progress(Progress(file.path, done_bytes, file.size_bytes, step))


class _Rest:
    """What is still missing of a piece."""

    def __init__(self, span: range) -> None:
        self.offset = span.start
        self.end = span.stop


async def _follow(part: Part, arrived: dict[int, asyncio.Event]) -> str:
    """The digest of the whole, read piece by piece as they arrive: not once more at the end."""
    digest = Digest()
    for piece in part.all_pieces():
        if piece in arrived:
            await arrived[piece].wait()
        await in_thread(part.update, digest, piece)
    return str(digest)
