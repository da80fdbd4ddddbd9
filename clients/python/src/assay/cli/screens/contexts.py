"""The contexts of this user."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from assay.cli.screens import tables
from assay.contexts import Context, Contexts


def listed(kept: Contexts) -> RenderableType:
    """One line per context; the current one is marked."""
    made = tables.table(_="fixed", CONTEXT="name", SERVER="text", CERTIFICATE="text")
    for name in sorted(kept.contexts):
        context = kept.contexts[name]
        is_current = name == kept.current
        made.add_row(
            Text("●", style="good") if is_current else "",
            name,
            context.target,
            context.cert.name if context.cert else Text("none: plaintext", style="warn"),
        )
    return made


def shown(name: str, context: Context, path: Path) -> list[RenderableType]:
    """One context with its files and when its certificate expires."""
    expires = context.tls.expire_time() if context.tls else None
    about = [
        ("server", context.target),
        ("server name", context.server_name),
        ("namespace", context.namespace),
        ("authority", str(context.ca or "none: plaintext")),
        ("certificate", str(context.cert or "")),
        ("expires", f"{expires.astimezone():%Y-%m-%d %H:%M}" if expires else ""),
        ("key", str(context.key or "")),
        ("kept in", str(path)),
    ]
    return [Text(name, style="name"), Text(), tables.facts(about)]


def plain(name: str, context: Context, *, is_current: bool) -> dict[str, object]:
    """One context for programs."""
    return {
        "name": name,
        "current": is_current,
        "target": context.target,
        "ca": str(context.ca or ""),
        "cert": str(context.cert or ""),
        "key": str(context.key or ""),
        "server_name": context.server_name,
        "namespace": context.namespace,
        "plaintext": context.tls is None,
    }
