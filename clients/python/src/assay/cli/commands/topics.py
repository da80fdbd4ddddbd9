"""``help``: what no single command explains."""

import inspect
from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from assay.cli import evaluation_files, gate_files
from assay.cli.exit_codes import MEANING
from assay.cli.help_pages import examples
from assay.cli.screens import tables
from assay.cli.session import Session

REFERENCES = (
    ("vision/digits/7", "version 7"),
    ("vision/digits@champion", "where the alias champion points"),
    ("vision/digits@1.4.2", "exactly that semantic version"),
    ("vision/digits@^1.4", "the greatest release from 1.4.0 up to 2.0.0, without it"),
    ("vision/digits@~1.4", "the greatest release from 1.4.0 up to 1.5.0, without it"),
    ("vision/digits@latest", "the published version that was sealed last"),
    ("vision/digits@greatest", "the greatest release"),
    ("vision/digits@sha256:…", "the version with these files"),
)


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "help",
        rich_help_panel=panel,
        cls=examples(
            ("assay help exit-codes", "what the exit status tells a script"),
            ("assay help references", "how to write which version is meant"),
            ("assay help gates", "the document that `gate set` reads"),
            ("assay help evaluations", "the document that `eval import` reads"),
        ),
    )(explain)


def explain(
    ctx: typer.Context,
    topic: Annotated[
        str, typer.Argument(metavar="[TOPIC]", help="exit-codes, references, gates, evaluations.")
    ] = "",
) -> None:
    """Explain a topic, or a command."""
    session = Session.of(ctx)
    if topic in TOPICS:
        session.terminal.answer(
            lambda: {"topic": topic, "entries": dict(ENTRIES.get(topic, list)())},
            TOPICS[topic],
            brief=lambda: [key for key, _ in ENTRIES.get(topic, list)()],
        )
        return
    root = ctx.find_root()
    if not topic:
        typer.echo(root.get_help(), nl=False)
        session.terminal.note(f"Topics: assay help {' | '.join(TOPICS)}")
        return
    raise typer.BadParameter(
        f"There is no topic {topic!r}; there are {', '.join(TOPICS)}. "
        f"For a command: assay {topic} --help"
    )


def _exit_codes() -> list[tuple[str, str]]:
    return [(str(int(code)), meaning) for code, meaning in MEANING.items()]


def _references() -> list[tuple[str, str]]:
    return list(REFERENCES)


def _exit_code_page() -> Iterable[RenderableType]:
    made = tables.table(STATUS="number", MEANING="text")
    for code, meaning in _exit_codes():
        made.add_row(code, meaning)
    return [made]


def _reference_page() -> Iterable[RenderableType]:
    made = tables.table(WRITE="name", TO_MEAN="text")
    for reference, meaning in REFERENCES:
        made.add_row(reference, meaning)
    return [made]


def _document_page(module: object) -> Callable[[], Iterable[RenderableType]]:
    """The description at the top of the module that reads such documents.

    No line is broken: ``assay help gates > gate.toml`` is a document to begin with.
    """
    text = inspect.cleandoc(getattr(module, "__doc__", ""))
    return lambda: [Text(text, no_wrap=True, overflow="ignore")]


ENTRIES: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "exit-codes": _exit_codes,
    "references": _references,
}

TOPICS: dict[str, Callable[[], Iterable[RenderableType]]] = {
    "exit-codes": _exit_code_page,
    "references": _reference_page,
    "gates": _document_page(gate_files),
    "evaluations": _document_page(evaluation_files),
}
