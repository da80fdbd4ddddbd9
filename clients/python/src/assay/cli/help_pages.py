"""Help: taken from the commands themselves, drawn for people and written to docs/cli.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from assay.cli.screens import tables
from assay.cli.terminal import THEME, show

WIDTH_MAX = 100
"""Longer lines are hard to read."""

EVERYWHERE = "Every command also takes --output json, --context NAME and more: assay --help"


@dataclass(frozen=True, slots=True)
class Example:
    """A command to type, and what it does."""

    command: str
    meaning: str


class Command(TyperCommand):
    """A command whose help shows examples."""

    examples: tuple[Example, ...] = ()

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Draw the help; ``formatter`` is Click's own and is not used."""
        _print(drawn(self, ctx))


class Group(TyperGroup):
    """A command that holds others."""

    examples: tuple[Example, ...] = ()

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Draw the help; ``formatter`` is Click's own and is not used."""
        _print(drawn(self, ctx))


def examples(*pairs: tuple[str, str]) -> type[Command]:
    """The class of a command with these examples: (command, what it does)."""
    return type("Command", (Command,), {"examples": tuple(Example(*pair) for pair in pairs)})


def group(*pairs: tuple[str, str]) -> type[Group]:
    """The class of a group with these examples: (command, what it does)."""
    return type("Group", (Group,), {"examples": tuple(Example(*pair) for pair in pairs)})


def usage(command: Any, context: typer.Context) -> str:
    """``assay why [VERSION] [GATE] [OPTIONS]``."""
    words = [_argument(each) for each in command.get_params(context) if _is_argument(each)]
    words += ["COMMAND"] if isinstance(command, TyperGroup) else []
    return " ".join([context.command_path, *words, "[OPTIONS]"])


def prose(command: Any) -> list[str]:
    """The paragraphs of the description, each on one line."""
    paragraphs = (command.help or "").strip().split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip()]


def arguments(command: Any, context: typer.Context) -> list[tuple[str, str]]:
    """Each argument and what it is."""
    shown = (each for each in command.get_params(context) if _is_argument(each))
    return [(_argument(each).strip("[]"), each.help or "") for each in shown]


def options(command: Any, context: typer.Context) -> list[tuple[str, str]]:
    """Each option and what it does; --help goes without saying."""
    shown = (each for each in command.get_params(context) if not _is_argument(each))
    return [
        (_option(each), each.help or "")
        for each in shown
        if not each.hidden and "--help" not in each.opts
    ]


def panels(command: Any, context: typer.Context) -> dict[str, list[tuple[str, str]]]:
    """The commands of a group under their headings, each with its first sentence."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if not below.hidden:
            heading = below.rich_help_panel
            heading = heading if isinstance(heading, str) else "Commands"
            first = prose(below)[0].partition(". ")[0].rstrip(".") if prose(below) else ""
            found.setdefault(heading, []).append((name, first))
    return found


def drawn(command: Any, context: typer.Context) -> Iterator[RenderableType]:
    """The help page of a command or group."""
    yield Text(usage(command, context), style="bold")
    for paragraph in prose(command):
        yield Text()
        yield Padding(Text(paragraph), (0, 0, 0, 2))
    yield from _section("Arguments", arguments(command, context))
    if isinstance(command, TyperGroup):
        for heading, pairs in panels(command, context).items():
            yield from _section(heading, pairs)
    yield from _section("Options", options(command, context))
    if command.examples:
        yield from tables.section("Examples", *_examples(command.examples))
    if context.parent is not None:
        yield Text()
        yield Text(EVERYWHERE, style="soft")


def _section(heading: str, pairs: list[tuple[str, str]]) -> Iterable[RenderableType]:
    if not pairs:
        return []
    made = tables.facts(())
    made.columns[0].style = "command"
    for name, meaning in pairs:
        made.add_row(name, meaning)
    return tables.section(heading, made)


def _examples(shown: Iterable[Example]) -> Iterator[RenderableType]:
    for example in shown:
        yield Text(f"# {example.meaning}", style="soft")
        yield Text(example.command, style="command", no_wrap=True, overflow="ignore")


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _option(parameter: Any) -> str:
    """``--limit N``: with what it takes, unless it takes nothing."""
    names = ", ".join(sorted(parameter.opts, key=len))
    return names if parameter.is_flag else f"{names} {parameter.metavar or 'TEXT'}"


def _print(parts: Iterable[RenderableType]) -> None:
    console = Console(theme=THEME, highlight=False)
    console.width = min(console.width, WIDTH_MAX)
    for part in parts:
        show(console, part)
