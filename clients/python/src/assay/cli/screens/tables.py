"""The look of every table: no lines, soft headings, and nothing cut off that identifies."""

from collections.abc import Iterable, Mapping

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def table(**columns: str) -> Table:
    """Make a table; each column has a heading by its name and one of three kinds.

    ``name`` identifies something and is folded where it is too long, ``text`` is wrapped at
    words, ``fixed`` is short and never broken, ``number`` is that and right-aligned.
    """
    made = Table(box=None, header_style="soft", pad_edge=False, padding=(0, 2, 0, 0))
    for heading, kind in columns.items():
        made.add_column(
            heading.replace("_", " ").strip(),
            no_wrap=kind in {"fixed", "number"},
            overflow="fold",
            justify="right" if kind == "number" else "left",
            style="name" if kind == "name" else "",
        )
    return made


def facts(pairs: Iterable[tuple[str, RenderableType]], *, gap: int = 2) -> Table:
    """Two columns, what and its value; pairs with an empty value are left out."""
    made = Table.grid(padding=(0, gap, 0, 0))
    made.add_column(style="key", no_wrap=True)
    made.add_column(overflow="fold")
    for key, value in pairs:
        if value != "":
            made.add_row(key, value)
    return made


def digests(**values: str) -> Table:
    """Digests in full: with one blank after ``manifest`` they fit 80 columns, so never folded."""
    return facts(((key, value) for key, value in values.items()), gap=1)


def section(title: str, *parts: RenderableType) -> list[RenderableType]:
    """A heading and what belongs to it, indented, with a blank line before."""
    return [Text(), Text(title, style="bold"), *(Padding(part, (0, 0, 0, 2)) for part in parts)]


def mapping(values: Mapping[str, str]) -> Text:
    """``C=10  gamma=0.001``: key-value pairs in the order of their keys."""
    return Text("  ").join(Text.assemble((f"{key}=", "key"), values[key]) for key in sorted(values))


def nothing(sentence: str, command: str = "") -> list[RenderableType]:
    """What to show instead of an empty table: why, and what to do about it."""
    return [Text(sentence, style="soft"), *([next_step(command)] if command else [])]


def next_step(command: str) -> Text:
    """The command to try next; never broken into lines, so that it can be copied."""
    return Text.assemble(("→ ", "soft"), (command, "command"), no_wrap=True, overflow="ignore")


def mark(is_good: bool) -> Text:
    """A tick or a cross; told apart without colour too."""
    return Text("✓", style="good") if is_good else Text("✗", style="bad")
