"""The single faults of a refusal that has several."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """One of several faults. ``subject`` is a field, a file or a rule; ``kind`` classes it."""

    subject: str
    description: str
    kind: str = ""


def told(message: str, violations: tuple[Violation, ...]) -> str:
    """The beginning of ``message``, and each fault on a line of its own: rules by their ids."""
    if not violations:
        return message
    faults = (f"{each.subject.rpartition('#')[2]}: {each.description}" for each in violations)
    return "\n  ".join((f"{message.partition(': ')[0]}:", *faults))
