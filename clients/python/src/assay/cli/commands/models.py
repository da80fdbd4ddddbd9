"""``model`` and ``namespace``: making and changing them."""

from typing import Annotated

import typer

from assay import names
from assay.cli.commands.parameters import LIMIT, Limit, Model, Tags, first, pairs
from assay.cli.help_pages import examples, group
from assay.cli.screens import models, tables
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.model_pb2 import Model as ModelMessage
from assay.v1.namespace_pb2 import Namespace

Display = Annotated[str | None, typer.Option("--display-name", help="What people call it.")]
Description = Annotated[str | None, typer.Option(help="What it is or does.")]
Task = Annotated[str | None, typer.Option(help="As image-classification.")]
Keywords = Annotated[
    list[str] | None, typer.Option("--keyword", help="A word to find it by; repeat for more.")
]
NamespaceName = Annotated[str, typer.Argument(metavar="NAMESPACE", help="As vision.")]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    model = typer.Typer(no_args_is_help=True)
    model.command(
        "create",
        cls=examples(
            ("assay model create vision/digits --task image-classification", "a line of versions"),
            ("assay model create vision/digits --keyword ocr --tag team=vision", "to be found by"),
        ),
    )(create_model)
    model.command(
        "update",
        cls=examples(
            ('assay model update vision/digits --description "Reads digits."', "change one thing"),
            ("assay model update vision/digits --tag team=core", "replaces all tags"),
        ),
    )(update_model)
    app.add_typer(
        model,
        name="model",
        help="Create and change models.",
        rich_help_panel=panel,
        cls=group(("assay model create vision/digits", "start a line of versions")),
    )
    namespace = typer.Typer(no_args_is_help=True)
    namespace.command(
        "create", cls=examples(('assay namespace create vision --display-name "Vision"', "a space"))
    )(create_namespace)
    namespace.command(
        "update",
        cls=examples(('assay namespace update vision --description "Cameras"', "change one thing")),
    )(update_namespace)
    namespace.command("ls", cls=examples(("assay namespace ls", "those that you may read")))(
        list_namespaces
    )
    app.add_typer(
        namespace,
        name="namespace",
        help="Create and list namespaces, the spaces of teams.",
        rich_help_panel=panel,
        cls=group(("assay namespace ls", "those that you may read")),
    )


def create_model(
    ctx: typer.Context,
    model: Model,
    *,
    display_name: Display = None,
    description: Description = None,
    task: Task = None,
    keyword: Keywords = None,
    tag: Tags = None,
) -> None:
    """Start a line of versions. Pushing to a model that is not there does the same."""
    session = Session.of(ctx)
    made = session.client.create_model(
        model,
        display_name=display_name or "",
        description=description or "",
        task=task or "",
        keywords=keyword or (),
        tags=pairs(tag, "--tag"),
    )
    _answer_model(session, made)


def update_model(
    ctx: typer.Context,
    model: Model,
    *,
    display_name: Display = None,
    description: Description = None,
    task: Task = None,
    keyword: Keywords = None,
    tag: Tags = None,
) -> None:
    """Change what is given of a model, and only that; an empty value clears it."""
    session = Session.of(ctx)
    if all(given is None for given in (display_name, description, task, keyword, tag)):
        raise typer.BadParameter("Name what to change, as --description.")
    changed = session.client.update_model(
        model,
        display_name=display_name,
        description=description,
        task=task,
        keywords=keyword,
        tags=pairs(tag, "--tag") if tag is not None else None,
    )
    _answer_model(session, changed)


def create_namespace(
    ctx: typer.Context,
    namespace: NamespaceName,
    *,
    display_name: Display = None,
    description: Description = None,
) -> None:
    """Make a team's space. Its id can never be used again."""
    session = Session.of(ctx)
    made = session.client.create_namespace(
        namespace, display_name=display_name or "", description=description or ""
    )
    _answer_namespace(session, made)


def update_namespace(
    ctx: typer.Context,
    namespace: NamespaceName,
    *,
    display_name: Display = None,
    description: Description = None,
) -> None:
    """Change what is given of a namespace, and only that."""
    session = Session.of(ctx)
    if display_name is None and description is None:
        raise typer.BadParameter("Name what to change: --display-name or --description.")
    changed = session.client.update_namespace(
        namespace, display_name=display_name, description=description
    )
    _answer_namespace(session, changed)


def list_namespaces(ctx: typer.Context, limit: Limit = LIMIT) -> None:
    """List the namespaces that you may read."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_namespaces(), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: (
            [models.namespaces(kept)]
            if kept
            else tables.nothing("There are none that you may read.", "assay whoami")
        ),
        brief=lambda: [names.short(each.name) for each in kept],
    )


def _answer_model(session: Session, model: ModelMessage) -> None:
    session.terminal.answer(
        lambda: plain(model),
        lambda: models.shown(model),
        brief=lambda: [names.short(model.name)],
    )


def _answer_namespace(session: Session, namespace: Namespace) -> None:
    session.terminal.answer(
        lambda: plain(namespace),
        lambda: models.namespace(namespace),
        brief=lambda: [names.short(namespace.name)],
    )
