"""``context``: named servers and identities, kept in a file of this user."""

from typing import Annotated

import typer
from rich.text import Text

from assay import contexts
from assay.cli.help_pages import examples, group
from assay.cli.screens import contexts as screens
from assay.cli.screens import tables
from assay.cli.session import Session
from assay.contexts import Context

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the context.")]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    context = typer.Typer(no_args_is_help=True)
    context.command("ls", cls=examples(("assay context ls", "the current one is marked")))(
        list_contexts
    )
    context.command("use", cls=examples(("assay context use dev", "from now on, in every shell")))(
        use
    )
    context.command(
        "show",
        cls=examples(
            ("assay context show", "the current one"), ("assay context show dev", "another")
        ),
    )(show)
    context.command(
        "add",
        cls=examples(
            (
                "assay context add prod --target registry.acme.com:8443 \\\n"
                "    --ca ca.crt --cert me.crt --key me.key",
                "a server with mutual TLS",
            ),
            ("assay context add local --target localhost:8443", "plaintext, this machine only"),
        ),
    )(add)
    context.command("rm", cls=examples(("assay context rm dev", "its certificates stay")))(remove)
    app.add_typer(
        context,
        name="context",
        help="Keep servers and identities under names.",
        rich_help_panel=panel,
        cls=group(("assay context use dev", "choose the server and who you are there")),
    )


def list_contexts(ctx: typer.Context) -> None:
    """List the contexts; the current one is marked."""
    session = Session.of(ctx)
    kept = contexts.load()
    session.terminal.answer(
        lambda: (
            [
                screens.plain(name, context, is_current=name == kept.current)
                for name, context in sorted(kept.contexts.items())
            ]
            + [
                screens.plain_unusable(name, each, is_current=name == kept.current)
                for name, each in sorted(kept.unusable.items())
            ]
        ),
        lambda: (
            [screens.listed(kept)]
            if kept.contexts or kept.unusable
            else tables.nothing("There is no context yet.", "assay-server dev")
        ),
        brief=lambda: sorted({*kept.contexts, *kept.unusable}),
    )


def use(ctx: typer.Context, name: Name) -> None:
    """Make a context the current one."""
    session = Session.of(ctx)
    kept = contexts.load().with_current(name)
    contexts.save(kept)
    _answer(session, name, kept.get(name), is_current=True)


def show(
    ctx: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="The current one without a name.")
    ] = "",
) -> None:
    """Show one context: server, certificates, when they expire."""
    session = Session.of(ctx)
    kept = contexts.load()
    wanted = name or session.choices.context or kept.current
    context = kept.get(wanted or None)
    session.terminal.answer(
        lambda: screens.plain(wanted, context, is_current=wanted == kept.current),
        lambda: screens.shown(wanted, context, contexts.default_path()),
        brief=lambda: [wanted],
    )


def add(
    ctx: typer.Context,
    name: Name,
    *,
    server_name: Annotated[
        str, typer.Option(help="Name in the server's certificate, where it is another.")
    ] = "",
    namespace: Annotated[str, typer.Option(help="Goes in front of names without one.")] = "",
    use_it: Annotated[bool, typer.Option("--use", help="Make it the current one.")] = False,
) -> None:
    """Add a context, or change one. It takes --target, and --ca, --cert and --key together.

    Without certificates it is plaintext, which only a server on this machine accepts.
    """
    session = Session.of(ctx)
    if not session.choices.target:
        raise typer.BadParameter("Say which server: --target HOST:PORT.")
    given = session.context()
    context = Context(
        target=given.target,
        ca=given.ca.absolute() if given.ca else None,
        cert=given.cert.absolute() if given.cert else None,
        key=given.key.absolute() if given.key else None,
        server_name=server_name,
        namespace=namespace,
    )
    kept = contexts.load().with_context(name, context, current=use_it)
    contexts.save(kept)
    _answer(session, name, context, is_current=kept.current == name)


def remove(ctx: typer.Context, name: Name) -> None:
    """Forget a context. The files of its certificates stay."""
    session = Session.of(ctx)
    before = contexts.load()
    contexts.save(before.without(name))
    if name in before.unusable:
        session.terminal.note(Text(f"Forgotten: {name}", style="soft"))
        return
    session.terminal.note(Text("Forgotten:", style="soft"))
    _answer(session, name, before.get(name), is_current=False)


def _answer(session: Session, name: str, context: Context, *, is_current: bool) -> None:
    session.terminal.answer(
        lambda: screens.plain(name, context, is_current=is_current),
        lambda: screens.shown(name, context, contexts.default_path()),
        brief=lambda: [name],
    )
