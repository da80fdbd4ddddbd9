"""``alias``: moving names, by compare-and-set."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.commands.parameters import LIMIT, Alias, AsOf, Limit, Model, Reason, first
from assay.cli.help_pages import examples, group
from assay.cli.screens import gates, history, tables
from assay.cli.session import Session
from assay.errors import NotFound
from assay.plain import plain

Expect = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="NUMBER", help="Where it must point now, 0 for nowhere; read when left out."
    ),
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    alias = typer.Typer(no_args_is_help=True)
    alias.command(
        "set",
        cls=examples(
            ("assay alias set vision/digits@champion 3", "from wherever it points now"),
            ("assay alias set vision/digits@champion 1.4.2", "a version by its semantic version"),
            ("assay alias set vision/digits@champion 3 --expect 2", "only if nobody was faster"),
        ),
    )(set_alias)
    alias.command(
        "ls",
        cls=examples(
            ("assay alias ls vision/digits", "where each points, and who moved it"),
            ("assay alias ls vision/digits --as-of 120", "where each pointed at a revision"),
        ),
    )(list_aliases)
    alias.command(
        "rm",
        cls=examples(('assay alias rm vision/digits@shadow --reason "done"', "its history stays")),
    )(remove)
    alias.command(
        "log", cls=examples(("assay alias log vision/digits@champion", "every move, newest first"))
    )(log)
    app.add_typer(
        alias,
        name="alias",
        help="Point names such as @champion to versions, and look back.",
        rich_help_panel=panel,
        cls=group(("assay alias set vision/digits@champion 3", "point a name to a version")),
    )


def set_alias(
    ctx: typer.Context,
    alias: Alias,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="A number, a semantic version, or @another.")
    ],
    *,
    expect: Expect = None,
    reason: Reason = "",
) -> None:
    """Point an alias to a version, if it still points where you think.

    Without --expect, the place where it points at this moment is what you think. A gate of the
    alias must be open; else nothing moves and the status is 5.
    """
    session = Session.of(ctx)
    number = _number(session, alias, version)
    expected = _current(session, alias) if expect is None else expect
    moved = session.client.set_alias(alias, number, expected=expected, reason=reason)

    def screen() -> Iterable[RenderableType]:
        before = f"{expected} → " if expected else ""
        yield Text.assemble(
            (names.short(moved.alias.name), "name"), f"  {before}{moved.alias.version_number}"
        )
        if moved.verdict.findings:
            yield Text()
            yield gates.findings(moved.verdict.findings)

    session.terminal.answer(
        lambda: plain(moved), screen, brief=lambda: [names.short(moved.alias.version)]
    )


def list_aliases(ctx: typer.Context, model: Model, limit: Limit = LIMIT, as_of: AsOf = 0) -> None:
    """List the aliases of a model."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_aliases(model, as_of=as_of), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: (
            [history.aliases(kept)]
            if kept
            else tables.nothing("No alias yet.", f"assay alias set {model}@champion VERSION")
        ),
        brief=lambda: [names.short(each.name) for each in kept],
    )


def remove(ctx: typer.Context, alias: Alias, expect: Expect = None, reason: Reason = "") -> None:
    """Remove an alias. Its history stays."""
    session = Session.of(ctx)
    expected = session.client.get_alias(alias).version_number if expect is None else expect
    gone = session.client.delete_alias(alias, expected=expected, reason=reason)
    session.terminal.answer(
        lambda: plain(gone),
        lambda: [Text.assemble((names.short(gone.name), "name"), f"  {expected} → gone")],
        brief=lambda: [names.short(gone.name)],
    )


def log(ctx: typer.Context, alias: Alias, limit: Limit = LIMIT) -> None:
    """List every move of an alias, newest first."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_alias_moves(alias), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: [history.moves(kept)] if kept else tables.nothing(f"{alias} was never set."),
        brief=lambda: [str(each.version_number) for each in kept],
    )


def _number(session: Session, alias: str, version: str) -> int:
    """The number of a version of the alias's model, however it was typed."""
    if version.isdecimal():
        return int(version)
    reference = wording.within(alias.partition("@")[0], version)
    return session.client.resolve(reference).version.number


def _current(session: Session, alias: str) -> int:
    """Where the alias points at this moment; 0 where it is not there."""
    try:
        return session.client.get_alias(alias).version_number
    except NotFound:
        return 0
