"""``gate``: the conditions of a move, and what they would answer."""

from typing import Annotated

import typer

from assay import rules
from assay.cli.commands.parameters import LIMIT, AsOf, Limit, Reference, Yes, first
from assay.cli.documents import read_document
from assay.cli.exit_codes import ExitCode
from assay.cli.gate_files import (
    GateDocument,
    champion_change_of_flag,
    gate_of,
    slice_gap_of_flag,
    threshold_of_flag,
    worst_slice_of_flag,
)
from assay.cli.help_pages import examples, group
from assay.cli.screens import gates, tables
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.gate_pb2 import Gate, Rule

Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE", help="A namespace, a model, or an alias for its gate: vision/digits@x."
    ),
]
GateId = Annotated[
    str, typer.Argument(metavar="[GATE]", help="publish, or alias-NAME; publish without one.")
]
Repeated = list[str] | None
Document = Annotated[
    str, typer.Option("--from", metavar="FILE", help="TOML or JSON; - for standard input.")
]
ChampionChange = Annotated[
    Repeated,
    typer.Option(metavar="RULE", help="No worse: 'accuracy', 'accuracy=0.005', 'accuracy=2%'."),
]
Trusted = Annotated[bool, typer.Option("--trusted", help="Only trusted evaluations count.")]
Trust = Annotated[
    Repeated, typer.Option(metavar="PRINCIPAL", help="Only those of this evaluator; repeat.")
]


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    gate = typer.Typer(no_args_is_help=True)
    gate.command(
        "set",
        cls=examples(
            ("assay gate set vision/digits --from gate.toml", "see: assay help gates"),
            (
                "assay gate set vision/digits --threshold 'accuracy>=0.95' \\\n"
                "    --worst-slice 'accuracy@class>=0.85' --trusted",
                "without a document",
            ),
            (
                "assay gate set vision/digits@champion --champion-change accuracy",
                "guards an alias: it may not get worse",
            ),
        ),
    )(set_gate)
    gate.command(
        "show",
        cls=examples(
            ("assay gate show vision/digits", "the publish gate of a model"),
            ("assay gate show vision/digits@champion", "the gate of an alias"),
            ("assay gate show vision/digits --as-of 120", "as it was at a revision"),
        ),
    )(show)
    gate.command(
        "ls", cls=examples(("assay gate ls vision/digits", "with those of its namespace"))
    )(list_gates)
    gate.command(
        "check",
        cls=examples(
            ("assay gate check vision/digits/3", "would it be published? Nothing moves"),
            ("assay gate check vision/digits/3 alias-champion", "might it become @champion?"),
        ),
    )(check)
    gate.command("rm", cls=examples(("assay gate rm vision/digits", "its publish gate")))(remove)
    app.add_typer(
        gate,
        name="gate",
        help="Say what must hold before a version is published or an alias moves.",
        rich_help_panel=panel,
        cls=group(("assay gate check vision/digits/3", "would it be published?")),
    )


