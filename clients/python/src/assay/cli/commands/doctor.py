"""``doctor``: what stands between this machine and the server."""

from dataclasses import asdict

import typer

from assay.cli.checks import Check, Doctor, Mark
from assay.cli.help_pages import examples
from assay.cli.screens import checks
from assay.cli.session import Session


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "doctor",
        rich_help_panel=panel,
        cls=examples(
            ("assay doctor", "server, certificates, clock, identity: is all well?"),
            ("assay doctor --context prod", "the same for another context"),
        ),
    )(doctor)


def doctor(ctx: typer.Context) -> None:
    """Look at everything between this machine and the server, and say what to mend.

    The status is 0 when nothing is broken, 4 when the server does not take your certificate,
    and 7 when it cannot be used for another reason.
    """
    session = Session.of(ctx)
    context = session.context()
    called = session.context_name or "given by --target"
    examined = Doctor(context, session.client, called=called)
    found = list(examined.checks())
    session.terminal.answer(
        lambda: [asdict(check) for check in found],
        lambda: checks.listed(found),
        brief=lambda: [check.subject for check in found if _is_bad(check)],
    )
    if any(_is_bad(check) for check in found):
        raise typer.Exit(examined.status)


def _is_bad(check: Check) -> bool:
    return check.mark is Mark.BAD
