"""The files under a path that may be pushed: every other kind is refused before anything moves."""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from assay.errors import InvalidPath, LocalFileFailure, UnsafeFile
from assay.manifest import colliding, path_problem

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""Absent on Windows, where making a link takes a privilege."""

_LEADS_NOWHERE = {errno.ELOOP, errno.ENOENT, errno.ENOTDIR}

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".onnx": "application/onnx",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_WEIGHTS = {
    ".bin", ".bst", ".gguf", ".h5", ".joblib", ".keras", ".onnx", ".pkl", ".pickle", ".pt", ".pth",
    ".safetensors", ".skops", ".ubj",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A regular file on this machine, and the path it will have in the version."""

    path: str
    source: Path
    size_bytes: int

    @property
    def media_type(self) -> str:
        """Media type, from the suffix."""
        return _MEDIA_TYPES.get(self.source.suffix.lower(), "application/octet-stream")

    @property
    def role(self) -> str:
        """What the file is to the model, from its name; empty where that does not tell."""
        name = self.path.rpartition("/")[2].lower()
        if Path(name).suffix in _WEIGHTS:
            return "weights"
        if name.startswith(("tokenizer", "vocab", "merges", "special_tokens")):
            return "tokenizer"
        return "config" if name in {"config.json", "generation_config.json"} else ""


def find_files(
    path: Path, *, follow_links: bool = False, exclude: Sequence[str] = ()
) -> list[LocalFile]:
    """The files at ``path``: itself, or everything below it, sorted.

    Args:
        follow_links: Take the files that links point to, where those lie inside ``path`` too.
        exclude: Shell patterns of names or relative paths to leave out: ``*.tmp``, ``logs/*``.

    Raises:
        UnsafeFile: Something cannot be pushed; the message names it.
        LocalFileFailure: Something cannot be read.
    """
    with reading(path):
        return _found(path, follow_links=follow_links, exclude=exclude)


def local_path(given: str | Path) -> Path:
    """``given`` as a path of this machine.

    Raises:
        InvalidPath: It is empty, or no system could have such a path.
        LocalFileFailure: It begins with a home directory that nobody has.
    """
    text = str(given)
    if not text:
        raise InvalidPath("The path is empty. For the current directory write '.'.")
    try:
        if b"\0" in os.fsencode(text):
            raise InvalidPath(f"{text!r} is no path: it has a character NUL.")
        return Path(text).expanduser()
    except UnicodeEncodeError as error:
        raise InvalidPath(f"{text!r} is no path: it cannot be encoded.") from error
    except RuntimeError as error:
        raise LocalFileFailure(f"{text} has no home directory behind its ~: {error}") from error


@contextmanager
def reading(path: Path | str) -> Iterator[None]:
    """Say what an error of the system means for what is read.

    Raises:
        LocalFileFailure: It cannot be read.
    """
    try:
        yield
    except OSError as error:
        raise LocalFileFailure(
            f"{error.filename or path} cannot be read: {error.strerror or error}. Put that right, "
            "and call again."
        ) from error


def _found(path: Path, *, follow_links: bool, exclude: Sequence[str]) -> list[LocalFile]:
    root = path if path.is_dir() and not path.is_symlink() else path.parent
    found = _walk(root, exclude) if root is path else iter([path])
    files = [_local_file(source, root, follow_links=follow_links) for source in found]
    if not files:
        raise UnsafeFile(f"{path} holds no files to push.")
    if collision := colliding(file.path for file in files):
        raise UnsafeFile(
            f"{collision[0]} and {collision[1]} cannot exist side by side on every machine; "
            "rename one of them."
        )
    return sorted(files, key=lambda file: file.path)


def open_regular(source: Path) -> int:
    """A descriptor to read ``source``, which must still be a regular file and no link.

    Raises:
        UnsafeFile: It is something else by now.
        LocalFileFailure: It cannot be read.
    """
    with reading(source):
        try:
            # Opening a pipe would wait for its other end.
            handle = os.open(source, os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            raise UnsafeFile(f"{source} became a link while it was being pushed.") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise UnsafeFile(f"{source} is not a regular file any more.")
    return handle


def _walk(root: Path, exclude: Sequence[str]) -> Iterator[Path]:
    """Everything below ``root`` that is not a directory itself, without following links."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                path = f"{prefix}{entry.name}"
                if any(fnmatch(name, one) for one in exclude for name in (path, entry.name)):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{path}/")
                else:
                    yield root / path


def _local_file(source: Path, root: Path, *, follow_links: bool) -> LocalFile:
    path = source.relative_to(root).as_posix()
    if problem := path_problem(path):
        raise UnsafeFile(
            f"{source} cannot be pushed: {problem}. Rename it, or leave it out with exclude."
        )
    status = source.lstat()
    if stat.S_ISLNK(status.st_mode):
        source = _followed(source, root, follow_links=follow_links)
        status = source.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeFile(f"{source} is a {_kind(status.st_mode)}, not a regular file.")
    return LocalFile(path, source, status.st_size)


def _followed(link: Path, root: Path, *, follow_links: bool) -> Path:
    if not follow_links:
        raise UnsafeFile(
            f"{link} is a link. Push what it points to, or say follow_links=True if that lies "
            "inside the same directory."
        )
    # Path.resolve raises RuntimeError for a loop; this raises OSError for whatever is wrong.
    try:
        target = Path(os.path.realpath(link, strict=True))
    except OSError as error:
        if error.errno not in _LEADS_NOWHERE:
            raise
        raise UnsafeFile(f"{link} is a link that leads nowhere: {error.strerror}.") from error
    if not target.is_relative_to(root.resolve()):
        raise UnsafeFile(f"{link} points outside of {root}; copy the file instead.")
    return target


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFDIR: "directory",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFCHR: "device",
        stat.S_IFBLK: "device",
    }
    return kinds.get(stat.S_IFMT(mode), "special file")
