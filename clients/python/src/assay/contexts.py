"""Named servers with the certificates for them, in a TOML file that tools and people share.

``$ASSAY_CONFIG`` or ``~/.config/assay/contexts.toml``::

    current = "dev"

    [contexts.dev]
    target = "localhost:8443"
    ca = "pki/ca.crt"          # relative to the directory of this file
    cert = "pki/admin.crt"
    key = "pki/admin.key"
    server_name = "registry.example.com"   # where it differs from the target's
    namespace = "vision"                   # for names without one

A context without TLS says ``plaintext = true`` and has no certificates; its target must be
this machine. One context that cannot be used leaves the others usable.
"""

import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from assay.errors import ContextInvalid
from assay.tls import TLS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_TEXTS = ("target", "server_name", "namespace")
_PATHS = ("ca", "cert", "key")
Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One server, and who you are there. Without paths it is plaintext."""

    target: str
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str = ""
    namespace: str = ""

    @property
    def tls(self) -> TLS | None:
        """The certificates; None for plaintext."""
        if self.ca is None or self.cert is None or self.key is None:
            return None
        return TLS(ca=self.ca, cert=self.cert, key=self.key, server_name=self.server_name)


@dataclass(frozen=True, slots=True)
class Unusable:
    """A context of the file that lacks something: why, and what stands there."""

    why: str
    table: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Contexts:
    """The content of a contexts file."""

    current: str = ""
    contexts: Mapping[str, Context] = field(default_factory=dict)
    unusable: Mapping[str, Unusable] = field(default_factory=dict)

    def get(self, name: str | None = None) -> Context:
        """The context called ``name``, or the current one.

        Raises:
            ContextInvalid: There is no such context, it lacks something, or none is current.
        """
        wanted = name or self.current
        if not wanted:
            raise ContextInvalid(
                "No context is current. Start a server with `assay-server dev`, or name a context."
            )
        if wanted in self.unusable:
            raise ContextInvalid(
                f"{self.unusable[wanted].why} Give them anew with `assay context add {wanted} …`, "
                f"or forget it with `assay context rm {wanted}`."
            )
        if wanted not in self.contexts:
            known = ", ".join(sorted(self.contexts)) or "none"
            raise ContextInvalid(f"There is no context {wanted!r}; there are: {known}.")
        return self.contexts[wanted]

    def with_context(self, name: str, context: Context, *, current: bool = False) -> "Contexts":
        """These contexts and one more, or one changed."""
        if not _NAME.fullmatch(name):
            raise ContextInvalid(f"{name!r} cannot name a context; use letters, digits, _ . and -.")
        return Contexts(
            name if current or not self.current else self.current,
            {**self.contexts, name: context},
            _without(self.unusable, name),
        )

    def with_current(self, name: str) -> "Contexts":
        """These contexts with another current one."""
        self.get(name)
        return replace(self, current=name)

    def without(self, name: str) -> "Contexts":
        """These contexts without one of them, which may be unusable."""
        if name not in self.unusable:
            self.get(name)
        return Contexts(
            "" if self.current == name else self.current,
            _without(self.contexts, name),
            _without(self.unusable, name),
        )


def default_path() -> Path:
    """Where the contexts of this user are."""
    given = os.environ.get("ASSAY_CONFIG")
    return Path(given).expanduser() if given else Path.home() / ".config/assay/contexts.toml"


def load(path: Path | None = None) -> Contexts:
    """Read a contexts file; one that is absent has no contexts.

    Raises:
        ContextInvalid: It cannot be read; the message names the line or the key.
    """
    path = path or default_path()
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return Contexts()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ContextInvalid(f"{path} cannot be read: {error}.") from error
    tables = content.get("contexts", {})
    if not isinstance(tables, dict):
        raise ContextInvalid(f"{path}: contexts must hold tables like [contexts.dev].")
    read = {name: _context(path, name, table) for name, table in tables.items()}
    return Contexts(
        str(content.get("current", "")),
        {name: context for name, context in read.items() if isinstance(context, Context)},
        {name: context for name, context in read.items() if isinstance(context, Unusable)},
    )


def save(contexts: Contexts, path: Path | None = None) -> Path:
    """Write a contexts file at once, readable by its owner only; returns its path."""
    path = path or default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"current = {_quoted(contexts.current)}"]
    for name, context in sorted(contexts.contexts.items()):
        lines += ["", f"[contexts.{_quoted(name)}]", *_lines(context, path.parent)]
    for name, unusable in sorted(contexts.unusable.items()):
        kept = (f"{_quoted(key)} = {_quoted(value)}" for key, value in unusable.table.items())
        lines += ["", f"[contexts.{_quoted(name)}]", *kept]
    # mkstemp makes the file 0600, and a rename never leaves half a file.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def _context(path: Path, name: str, table: Any) -> Context | Unusable:
    where = f"{path}: contexts.{name}"
    if not isinstance(table, dict):
        raise ContextInvalid(f"{where} must be a table like [contexts.dev].")
    for key in (*_TEXTS, *_PATHS):
        if not isinstance(table.get(key, ""), str):
            return Unusable(f"{where}.{key} must be text.", table)
    if not table.get("target"):
        return Unusable(f'{where} needs a target, such as target = "localhost:8443".', table)
    texts = {key: table[key] for key in _TEXTS if key in table}
    if table.get("plaintext", False):
        return Context(**texts)
    if missing := [key for key in _PATHS if not table.get(key)]:
        return Unusable(
            f"{where} lacks {', '.join(missing)}: paths of PEM files, or plaintext = true for a "
            "server on this machine.",
            table,
        )
    ca, cert, private = (path.parent / Path(table[key]).expanduser() for key in _PATHS)
    return Context(**texts, ca=ca, cert=cert, key=private)


def _lines(context: Context, directory: Path) -> list[str]:
    """The keys of one context; paths below ``directory`` are relative, so that it can move."""
    lines = [f"target = {_quoted(context.target)}"]
    if context.tls is None:
        lines.append("plaintext = true")
    for key in _PATHS:
        path: Path | None = getattr(context, key)
        if path is not None:
            absolute = path.expanduser().absolute()
            inside = absolute.is_relative_to(directory.absolute())
            shown = absolute.relative_to(directory.absolute()) if inside else absolute
            lines.append(f"{key} = {_quoted(shown.as_posix())}")
    texts = {"server_name": context.server_name, "namespace": context.namespace}
    return lines + [f"{key} = {_quoted(value)}" for key, value in texts.items() if value]


def _without(kept: Mapping[str, Kept], name: str) -> dict[str, Kept]:
    return {known: context for known, context in kept.items() if known != name}


def _quoted(value: Any) -> str:
    """A TOML string, number or truth: JSON's escapes are a subset of TOML's."""
    return json.dumps(value, default=str).replace("\x7f", "\\u007f")
