"""Parts of files, read into memory."""

from contextlib import aclosing

import google_crc32c

from assay import names
from assay.errors import ChecksumMismatch, ContentMismatch
from assay.v1.artifact_service_pb2 import ReadArtifactRequest
from assay.verbs.session import Session

_SILENCE_S = 60.0


class RangeVerbs(Session):
    """Read a part of a file, and only that."""

    async def read_range(
        self, reference: str | names.Named, path: str, *, offset: int = 0, length: int = 0
    ) -> bytes:
        """Read ``length`` bytes of a file from ``offset`` on, or all to the end when it is 0.

        The server verifies each range before it sends it, and every message has a checksum.

        Raises:
            RangePastEnd: The file ends before the range does.
            ChecksumMismatch: A message arrived damaged: ask again.
        """
        request = ReadArtifactRequest(
            name=await self._version_name(reference), path=path, offset=offset, length=length
        )
        content = bytearray()
        call = self.stubs.artifacts.ReadArtifact(request)
        async with aclosing(self._calls.messages(call, silence_s=_SILENCE_S)) as messages:
            async for message in messages:
                is_next = message.offset == offset + len(content)
                if message.data and not (
                    is_next and google_crc32c.value(message.data) == message.crc32c
                ):
                    raise ChecksumMismatch(f"A message of {path} arrived damaged.")
                content += message.data
        if length and len(content) != length:
            raise ContentMismatch(
                f"The server sent {len(content)} of the {length} bytes asked of {path}."
            )
        return bytes(content)
