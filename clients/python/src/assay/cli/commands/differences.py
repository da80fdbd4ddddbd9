"""``diff``: what two versions do not share."""

from dataclasses import asdict

import typer

from assay import names
from assay.cli import wording
from assay.cli.commands.parameters import Reference
from assay.cli.help_pages import examples
from assay.cli.screens import differences
from assay.cli.session import Session
from assay.plain import plain
from assay.v1.evaluation_pb2 import Evaluation


def add_to(app: typer.Typer, panel: str) -> None:
    """Add the commands to the program."""
    app.command(
        "diff",
        rich_help_panel=panel,
        cls=examples(
            ("assay diff vision/digits@champion vision/digits/4", "the champion and a candidate"),
            ("assay diff vision/digits/3 4", "two versions of one model"),
        ),
    )(diff)


def diff(ctx: typer.Context, left: Reference, right: Reference) -> None:
    """Show what differs between two versions: signature, facts, files and metrics.

    Metrics are those of the newest evaluations of both on the same dataset.
    """
    session = Session.of(ctx)
    before = session.client.get_version(left)
    model = before.name.partition("/versions/")[0]
    after = session.client.get_version(wording.within(model, right))
    pair = comparable(
        list(session.client.list_evaluations(before)), list(session.client.list_evaluations(after))
    )
    found = differences.differences(before, after)
    note = ""
    if pair:
        found += differences.metric_differences(*pair)
    else:
        note = "Metrics are not compared: there is no dataset on which both were measured."
    session.terminal.answer(
        lambda: {
            "left": plain(before),
            "right": plain(after),
            "differences": [asdict(each) for each in found],
        },
        lambda: differences.shown(before, after, found, note),
        brief=lambda: [
            f"{names.short(before.name)} {names.short(after.name)} {each.part} {each.what}"
            for each in found
        ],
    )


def comparable(
    left: list[Evaluation], right: list[Evaluation]
) -> tuple[Evaluation, Evaluation] | None:
    """The newest pair on one dataset; lists are newest first."""
    for after in right:
        for before in left:
            if before.dataset.digest == after.dataset.digest:
                return before, after
    return None
