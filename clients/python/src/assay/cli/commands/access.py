"""``whoami`` and ``role``: who one is, and who may do what."""

from typing import Annotated

import typer
from rich.text import Text

from assay.cli.commands.parameters import LIMIT, AsOf, Limit, first
from assay.cli.exit_codes import ExitCode
from assay.cli.help_pages import examples, group
from assay.cli.screens import access, tables
from assay.cli.session import Session, misused
from assay.plain import plain
from assay.v1.role_binding_pb2 import RoleBinding

Where = Annotated[
    str, typer.Argument(metavar="[WHERE]", help="A namespace or model; everywhere without one.")
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "whoami",
        rich_help_panel=panel,
        cls=examples(
            ("assay whoami", "your principal and roles, as the server sees them"),
            ("assay whoami --context auditor", "the same for another identity"),
        ),
    )(whoami)
    role = typer.Typer(no_args_is_help=True)
    role.command(
        "grant",
        cls=examples(
            ("assay role grant data-scientist spiffe://acme/ada vision", "in a namespace"),
            ("assay role grant consumer 'spiffe://acme/serving/*' vision/digits", "on one model"),
            ("assay role grant auditor spiffe://acme/eve", "everywhere"),
        ),
    )(grant)
    role.command(
        "ls",
        cls=examples(
            ("assay role ls vision", "the bindings of exactly this scope"),
            ("assay role ls", "those that hold everywhere"),
            ("assay role ls vision --as-of 120", "who had a role there at a revision"),
        ),
    )(list_bindings)
    role.command(
        "revoke",
        cls=examples(
            ("assay role revoke data-scientist spiffe://acme/ada vision", "as it was given"),
            ("assay role revoke namespaces/vision/roleBindings/9c1f", "as `role ls -q` names it"),
        ),
    )(revoke)
    app.add_typer(
        role,
        name="role",
        help="Give roles to principals and take them back.",
        rich_help_panel=panel,
        cls=group(("assay role ls vision", "who may do what in a namespace")),
    )


def whoami(ctx: typer.Context) -> None:
    """Show which principal the server takes you for, and your roles."""
    session = Session.of(ctx)
    answer = session.client.whoami()
    session.terminal.answer(
        lambda: plain(answer) | {"target": session.client.target},
        lambda: access.who(answer, target=session.client.target),
        brief=lambda: [answer.principal],
    )


def grant(
    ctx: typer.Context,
    role: Annotated[
        str,
        typer.Argument(
            metavar="ROLE",
            help="admin, data-scientist, engineer, auditor, evaluator, deployer or consumer.",
        ),
    ],
    member: Annotated[
        str, typer.Argument(metavar="MEMBER", help="A principal, or a pattern that ends in *.")
    ],
    where: Where = "",
) -> None:
    """Give a role to a principal. You need all that the role gives, in the same place."""
    session = Session.of(ctx)
    made = session.client.create_role_binding(where, role=role, member=member)
    _answer(session, made)


def list_bindings(
    ctx: typer.Context, where: Where = "", limit: Limit = LIMIT, as_of: AsOf = 0
) -> None:
    """List the bindings of exactly one scope."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_role_bindings(where, as_of=as_of), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: [access.bindings(kept)] if kept else tables.nothing("No binding in this scope."),
        brief=lambda: [each.name for each in kept],
    )


def revoke(
    ctx: typer.Context,
    role: Annotated[
        str,
        typer.Argument(metavar="ROLE", help="As given; or a binding, as `role ls -q` names it."),
    ],
    member: Annotated[
        str, typer.Argument(metavar="[MEMBER]", help="Who has it, as `role ls` shows it.")
    ] = "",
    where: Where = "",
) -> None:
    """Take a role back, with the words with which it was given."""
    session = Session.of(ctx)
    if not member and "roleBindings/" not in role:
        raise misused("Say of whom, and where: assay role revoke ROLE MEMBER [WHERE]")
    binding = _binding_of(session, role, member, where) if member else role
    gone = session.client.delete_role_binding(binding)
    session.terminal.note(Text("Taken back:", style="soft"))
    _answer(session, gone)


def _binding_of(session: Session, role: str, member: str, where: str) -> str:
    for binding in session.client.list_role_bindings(where):
        if (access.role(binding.role), binding.member) == (role, member):
            return binding.name
    place = f"in {where}" if where else "everywhere"
    session.terminal.note(Text(f"✗ {member} was not given the role {role} {place}", style="bad"))
    session.terminal.note(tables.next_step(f"assay role ls {where}".rstrip()))
    raise typer.Exit(ExitCode.NOT_FOUND)


def _answer(session: Session, binding: RoleBinding) -> None:
    session.terminal.answer(
        lambda: plain(binding),
        lambda: [access.bindings([binding])],
        brief=lambda: [binding.name],
    )
