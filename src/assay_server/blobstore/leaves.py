"""Digests of a file: SHA-256 of the whole and BLAKE3 of each leaf, a leaf being 1 MiB.

The leaf digests lie beside the blob so that any range can be verified without reading the rest.
They carry the blob's own digest and size, so that they cannot vouch for other bytes:

    8 bytes   "assaylv1"
    32 bytes  SHA-256 of the blob
    8 bytes   its size, little-endian
    32 bytes  BLAKE3 of each leaf in turn; the last leaf may be shorter
"""

import hashlib
import os
from dataclasses import dataclass

from blake3 import blake3

LEAF_BYTES = 1 << 20
"""The size of the largest message, so that a read verifies little more than it sends."""

_DIGEST_BYTES = 32
_MAGIC = b"assaylv1"
_HEADER_BYTES = len(_MAGIC) + _DIGEST_BYTES + 8

Bytes = bytes | memoryview


class Digests:
    """What has been hashed of a file, in order and leaf by leaf."""

    def __init__(self) -> None:
        self.position = 0
        self._whole = hashlib.sha256()
        self._leaves = bytearray()

    def add(self, leaf: Bytes) -> None:
        """Take the next whole leaf."""
        self._whole.update(leaf)
        self._leaves += blake3(leaf).digest()
        self.position += len(leaf)

    def finished(self, tail: Bytes) -> "ContentDigests":
        """Digests of all leaves and a last, shorter one; more leaves may still be added."""
        whole = self._whole.copy()
        whole.update(tail)
        last = blake3(tail).digest() if len(tail) else b""
        return ContentDigests(
            whole.hexdigest(), self.position + len(tail), bytes(self._leaves) + last
        )


@dataclass(frozen=True, slots=True)
class ContentDigests:
    """Digests of a complete file."""

    sha256: str
    size_bytes: int
    leaves: bytes

    def encoded(self) -> bytes:
        """The sidecar of the blob."""
        size = self.size_bytes.to_bytes(8, "little")
        return _MAGIC + bytes.fromhex(self.sha256) + size + self.leaves

    def vouch_for(self, leaf: Bytes, index: int) -> bool:
        """Say whether these are the bytes of the leaf with this index."""
        start = index * _DIGEST_BYTES
        return blake3(leaf).digest() == self.leaves[start : start + _DIGEST_BYTES]


def read_sidecar(descriptor: int, sha256: str) -> ContentDigests | None:
    """The digests in an open sidecar; None if it is damaged or of another blob."""
    encoded = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    header, leaves = encoded[:_HEADER_BYTES], encoded[_HEADER_BYTES:]
    size_bytes = int.from_bytes(header[-8:], "little")
    if header[:-8] != _MAGIC + bytes.fromhex(sha256):
        return None
    if len(leaves) != -(-size_bytes // LEAF_BYTES) * _DIGEST_BYTES:
        return None
    return ContentDigests(sha256, size_bytes, leaves)


def digests_of(descriptor: int, digests: Digests | None = None) -> ContentDigests:
    """Hash an open file to its end, from where ``digests`` stands, which goes on with it."""
    digests = digests or Digests()
    while len(leaf := os.pread(descriptor, LEAF_BYTES, digests.position)) == LEAF_BYTES:
        digests.add(leaf)
    return digests.finished(leaf)
