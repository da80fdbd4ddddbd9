"""The manifest: a sorted list of files whose own digest names the content of a version."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version. ``sha256`` is 64 lower-case hex digits of the plain bytes."""

    path: str
    size_bytes: int
    sha256: str
    media_type: str = "application/octet-stream"
    role: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a version, sorted by path. ``digest`` is that of its canonical form."""

    files: tuple[File, ...]
    digest: str

    @property
    def size_bytes(self) -> int:
        """Sum of the sizes of all files."""
        return sum(file.size_bytes for file in self.files)
