"""Write docs/cli.md from the help of the command line; run by ``make docs``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from assay.cli import help_pages
from assay.cli.app import app
from assay.cli.exit_codes import MEANING

TARGET = Path(__file__).resolve().parent.parent / "docs/cli.md"

PREFACE = """\
# The command line

<!-- Written by `make docs` from the help of the commands; a test fails when they differ. -->

`assay` speaks to the server that the current *context* names, with your certificate. A server
started with `assay-server dev` (or `make serve`) writes such a context, so that nothing needs to
be configured. `pip install 'assay-registry[cli]'` installs it; `assay --install-completion` makes
the Tab key complete commands.

- Options of the program, such as `--output json` and `--context`, may stand anywhere on the line.
- Answers go to stdout, everything else (progress, warnings, refusals) to stderr. `--output json`
  writes one object or array; `watch` writes one object a line. `--quiet` writes names only.
- `assay why` explains the last refusal and names the next command.
- `NO_COLOR` is honoured. `ASSAY_CONTEXT` names a context, `ASSAY_CONFIG` another file of contexts.
"""


def document() -> str:
    """All of docs/cli.md."""
    return "\n".join([PREFACE, *_exit_codes(), *_pages()]) + "\n"


def _exit_codes() -> Iterator[str]:
    yield "## Exit status\n"
    yield "| Status | Meaning |"
    yield "|---:|---|"
    for code, meaning in MEANING.items():
        yield f"| {int(code)} | {meaning} |"
    yield ""


def _pages() -> Iterator[str]:
    yield "## Commands\n"
    root: Any = typer.main.get_command(app)
    yield from _page(root, typer.Context(root, info_name="assay"))


def _page(command: Any, context: typer.Context) -> Iterator[str]:
    depth = len(context.command_path.split())
    yield f"{'#' * (depth + 2)} `{context.command_path}`\n"
    yield f"```\n{help_pages.usage(command, context)}\n```\n"
    for paragraph in help_pages.prose(command):
        yield f"{paragraph}\n"
    yield from _table("Argument", help_pages.arguments(command, context))
    yield from _table("Option", help_pages.options(command, context))
    yield "```sh"
    for example in command.examples:
        yield f"{example.command}  # {example.meaning}"
    yield "```\n"
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            below: Any = command.get_command(context, name)
            yield from _page(below, typer.Context(below, parent=context, info_name=name))


def _table(heading: str, pairs: list[tuple[str, str]]) -> Iterator[str]:
    if pairs:
        yield f"| {heading} | |"
        yield "|---|---|"
        yield from (f"| `{_cell(name)}` | {_cell(meaning)} |" for name, meaning in pairs)
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
