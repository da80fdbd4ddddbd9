"""``log`` and ``audit``: what happened to a model, and who called what."""

from typing import Annotated

import typer

from assay import names
from assay.cli.commands.parameters import LIMIT, Limit, Model, first, point_in_time
from assay.cli.help_pages import examples
from assay.cli.screens import access, history, tables
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.audit_entry_pb2 import AuditDecision

AuditNamespace = Annotated[
    str, typer.Argument(metavar="[NAMESPACE]", help="All without one, which few may see.")
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "log",
        rich_help_panel=panel,
        cls=examples(("assay log vision/digits", "sealed, published, pointed to: by whom, when")),
    )(log)
    app.command(
        "audit",
        rich_help_panel=panel,
        cls=examples(
            ("assay audit vision", "calls in a namespace, newest first"),
            ("assay audit vision --denied --since 24h", "what no role allowed since yesterday"),
            ("assay audit vision --method PublishVersion -o json", "for a program"),
        ),
    )(audit)


def log(ctx: typer.Context, model: Model, limit: Limit = LIMIT) -> None:
    """Show the history of a model: its versions and the moves of its aliases, newest first."""
    session = Session.of(ctx)
    versions = list(first(session.client.list_versions(model, show_deleted=True), limit))
    moves = [
        (alias, move)
        for alias in session.client.list_aliases(model)
        for move in first(session.client.list_alias_moves(alias), limit)
    ]
    steps = [step for version in versions for step in history.steps_of_version(version)]
    steps += [history.step_of_move(alias, move) for alias, move in moves]
    steps.sort(key=lambda step: step.order, reverse=True)
    kept = steps[: limit or None]
    session.terminal.answer(
        lambda: [
            {
                "time": step.time.ToJsonString(),
                "subject": step.subject,
                "action": step.action,
                "actor": step.actor,
                "reason": step.reason,
            }
            for step in kept
        ],
        lambda: (
            [history.listed(kept)]
            if kept
            else tables.nothing("Nothing happened yet.", f"assay push {model} PATH")
        ),
        brief=lambda: [f"{step.subject} {step.action}" for step in kept],
    )


def audit(
    ctx: typer.Context,
    namespace: AuditNamespace = "",
    *,
    principal: Annotated[str, typer.Option(metavar="WHO", help="Only calls of this one.")] = "",
    method: Annotated[str, typer.Option(metavar="CALL", help="As PublishVersion.")] = "",
    on: Annotated[str, typer.Option(metavar="NAME", help="Only on this, as vision/digits.")] = "",
    denied: Annotated[
        bool,
        typer.Option("--denied", help="Only what no role allowed; a closed gate is no denial."),
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="As 2026-01-31T14:05; 2h is ago.")
    ] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="As --since.")] = "",
    limit: Limit = LIMIT,
) -> None:
    """Show who called what, allowed or denied, newest first."""
    session = Session.of(ctx)
    decision = (
        AuditDecision.AUDIT_DECISION_DENIED if denied else AuditDecision.AUDIT_DECISION_UNSPECIFIED
    )
    found = session.client.list_audit_entries(
        namespace,
        principal=principal,
        method=method,
        resource_prefix=names.scope_name(on),
        decision=decision,
        since=point_in_time(since, "--since"),
        until=point_in_time(until, "--until"),
    )
    kept = list(first(found, limit))
    session.terminal.answer(
        lambda: [plain(entry) for entry in kept],
        lambda: [access.audit(kept)] if kept else tables.nothing("No such calls."),
        brief=lambda: [entry.name for entry in kept],
    )
