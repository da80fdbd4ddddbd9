"""The digest that names the content of a version, and the grammar of the paths in it.

This repeats, on purpose, what the server does: a client that asked the server for the digest
would prove nothing. The same known answers are tested on both sides.

The digest is SHA-256 of this JSON in the form of RFC 8785, files sorted by path::

    {"files":[{"media_type":"…","path":"…","role":"…","sha256":"<hex>","size_bytes":6}],
     "form":"assay.manifest.v1"}
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable

from assay.v1.file_pb2 import File

MANIFEST_FORM = "assay.manifest.v1"
PATH_BYTES_MAX = 1024
PATH_DEPTH_MAX = 16

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9])", re.IGNORECASE)
"""Names that Windows opens as devices, in every folder and with every extension."""


def manifest_digest(files: Iterable[File]) -> str:
    """``sha256:<hex>`` of the canonical form of ``files``, in any order."""
    entries = [
        {
            "media_type": file.media_type,
            "path": file.path,
            "role": file.role,
            "sha256": file.digest.removeprefix("sha256:"),
            "size_bytes": file.size_bytes,
        }
        for file in sorted(files, key=lambda file: file.path)
    ]
    # All names and values are ASCII or escaped alike by RFC 8785 and json, and names are sorted.
    text = json.dumps(
        {"files": entries, "form": MANIFEST_FORM}, ensure_ascii=False, separators=(",", ":")
    )
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def path_problem(path: str) -> str:
    """What forbids ``path`` in a manifest; empty when nothing does."""
    if len(path) > PATH_BYTES_MAX:
        return f"it has more than {PATH_BYTES_MAX} bytes"
    components = path.split("/")
    if len(components) > PATH_DEPTH_MAX:
        return f"it is more than {PATH_DEPTH_MAX} components deep"
    return next(filter(None, map(_component_problem, components)), "")


def colliding(paths: Iterable[str]) -> tuple[str, str] | None:
    """Two of ``paths`` that cannot exist side by side on every machine, if there are such."""
    seen: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in seen:
            return path, seen[folded]
        seen[folded] = path
    for folded, path in seen.items():
        folder = folded.rpartition("/")[0]
        while folder:
            if folder in seen:
                return path, seen[folder]
            folder = folder.rpartition("/")[0]
    return None


def _component_problem(component: str) -> str:
    if component in {"", ".", ".."}:
        return "it must be relative, without empty components, . or .."
    if component.startswith("."):
        return f"{component} is hidden"
    if not _COMPONENT.fullmatch(component):
        return (
            f"{component!r} is not made of letters, digits, points, _ and -, beginning with a "
            "letter, digit or _, 128 at most"
        )
    if component.endswith("."):
        return f"{component} ends in a point, which Windows drops"
    if _DEVICE.fullmatch(component.partition(".")[0]):
        return f"{component} is a device on Windows"
    return ""


def _folded(path: str) -> str:
    """One form for all spellings that some file system takes for the same (APFS, NTFS)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
