"""Parts of files, read into memory."""

from contextlib import aclosing

import google_crc32c

from assay import names, retries
from assay.errors import (
    AssayError,
    ChecksumMismatch,
    ContentMismatch,
    DownloadInterrupted,
    RangePastEnd,
)
from assay.retries import Patience
from assay.transfer.download import WORTH_RESUMING
from assay.v1.artifact_service_pb2 import ReadArtifactRequest
from assay.verbs.session import Session


class RangeVerbs(Session):
    """Read a part of a file, and only that."""

    async def read_range(
        self, reference: str | names.Named, path: str, *, offset: int = 0, length: int = 0
    ) -> bytes:
        """Read ``length`` bytes of a file from ``offset`` on, or all to the end when it is 0.

        The server verifies each range before it sends it, and every message has a checksum. After
        a break it goes on from what has arrived.

        Raises:
            RangePastEnd: The file ends before the range does.
            ContentMismatch: The server sent more or less than was asked.
            DownloadInterrupted: Nothing moved for longer than the client's patience.
        """
        request = ReadArtifactRequest(
            name=await self._version_name(reference), path=path, offset=offset, length=length
        )
        content = bytearray()
        patience = Patience(self._patience_s)
        while True:
            before = len(content)
            try:
                await self._receive(request, content)
                break
            except WORTH_RESUMING as failure:
                if length and len(content) == length:
                    break
                if len(content) > before:
                    patience.renew()
                if not await patience.pause(failure):
                    raise self._interrupted(path, len(content), failure) from failure
            except RangePastEnd:
                # Without a length the last byte may have come just before the break.
                if length or not before:
                    raise
                break
            request.offset = offset + len(content)
            request.length = length and length - len(content)
        if length and len(content) != length:
            raise ContentMismatch(
                f"The server sent {len(content)} of the {length} bytes asked of {path}."
            )
        return bytes(content)

    async def _receive(self, request: ReadArtifactRequest, content: bytearray) -> None:
        """Add to ``content`` what one stream brings."""
        start = len(content)
        call = self.stubs.artifacts.ReadArtifact(request)
        async with aclosing(self._calls.messages(call, silence_s=retries.SILENCE_S)) as messages:
            async for message in messages:
                if not message.data:
                    continue
                is_next = message.offset == request.offset + len(content) - start
                if not is_next or google_crc32c.value(message.data) != message.crc32c:
                    raise ChecksumMismatch(f"A message of {request.path} arrived damaged.")
                content += message.data
                if request.length and len(content) - start > request.length:
                    raise ContentMismatch(f"The server sent more of {request.path} than was asked.")

    def _interrupted(self, path: str, done_bytes: int, failure: AssayError) -> AssayError:
        return DownloadInterrupted(
            f"{path} stopped after {done_bytes} bytes and nothing moved for "
            f"{self._patience_s:g} s: {failure} Read it again."
        )