def set_gate(
    ctx: typer.Context,
    scope: Scope,
    gate: GateId = "",
    *,
    document: Document = "",
    threshold: Annotated[
        Repeated, typer.Option(metavar="RULE", help="As 'accuracy>=0.95'; repeat.")
    ] = None,
    worst_slice: Annotated[
        Repeated, typer.Option(metavar="RULE", help="As 'accuracy@class>=0.85'.")
    ] = None,
    slice_gap: Annotated[
        Repeated, typer.Option(metavar="RULE", help="As 'accuracy@class<=0.12'.")
    ] = None,
    champion_change: ChampionChange = None,
    min_samples: Annotated[
        int, typer.Option(min=0, metavar="N", help="At least so many samples.")
    ] = 0,
    min_samples_per_slice: Annotated[
        int, typer.Option(min=0, metavar="N", help="In each slice.")
    ] = 0,
    trusted: Trusted = False,
    trust: Trust = None,
    dataset_digest: Annotated[
        str, typer.Option(metavar="DIGEST", help="Of the dataset that counts.")
    ] = "",
    description: Annotated[str, typer.Option(help="Why the gate is as it is.")] = "",
) -> None:
    """Set all rules of a gate, new or not. A gate of a model adds to that of its namespace."""
    session = Session.of(ctx)
    flagged: list[Rule] = [
        *map(threshold_of_flag, threshold or ()),
        *map(worst_slice_of_flag, worst_slice or ()),
        *map(slice_gap_of_flag, slice_gap or ()),
        *map(champion_change_of_flag, champion_change or ()),
    ]
    if min_samples:
        flagged.append(rules.minimum_samples(min_samples))
    if min_samples_per_slice:
        flagged.append(rules.minimum_samples(min_samples_per_slice, per_slice=True))
    if trusted or trust:
        flagged.append(rules.trusted_evaluator(trust or ()))
    if bool(document) == bool(flagged):
        raise typer.BadParameter("Give the rules in a document with --from, or as flags.")
    wanted = gate_of(read_document(document)) if document else GateDocument(flagged)
    where, gate_id = gate_place(scope, gate)
    kept = session.client.set_gate(
        where,
        gate_id,
        rules=wanted.rules,
        dataset_digest=dataset_digest or wanted.dataset_digest,
        description=description or wanted.description,
    )
    _answer(session, kept)


def show(ctx: typer.Context, scope: Scope, gate: GateId = "", as_of: AsOf = 0) -> None:
    """Show the rules of a gate."""
    session = Session.of(ctx)
    _answer(session, session.client.get_gate(*gate_place(scope, gate), as_of=as_of))


def list_gates(
    ctx: typer.Context,
    scope: Annotated[str, typer.Argument(metavar="SCOPE", help="A namespace or a model.")],
    limit: Limit = LIMIT,
    as_of: AsOf = 0,
) -> None:
    """List the gates of a namespace or of a model; for a model with those of its namespace."""
    session = Session.of(ctx)
    kept = list(first(session.client.list_gates(scope, as_of=as_of), limit))
    session.terminal.answer(
        lambda: [plain(each) for each in kept],
        lambda: (
            [gates.listed(kept)]
            if kept
            else tables.nothing("No gate: everything passes.", f"assay gate set {scope} --help")
        ),
        brief=lambda: [each.name for each in kept],
    )


def check(
    ctx: typer.Context,
    version: Reference,
    gate: Annotated[
        str, typer.Argument(metavar="[GATE]", help="publish, or alias-NAME; publish without one.")
    ] = "publish",
) -> None:
    """Ask what the gates would answer to a move of a version now. Nothing moves.

    The status is 0 when they are open and 5 when one is closed.
    """
    session = Session.of(ctx)
    verdict = session.client.check_gate(version, gate)
    session.terminal.answer(
        lambda: plain(verdict),
        lambda: gates.verdict(verdict),
        brief=lambda: ["open" if verdict.open else "closed"],
    )
    if not verdict.open:
        raise typer.Exit(ExitCode.CLOSED)


def remove(ctx: typer.Context, scope: Scope, gate: GateId = "", yes: Yes = False) -> None:
    """Remove a gate; from then on everything passes that it held back."""
    session = Session.of(ctx)
    where, gate_id = gate_place(scope, gate)
    if not yes:
        typer.confirm(f"Remove the gate {gate_id} of {where}?", abort=True, err=True)
    _answer(session, session.client.delete_gate(where, gate_id))


def gate_place(scope: str, gate: str) -> tuple[str, str]:
    """Scope and id of a gate; ``vision/digits@champion`` stands for the gate of that alias."""
    where, is_alias, alias = scope.partition("@")
    if is_alias and gate:
        raise typer.BadParameter(f"{scope} names its gate already; leave {gate!r} out.")
    return where, f"alias-{alias}" if is_alias else gate or "publish"


def _answer(session: Session, gate: Gate) -> None:
    session.terminal.answer(
        lambda: plain(gate), lambda: gates.shown(gate), brief=lambda: [gate.name]
    )
