"""What the doctor found."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from assay.cli.checks import Check, Mark
from assay.cli.screens import tables

SIGN = {
    Mark.GOOD: ("✓", "good"),
    Mark.DOUBTFUL: ("!", "warn"),
    Mark.BAD: ("✗", "bad"),
    Mark.SKIPPED: ("–", "soft"),
}


def listed(checks: Iterable[Check]) -> list[RenderableType]:
    """One line per check, with the remedy below where there is something to mend."""
    made = tables.facts(())
    made.add_column(overflow="fold")
    made.columns[0].style = ""
    made.columns[1].style = "key"
    made.columns[1].no_wrap = True
    for check in checks:
        sign, style = SIGN[check.mark]
        made.add_row(Text(sign, style=style), check.subject, check.found)
        if check.remedy and check.mark is not Mark.GOOD:
            made.add_row("", "", Text.assemble(("→ ", "soft"), (check.remedy, "command")))
    return [made]
