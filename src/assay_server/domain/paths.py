"""The grammar of file paths in a manifest: one that no machine can misread.

Rules:
- Relative, with ``/`` between components that begin with a letter, digit or underscore: so
  there is no ``..``, no hidden file, no drive, no backslash, no control character.
- No component ends in a point, or is a device name on Windows, with any extension.
- Paths stay apart when case and Unicode form are ignored, and no file is also a folder.
"""

import re
import unicodedata
from collections.abc import Iterable

from assay_server.domain.errors import DuplicatePath, InvalidField, InvalidPath

PATH_BYTES_MAX = 1024
"""Leaves room for a directory in front: PATH_MAX is 4096 on Linux, 1024 on macOS."""

PATH_DEPTH_MAX = 16
FILES_MAX = 20_000
"""What a manifest has room for when names are short; more should be packed in archives."""

COMPONENT_CHARACTERS_MAX = 128

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|(?:com|lpt)[0-9])", re.IGNORECASE)
"""Names that Windows opens as devices, in every folder and with every extension."""


def require_path(path: str) -> str:
    """``path``, if it may stand in a manifest.

    Raises:
        InvalidPath: It breaks the grammar; says how.
    """
    if not path:
        raise InvalidPath(path, "it is empty")
    if len(path) > PATH_BYTES_MAX:
        raise InvalidPath(path, f"it has more than {PATH_BYTES_MAX} bytes")
    components = path.split("/")
    if len(components) > PATH_DEPTH_MAX:
        raise InvalidPath(path, f"it is more than {PATH_DEPTH_MAX} components deep")
    for component in components:
        problem = _problem(component)
        if problem:
            raise InvalidPath(path, problem)
    return path


def require_distinct(paths: Iterable[str]) -> None:
    """Check that every path can exist beside the others on every machine.

    Raises:
        DuplicatePath: Two are the same without regard to case, or one is a folder of another.
        InvalidField: There are too many.
    """
    seen: dict[str, str] = {}
    for path in paths:
        folded = _folded(path)
        if folded in seen:
            raise DuplicatePath(path, seen[folded])
        seen[folded] = path
        if len(seen) > FILES_MAX:
            raise InvalidField("files", f"has more than {FILES_MAX} entries; pack some together")
    for folded, path in seen.items():
        for folder in _folders(folded):
            if folder in seen:
                raise DuplicatePath(path, seen[folder])


def collision_forms(path: str) -> tuple[str, tuple[str, ...]]:
    """``path`` and its folders in lower case: with other paths in it, a path may collide.

    Components are ASCII, so that lower case is all that file systems fold.
    """
    folded = _folded(path)
    return folded, tuple(_folders(folded))


def _problem(component: str) -> str:
    if component in {"", ".", ".."}:
        return "it must be relative, without empty components, . or .."
    if not _COMPONENT.fullmatch(component):
        return (
            "a component has letters, digits, points, _ and -, begins with a letter, digit or _, "
            f"and has at most {COMPONENT_CHARACTERS_MAX} characters"
        )
    if component.endswith("."):
        return "a component must not end in a point, which Windows drops"
    if _DEVICE.fullmatch(component.partition(".")[0]):
        return f"{component} is a device on Windows"
    return ""


def _folded(path: str) -> str:
    """One form for all spellings that some file system takes for the same (APFS, NTFS)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _folders(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
