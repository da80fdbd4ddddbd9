"""The contexts of this user."""

from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from assay.cli.screens import tables
from assay.contexts import Context, Contexts, Unusable


def listed(kept: Contexts) -> RenderableType:
    """One line per context; the current one is marked."""
    made = tables.table(_="fixed", CONTEXT="name", SERVER="text", CERTIFICATE="text")
    rows: dict[str, tuple[str, str | Text]] = {}
    for name, context in kept.contexts.items():
        certificate = context.cert.name if context.cert else Text("none: plaintext", style="warn")
        rows[name] = context.target, certificate
    for name, unusable in kept.unusable.items():
        told = Text(f"unusable: assay context show {name}", style="bad")
        rows[name] = str(unusable.table.get("target", "")), told
    for name in sorted(rows):
        made.add_row(Text("●", style="good") if name == kept.current else "", name, *rows[name])
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


def plain_unusable(name: str, unusable: Unusable, *, is_current: bool) -> dict[str, object]:
    """A context that cannot be used, for programs."""
    return {"name": name, "current": is_current, "unusable": unusable.why}
