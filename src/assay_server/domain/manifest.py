"""The manifest: a sorted list of files whose own digest names the content of a version.

Rules:
- Paths keep the grammar of ``paths``; sizes are known; digests are SHA-256 of the plain bytes.
- The digest of a manifest is SHA-256 of this object in the form of ``canonical``, with the
  files sorted by path and every member present:

      {"files":[{"media_type":"…","path":"…","role":"…","sha256":"<hex>","size_bytes":6}],
       "form":"assay.manifest.v1"}

  For one file ``a.txt`` that holds ``hello`` and a line feed (6 bytes, ``text/plain``, no role):
  sha256:4bc3165fa1188a6769695faa74686eac1c9c72e9c687b6b81788e89f31efef85
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assay_server.domain.canonical import INTEGER_MAX, canonical_digest
from assay_server.domain.errors import InvalidField
from assay_server.domain.errors.families import quoted
from assay_server.domain.paths import require_distinct, require_path

MANIFEST_FORM = "assay.manifest.v1"
"""Part of what is hashed, so that no other thing can ever have the digest of a manifest."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
"""``type/subtype`` without parameters (RFC 6838 §4.2), in lower case."""

_ROLE = re.compile(r"(?:[a-z][a-z0-9-]{0,62})?")


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


MANIFEST_BYTES_MAX = 3 * 1024 * 1024
"""Of names and digests: with card and facts a version then fits in the 4 MiB that gRPC's clients
take in one message unless they are told otherwise."""

_BYTES_BESIDE_NAMES = 100
"""Of a file in a message: its digest as text, its size, and what stands between fields."""


def build_manifest(files: Iterable[File]) -> Manifest:
    """Check, sort and name a list of files.

    Raises:
        InvalidPath: A path breaks the grammar.
        DuplicatePath: Two paths collide.
        InvalidField: A size, digest, media type or role is wrong, or there are too many files.
    """
    ordered = tuple(sorted(files, key=lambda file: file.path))
    require_distinct(require_file(file).path for file in ordered)
    _require_readable(ordered)
    return Manifest(
        ordered,
        canonical_digest(
            {
                "form": MANIFEST_FORM,
                "files": [
                    {
                        "path": file.path,
                        "size_bytes": file.size_bytes,
                        "sha256": file.sha256,
                        "media_type": file.media_type,
                        "role": file.role,
                    }
                    for file in ordered
                ],
            }
        ),
    )


def _require_readable(files: tuple[File, ...]) -> None:
    size_bytes = sum(
        len(file.path) + len(file.media_type) + len(file.role) + _BYTES_BESIDE_NAMES
        for file in files
    )
    if size_bytes > MANIFEST_BYTES_MAX:
        raise InvalidField(
            "files",
            f"have {size_bytes} bytes of names and digests, but may have {MANIFEST_BYTES_MAX}; "
            "pack some together",
        )


def require_file(file: File) -> File:
    """``file``, if it may stand in a manifest by itself.

    Raises:
        InvalidPath: Its path breaks the grammar.
        InvalidField: Its size, digest, media type or role is wrong.
    """
    require_path(file.path)
    if not 0 <= file.size_bytes <= INTEGER_MAX:
        raise InvalidField("size_bytes", f"of {quoted(file.path)} is not a size")
    if not _SHA256.fullmatch(file.sha256):
        raise InvalidField("sha256", f"of {quoted(file.path)} must be 64 lower-case hex digits")
    require_media_type(file.media_type)
    require_file_role(file.role)
    return file


def require_media_type(text: str) -> str:
    """``text``, if it is like ``application/json``: lower case, without parameters."""
    if not _MEDIA_TYPE.fullmatch(text):
        raise InvalidField("media_type", f"{quoted(text)} must be like application/octet-stream")
    return text


def require_file_role(text: str) -> str:
    """``text``, if it is empty or kebab-case like ``weights``."""
    if not _ROLE.fullmatch(text):
        raise InvalidField("role", f"{quoted(text)} must be kebab-case, like weights, or empty")
    return text


def require_digest(text: str, *, field: str = "digest") -> str:
    """``text``, if it is ``sha256:`` and 64 lower-case hex digits.

    Raises:
        InvalidField: It is not.
    """
    if not _DIGEST.fullmatch(text):
        raise InvalidField(field, f"{quoted(text)} must be sha256: and 64 lower-case hex digits")
    return text
