"""``resolve`` and ``publish``, and what takes a version or model back."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.commands.parameters import AsOf, Bump, Reason, Reference, Semver, Yes
from assay.cli.help_pages import examples
from assay.cli.screens import gates, models, tables, versions
from assay.cli.session import Session
from assay.plain import plain
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.model_pb2 import Model
from assay.v1.version_pb2 import ModelVersion

Thing = Annotated[
    str, typer.Argument(metavar="NAME", help="A version, as vision/digits/3, or a model.")
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "resolve",
        rich_help_panel=panel,
        cls=examples(
            ("assay resolve vision/digits@champion", "which version that is now"),
            ("assay resolve vision/digits@^1.4 --quiet", "only its name, for a script"),
            ("assay resolve vision/digits@champion --as-of 120", "which version that was then"),
        ),
    )(resolve)
    app.command(
        "publish",
        rich_help_panel=panel,
        cls=examples(
            ("assay publish vision/digits/3", "the server infers the semantic version"),
            ("assay publish vision/digits/3 --bump minor", "ask for at least that much"),
            ("assay publish vision/digits/3 --semver 2.0.0-rc.1", "name it"),
        ),
    )(publish)
    app.command(
        "deprecate",
        rich_help_panel=panel,
        cls=examples(
            ('assay deprecate vision/digits/3 --reason "use 4"', "resolves on, with a warning")
        ),
    )(deprecate)
    app.command(
        "yank",
        rich_help_panel=panel,
        cls=examples(
            ('assay yank vision/digits/3 --reason "wrong labels"', "no new resolves; pins hold")
        ),
    )(yank)
    app.command(
        "delete",
        rich_help_panel=panel,
        cls=examples(
            ("assay delete vision/digits/3", "stops every resolve; can be restored"),
            ("assay delete vision/digits --yes", "hides a model, without asking"),
        ),
    )(delete)
    app.command(
        "undelete",
        rich_help_panel=panel,
        cls=examples(("assay undelete vision/digits/3", "as it was before")),
    )(undelete)


def resolve(ctx: typer.Context, version: Reference, as_of: AsOf = 0) -> None:
    """Find the version that a reference stands for, or stood for at a revision."""
    session = Session.of(ctx)
    found = session.client.resolve(version, as_of=as_of)
    for sentence in found.warnings:
        session.terminal.warn(sentence)
    session.terminal.answer(
        lambda: plain(found),
        lambda: _resolved(found),
        brief=lambda: [names.short(found.version.name)],
    )


def publish(ctx: typer.Context, version: Reference, bump: Bump = "", semver: Semver = "") -> None:
    """Ask the publish gates and, when they are open, give a version its semantic version.

    When a gate is closed nothing changes, every unmet rule is named, and the status is 5.
    """
    session = Session.of(ctx)
    done = session.client.publish(version, bump=bump, semver=semver)

    def screen() -> Iterable[RenderableType]:
        yield versions.headline(done.version)
        for why in done.semver_reasons:
            yield Text.assemble(("  why ", "key"), f"{done.version.semver}: {why}")
        if done.verdict.findings:
            yield ""
            yield gates.findings(done.verdict.findings)
        model = names.short(done.version.name).rpartition("/")[0]
        yield ""
        yield tables.next_step(f"assay alias set {model}@champion {done.version.number}")

    session.terminal.answer(
        lambda: plain(done), screen, brief=lambda: [names.short(done.version.name)]
    )


def deprecate(ctx: typer.Context, version: Reference, reason: Reason = "") -> None:
    """Keep a version resolving, with a warning."""
    session = Session.of(ctx)
    _answer_version(session, session.client.deprecate(version, reason=reason))


def yank(
    ctx: typer.Context,
    version: Reference,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is required.")],
) -> None:
    """Stop new resolves of a version. Pins by number, digest and semantic version still work."""
    session = Session.of(ctx)
    _answer_version(session, session.client.yank(version, reason=reason))


def delete(ctx: typer.Context, name: Thing, reason: Reason = "", yes: Yes = False) -> None:
    """Delete a version or hide a model. Both can be restored."""
    session = Session.of(ctx)
    if not yes:
        typer.confirm(f"Delete {name}?", abort=True, err=True)
    if wording.is_version(name):
        _answer_version(session, session.client.delete_version(name, reason=reason))
    elif reason:
        raise typer.BadParameter("--reason goes with a version; a model keeps none.")
    else:
        _answer_model(session, session.client.delete_model(name))


def undelete(ctx: typer.Context, name: Thing) -> None:
    """Restore a deleted version or model."""
    session = Session.of(ctx)
    if wording.is_version(name):
        _answer_version(session, session.client.undelete_version(name))
    else:
        _answer_model(session, session.client.undelete_model(name))


def _resolved(found: rpc.ResolveVersionResponse) -> Iterable[RenderableType]:
    version = found.version
    yield versions.headline(version)
    yield Text()
    yield tables.facts(
        [
            ("size", wording.size(version.size_bytes)),
            ("author", wording.person(version.created_by)),
            ("true at", f"revision {found.revision}"),
        ]
    )
    yield tables.digests(manifest=version.manifest_digest)


def _answer_version(session: Session, version: ModelVersion) -> None:
    def screen() -> Iterable[RenderableType]:
        yield versions.headline(version)
        if version.state_reason:
            yield Text(f"  {version.state_reason}", style="soft")

    session.terminal.answer(
        lambda: plain(version), screen, brief=lambda: [names.short(version.name)]
    )


def _answer_model(session: Session, model: Model) -> None:
    session.terminal.answer(
        lambda: plain(model),
        lambda: models.shown(model),
        brief=lambda: [names.short(model.name)],
    )
