"""``ls`` and ``show``: what there is, at every depth of a name."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType

from assay import names
from assay.cli import wording
from assay.cli.commands.parameters import LIMIT, AsOf, Limit, first
from assay.cli.help_pages import examples
from assay.cli.screens import models, tables, versions
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.version_pb2 import VersionState

EVERY_NAMESPACE = "namespaces/-"


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "ls",
        rich_help_panel=panel,
        cls=examples(
            ("assay ls", "all models that you may read"),
            ("assay ls vision", "the models of a namespace"),
            ("assay ls vision/digits", "the versions of a model, newest first"),
            ("assay ls vision/digits --state ready", "only what is published"),
            ("assay ls vision/digits@champion", "the files of a version"),
            ("assay ls vision/digits --as-of 120", "as they were at a revision"),
        ),
    )(list_things)
    app.command(
        "show",
        rich_help_panel=panel,
        cls=examples(
            ("assay show vision/digits@champion", "a version: facts, files, measurements"),
            ("assay show vision/digits/3 --card", "and its model card"),
            ("assay show vision/digits@champion --as-of 120", "as it was at a revision"),
            ("assay show vision/digits", "a model"),
            ("assay show vision", "a namespace"),
        ),
    )(show)


def list_things(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]", help="A namespace, a model or a version; all models without one."
        ),
    ] = "",
    *,
    state: Annotated[
        list[str] | None,
        typer.Option(help="Of versions: candidate, ready, deprecated, yanked; repeat for more."),
    ] = None,
    deleted: Annotated[bool, typer.Option("--deleted", help="List what was deleted too.")] = False,
    limit: Limit = LIMIT,
    as_of: AsOf = 0,
) -> None:
    """List models, the versions of a model, or the files of a version."""
    session = Session.of(ctx)
    if wording.is_version(what):
        _list_files(session, what, as_of=as_of)
    elif "/" in what.removeprefix("namespaces/"):
        _list_versions(session, what, _states(state), deleted=deleted, limit=limit, as_of=as_of)
    else:
        _list_models(session, what, deleted=deleted, limit=limit, as_of=as_of)


def show(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="NAME", help="A version, a model or a namespace.")],
    card: Annotated[bool, typer.Option("--card", help="Show the model card too.")] = False,
    as_of: AsOf = 0,
) -> None:
    """Show all that is known of a version, a model or a namespace."""
    session = Session.of(ctx)
    if wording.is_version(what):
        _show_version(session, what, card=card, as_of=as_of)
    elif "/" in what.removeprefix("namespaces/"):
        model = session.client.get_model(what, as_of=as_of)
        kept = list(first(session.client.list_versions(what, as_of=as_of), 5))
        session.terminal.answer(
            lambda: plain(model),
            lambda: [*models.shown(model), *tables.section("Newest", versions.listed(kept))],
            brief=lambda: [names.short(model.name)],
        )
    else:
        if as_of:
            raise typer.BadParameter("--as-of is for models and versions; a namespace has no past.")
        namespace = session.client.get_namespace(what)
        session.terminal.answer(
            lambda: plain(namespace),
            lambda: models.namespace(namespace),
            brief=lambda: [names.short(namespace.name)],
        )


def _show_version(session: Session, reference: str, *, card: bool, as_of: int) -> None:
    version = session.client.get_version(reference, as_of=as_of)
    evaluations = list(session.client.list_evaluations(version, as_of=as_of))
    session.terminal.answer(
        lambda: plain(version) | {"evaluations": [plain(each) for each in evaluations]},
        lambda: versions.shown(version, evaluations, card=card),
        brief=lambda: [names.short(version.name)],
    )


def _list_models(
    session: Session, namespace: str, *, deleted: bool, limit: int, as_of: int
) -> None:
    # Without a name all are meant, also where the context has a namespace for short names.
    found = session.client.list_models(
        namespace or EVERY_NAMESPACE, show_deleted=deleted, as_of=as_of
    )
    kept = list(first(found, limit))

    def screen() -> Iterable[RenderableType]:
        if kept:
            return [models.listed(kept)]
        return tables.nothing(
            "There are no models that you may read.", "assay model create vision/digits"
        )

    session.terminal.answer(
        lambda: [plain(model) for model in kept],
        screen,
        brief=lambda: [names.short(model.name) for model in kept],
    )


def _list_versions(
    session: Session,
    model: str,
    states: "list[VersionState.ValueType]",
    *,
    deleted: bool,
    limit: int,
    as_of: int,
) -> None:
    found = session.client.list_versions(model, show_deleted=deleted, states=states, as_of=as_of)
    kept = list(first(found, limit))

    def screen() -> Iterable[RenderableType]:
        if kept:
            return [versions.listed(kept)]
        return tables.nothing("There are no such versions.", f"assay push {model} PATH")

    session.terminal.answer(
        lambda: [plain(version) for version in kept],
        screen,
        brief=lambda: [names.short(version.name) for version in kept],
    )


def _list_files(session: Session, reference: str, *, as_of: int) -> None:
    version = session.client.get_version(reference, as_of=as_of)
    session.terminal.answer(
        lambda: [plain(file) for file in version.files],
        lambda: [versions.headline(version), "", versions.files(version.files)],
        brief=lambda: [file.path for file in version.files],
    )


def _states(given: list[str] | None) -> "list[VersionState.ValueType]":
    """The enum values for ``ready`` and the like."""
    try:
        return [VersionState.Value(f"VERSION_STATE_{word.upper()}") for word in given or ()]
    except ValueError as error:
        raise typer.BadParameter(
            "--state takes candidate, ready, deprecated, yanked or deleted."
        ) from error
