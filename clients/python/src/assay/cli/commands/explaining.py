"""``why``: the last refusal, or what a gate says of a version, and what to do next."""

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli.help_pages import examples
from assay.cli.memory import Refusal
from assay.cli.next_steps import next_steps
from assay.cli.screens import gates, refusals, tables
from assay.cli.session import Session
from assay.errors import AssayError
from assay.plain import plain
from assay.v1.gate_pb2 import Verdict


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "why",
        rich_help_panel=panel,
        cls=examples(
            ("assay why", "why the last command was refused, and what to do"),
            ("assay why vision/digits/3", "what the publish gate says of a version"),
            ("assay why vision/digits/3 alias-champion", "and what that of @champion says"),
        ),
    )(why)


def why(
    ctx: typer.Context,
    version: Annotated[
        str, typer.Argument(metavar="[VERSION]", help="The last refusal without one.")
    ] = "",
    gate: Annotated[
        str, typer.Argument(metavar="[GATE]", help="publish, or alias-NAME; publish without one.")
    ] = "publish",
) -> None:
    """Explain the last refusal, or the gate of a version, and name the next command."""
    session = Session.of(ctx)
    if version:
        verdict = session.client.check_gate(version, gate)
        session.terminal.answer(
            lambda: plain(verdict) | {"next": _after(verdict)},
            lambda: [*gates.verdict(verdict), "", *map(tables.next_step, _after(verdict))],
            brief=lambda: _unmet(verdict),
        )
        return
    refusal = session.memory.recall()
    if refusal is None:
        session.terminal.answer(
            dict, lambda: tables.nothing("No refusal is remembered."), brief=list
        )
        return
    _explain(session, refusal)


def _explain(session: Session, refusal: Refusal) -> None:
    verdict = _verdict_now(session, refusal)
    steps = _after(verdict) if verdict else next_steps(refusal)

    def screen() -> Iterable[RenderableType]:
        yield from refusals.recalled(refusal)
        if verdict:
            yield from tables.section("The gate now", *gates.verdict(verdict))
        elif refusal.unmet:
            yield from tables.section("What was wrong", refusals.unmet(refusal))
        yield Text()
        yield from map(tables.next_step, steps)

    session.terminal.answer(
        lambda: (
            refusals.plain(refusal)
            | {"verdict": plain(verdict) if verdict else None, "next": steps}
        ),
        screen,
        brief=lambda: [refusal.message],
    )


def _verdict_now(session: Session, refusal: Refusal) -> Verdict | None:
    """What a gate that closed says now; None where it was no gate, or cannot be asked."""
    version, gate_id = refusal.metadata.get("version"), refusal.metadata.get("gate_id")
    if refusal.reason != "GATE_CLOSED" or not version or not gate_id:
        return None
    try:
        return session.client.check_gate(version, gate_id)
    except AssayError as error:
        session.terminal.warn(f"The gate cannot be asked now: {error.message}")
        return None


def _after(verdict: Verdict) -> list[str]:
    """What to do after a verdict."""
    version = names.short(verdict.version)
    alias = verdict.gate_id.removeprefix("alias-")
    if verdict.open and verdict.gate_id == "publish":
        return [f"assay publish {version}"]
    if verdict.open:
        model, _, number = version.rpartition("/")
        return [f"assay alias set {model}@{alias} {number}"]
    if not verdict.evaluations:
        return [f"assay eval import {version} FILE{_measurer(verdict)}", f"assay eval ls {version}"]
    return [f"assay eval show {version}", f"assay gate check {version} {verdict.gate_id}"]


def _measurer(verdict: Verdict) -> str:
    """Who must measure: where the gate asks for trust, not the author."""
    asks = any("trusted evaluator" in f.required for f in verdict.findings if not f.met)
    return " --context EVALUATOR" if asks else ""


def _unmet(verdict: Verdict) -> list[str]:
    return [finding.rule_id for finding in verdict.findings if not finding.met]
