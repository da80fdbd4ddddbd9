"""``watch``: every change as it happens."""

import sys
from typing import Annotated

import typer

from assay import names
from assay.cli.help_pages import examples
from assay.cli.screens import events
from assay.cli.session import Session
from assay.plain import plain, written


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "watch",
        rich_help_panel=panel,
        cls=examples(
            ("assay watch vision/digits", "until Ctrl-C"),
            ("assay watch vision --since 120 --count 1", "the first change from a revision on"),
            ("assay watch vision --initial-state", "what there is, then what happens"),
            ("assay watch -o json", "one JSON object a line, as it happens"),
        ),
    )(watch)


def watch(
    ctx: typer.Context,
    what: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A namespace or model; everything without one.")
    ] = "",
    *,
    since: Annotated[
        int, typer.Option(min=0, metavar="REVISION", help="First revision wanted; 0 from now on.")
    ] = 0,
    count: Annotated[
        int, typer.Option(min=0, metavar="N", help="End after so many revisions.")
    ] = 0,
    initial_state: Annotated[
        bool, typer.Option("--initial-state", help="Begin with what is current, then go on.")
    ] = False,
) -> None:
    """Follow committed changes, without polling. Ends with Ctrl-C, or after --count revisions."""
    if initial_state and since:
        raise typer.BadParameter("say where to begin once: --since or --initial-state")
    session = Session.of(ctx)
    if since == 0:
        session.terminal.note("Watching; Ctrl-C ends it.")
    seen = 0
    for change in session.client.watch(what, start_revision=since, initial_state=initial_state):
        if session.terminal.is_json:
            sys.stdout.write(written(plain(change), indent=None) + "\n")
        elif session.terminal.quiet:
            sys.stdout.writelines(f"{names.short(event.name)}\n" for event in change.events)
        else:
            for line in events.lines(change):
                session.terminal.line(line)
        sys.stdout.flush()
        if change.initial_state_complete:
            session.terminal.note(f"That is what there is at revision {change.revision}.")
        elif change.revision:
            seen += 1
        if count and seen == count:
            return
