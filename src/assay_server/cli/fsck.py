"""``assay-server fsck``: what does not agree, in a table or as JSON."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from assay_server.app.checking import check
from assay_server.app.log import start_logging
from assay_server.app.running_loop import run
from assay_server.cli.progress import progress
from assay_server.config import Config
from assay_server.domain.checking import Check, Discovery, Level
from assay_server.services.checking import Checked

REPAIR = "docs/operations.md, Repairing bytes"


def run_fsck(config: Config, *, is_hashed: bool, as_json: bool) -> None:
    """Check and tell; exit with 1 when there is a problem."""
    start_logging(level="warning", style="text")

    async def work() -> None:
        with progress() as report:
            checked = await check(config, report, is_hashed=is_hashed)
        if as_json:
            typer.echo(json.dumps(_as_json(checked), indent=2))
        else:
            _show(checked)
        if not checked.is_sound:
            raise typer.Exit(1)

    run(work())


def _as_json(checked: Checked) -> dict[str, object]:
    return {
        "revision": checked.revision,
        "is_sound": checked.is_sound,
        "checks": [
            {
                "check": looked,
                "looked_at": count,
                "problems": checked.of(looked, Level.PROBLEM),
                "notes": checked.of(looked, Level.NOTE),
            }
            for looked, count in checked.looked_at.items()
        ],
        "found": [asdict(one) for one in checked.discoveries],
    }


def _show(checked: Checked) -> None:
    console = Console(highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("CHECK")
    for heading in ("LOOKED AT", "PROBLEMS", "NOTES"):
        table.add_column(heading, justify="right")
    for looked, count in checked.looked_at.items():
        problems, notes = (checked.of(looked, level) for level in (Level.PROBLEM, Level.NOTE))
        style = "red" if problems else ""
        table.add_row(looked, str(count), str(problems), str(notes), style=style)
    console.print(table)
    for discovery in sorted(checked.discoveries, key=_severity):
        text = f"{discovery.level} {discovery.check}: {discovery.subject} {discovery.said}"
        console.print(text, markup=False, soft_wrap=True)
        for more in (*discovery.used_by, *filter(None, [discovery.place])):
            console.print(f"    {more}", markup=False, soft_wrap=True)
    if checked.of(Check.BLOBS, Level.PROBLEM):
        console.print(f"How bytes are brought back: {REPAIR}", markup=False, soft_wrap=True)
    told = "agrees with itself" if checked.is_sound else "does not agree with itself"
    console.print(f"The registry at revision {checked.revision} {told}.")


def _severity(discovery: Discovery) -> tuple[bool, int]:
    return discovery.level is Level.NOTE, list(Check).index(discovery.check)
