"""Refusals: one sentence, its reason, and what to try next."""

from rich.console import RenderableType
from rich.text import Text

from assay.cli import wording
from assay.cli.memory import Refusal
from assay.cli.next_steps import next_steps
from assay.cli.screens import tables

UNMET_MAX = 12
"""Lines of single faults; a gate may have 64 rules, and `assay why` shows them all."""


def refused(refusal: Refusal) -> list[RenderableType]:
    """What a person reads when a command fails."""
    sentence = wording.shortened(refusal.message)
    parts: list[RenderableType] = [Text(f"✗ {sentence}", style="bad")]
    if len(refusal.unmet) > 1 or (refusal.unmet and refusal.reason == "GATE_CLOSED"):
        parts.append(unmet(refusal))
    if told := " · ".join(filter(None, (refusal.reason, refusal.code, _logged(refusal)))):
        parts.append(Text(told, style="soft"))
    parts += [tables.next_step(step) for step in next_steps(refusal)]
    return parts


def unmet(refusal: Refusal) -> RenderableType:
    """Every single fault, as far as a screen holds them."""
    shown = refusal.unmet[:UNMET_MAX]
    made = tables.facts(
        (f"  {wording.shortened(fault.subject)}", wording.shortened(fault.description))
        for fault in shown
    )
    if hidden := len(refusal.unmet) - len(shown):
        made.add_row("", Text(f"and {hidden} more", style="soft"))
    return made


def recalled(refusal: Refusal) -> list[RenderableType]:
    """What ``assay why`` says of the last refusal before it looks at the gate."""
    about = tables.facts(
        [
            ("command", refusal.command),
            ("context", refusal.context),
            ("when", refusal.time.replace("T", " ").removesuffix("+00:00") + " UTC"),
            ("reason", refusal.reason or "none of the catalogue"),
            ("status", refusal.code),
            *((key, wording.shortened(value)) for key, value in sorted(refusal.metadata.items())),
        ]
    )
    sentence = Text(f"✗ {wording.shortened(refusal.message)}", style="bad")
    return [sentence, Text(), about]


def plain(refusal: Refusal) -> dict[str, object]:
    """A refusal for programs."""
    return {
        "message": refusal.message,
        "reason": refusal.reason,
        "code": refusal.code,
        "command": refusal.command,
        "context": refusal.context,
        "time": refusal.time,
        "metadata": refusal.metadata,
        "violations": [
            {"subject": each.subject, "description": each.description, "kind": each.kind}
            for each in refusal.unmet
        ],
        "request_id": refusal.request_id,
        "next": next_steps(refusal),
    }


def _logged(refusal: Refusal) -> str:
    return f"logged by the server as {refusal.request_id}" if refusal.request_id else ""
