"""How far a file has come, for progress bars."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What is being done to a file."""

    HASHING = "hashing"
    SENDING = "sending"
    RECEIVING = "receiving"
    DONE = "done"
    """Everything arrived, or the server had it already."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One file at one moment. Every file is reported once, with 0 bytes, before any moves."""

    path: str
    done_bytes: int
    total_bytes: int
    step: Step


OnProgress = Callable[[Progress], None]
"""Called often, from the client's event loop: it must return at once and call no verb."""


def ignore(progress: Progress) -> None:
    """Tell nobody."""
