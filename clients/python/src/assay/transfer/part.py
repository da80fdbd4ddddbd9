"""One file of a pull while it is not whole, and the journal that says which pieces are there."""

import os
from hashlib import sha256
from pathlib import Path

import google_crc32c

from assay.errors import ChecksumMismatch
from assay.transfer.local_files import NO_FOLLOW
from assay.v1.artifact_service_pb2 import ReadArtifactResponse
from assay.v1.file_pb2 import File

PIECE_BYTES = 64 * 1024 * 1024
"""A range of its own stream, and what a resumed pull may fetch again. Go shares the directory, and
has the same size."""

_BLOCK_BYTES = 1024 * 1024
_DONE = 1


class Part:
    """A file and its journal, which has a byte for each piece that was written.

    The journal is not synced: if the machine falls, the digest tells that the file is not what the
    journal says, and the file is fetched anew.
    """

    def __init__(self, path: Path, journal: Path, file: File) -> None:
        self.file = file
        self.received_bytes = 0
        self._piece_bytes = PIECE_BYTES
        self._pieces = -(-file.size_bytes // self._piece_bytes)
        path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | NO_FOLLOW
        self._journal = os.open(journal, flags, 0o600)
        try:
            self._handle = os.open(path, flags, 0o666)
        except OSError:
            os.close(self._journal)
            raise
        try:
            self._find_what_is_there()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close both; what is there stays for another pull."""
        os.close(self._handle)
        os.close(self._journal)

    def forget(self) -> None:
        """Start the file anew, with its size, so that pieces can be written in any order."""
        self._done = bytearray(self._pieces)
        self.received_bytes = 0
        os.ftruncate(self._journal, 0)
        os.ftruncate(self._handle, 0)
        os.ftruncate(self._handle, self.file.size_bytes)

    def all_pieces(self) -> range:
        """Every piece, in order."""
        return range(self._pieces)

    def missing(self) -> list[int]:
        """The pieces that are not there."""
        return [piece for piece in self.all_pieces() if self._done[piece] != _DONE]

    def span(self, piece: int) -> range:
        """The offsets of a piece."""
        start = piece * self._piece_bytes
        return range(start, min(start + self._piece_bytes, self.file.size_bytes))

    def write(self, message: ReadArtifactResponse, offset: int) -> None:
        """Put one message to its place.

        Raises:
            ChecksumMismatch: It is not what was sent, or not the one for this place.
        """
        if message.offset != offset or google_crc32c.value(message.data) != message.crc32c:
            raise ChecksumMismatch(f"A message of {self.file.path} arrived damaged.")
        rest = memoryview(message.data)
        while rest:
            written = os.pwrite(self._handle, rest, offset)
            rest, offset = rest[written:], offset + written

    def mark_done(self, piece: int) -> None:
        """Note that a piece is written."""
        os.pwrite(self._journal, bytes([_DONE]), piece)

    def update(self, digest: "Digest", piece: int) -> None:
        """Feed a piece to the digest of the whole."""
        span = self.span(piece)
        offset = span.start
        while offset < span.stop:
            block = os.pread(self._handle, min(_BLOCK_BYTES, span.stop - offset), offset)
            if not block:
                return  # somebody made it shorter: the digest tells
            digest.update(block)
            offset += len(block)

    def sync(self) -> None:
        """Make the content durable."""
        os.fsync(self._handle)

    def _find_what_is_there(self) -> None:
        if os.fstat(self._handle).st_size != self.file.size_bytes:
            self.forget()
            return
        journal = os.pread(self._journal, self._pieces, 0)
        self._done = bytearray(journal.ljust(self._pieces, b"\0"))
        missing_bytes = sum(len(self.span(piece)) for piece in self.missing())
        self.received_bytes = self.file.size_bytes - missing_bytes


class Digest:
    """The SHA-256 of a whole, as the contract writes it."""

    def __init__(self) -> None:
        self._sha256 = sha256()

    def update(self, block: bytes) -> None:
        """Add what comes next."""
        self._sha256.update(block)

    def __str__(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"
