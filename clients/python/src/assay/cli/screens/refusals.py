"""Refusals: one sentence, its reason, and what to try next."""

from rich.console import RenderableType
from rich.text import Text

from assay.cli import wording
from assay.cli.memory import Refusal, Unmet
from assay.cli.next_steps import next_steps
from assay.cli.screens import tables

UNMET_MAX = 12
"""Lines of single faults; a gate may have 64 rules, and `assay why` shows them all."""


def refused(refusal: Refusal) -> list[RenderableType]:
    """What a person reads when a command fails."""
    parts: list[RenderableType] = [sentence(refusal)]
    if has_list(refusal):
        parts.append(unmet(refusal))
    if told := " · ".join(filter(None, (refusal.reason, refusal.code, _logged(refusal)))):
        parts.append(Text(told, style="soft"))
    parts += [tables.next_step(step) for step in next_steps(refusal)]
    return parts


def has_list(refusal: Refusal) -> bool:
    """Whether single faults say more than the sentence does."""
    return len(refusal.unmet) > 1 or (bool(refusal.unmet) and refusal.reason == "GATE_CLOSED")


def sentence(refusal: Refusal) -> Text:
    """The server's sentence; where it goes on with faults that are listed below, without them."""
    told = refusal.message
    if refusal.reason == "GATE_CLOSED" and refusal.unmet:
        told = told.partition(": ")[0]
    return Text(f"✗ {wording.shortened(told)}", style="bad")


def unmet(refusal: Refusal) -> RenderableType:
    """Every single fault, as far as a screen holds them."""
    # Gates of a namespace and of a model may ask the same: that is said once.
    told = dict.fromkeys(
        (f"  {_subject(fault)}", wording.shortened(fault.description)) for fault in refusal.unmet
    )
    shown = list(told)[:UNMET_MAX]
    made = tables.facts(shown)
    if hidden := len(told) - len(shown):
        made.add_row("", Text(f"and {hidden} more", style="soft"))
    return made


def _subject(fault: Unmet) -> str:
    """A rule by its id alone: ``…/gates/publish#accuracy``; anything else by its name."""
    return fault.subject.rpartition("#")[2] or wording.shortened(fault.subject)


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
    return [sentence(refusal), Text(), about]


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
