"""Who made this call: ambient on this floor only. Services get it as their first argument."""

from contextvars import ContextVar, Token
from dataclasses import dataclass
from datetime import datetime

from assay_server.domain.calls import Call


@dataclass(slots=True)
class Answering:
    """A call that is being answered."""

    call: Call
    certificate_sha256: str = ""
    certificate_expire_time: datetime | None = None


_answering: ContextVar[Answering] = ContextVar("answering")


def current_call() -> Call:
    """Return the authorized call that this task answers."""
    return _answering.get().call


def certificate_sha256() -> str:
    """Return the fingerprint of the caller's certificate; empty on a plaintext listener."""
    return _answering.get().certificate_sha256


def certificate_expire_time() -> datetime | None:
    """Return when the certificate of the caller ends; None on a plaintext listener."""
    return _answering.get().certificate_expire_time


def begin_answering(answering: Answering) -> Token[Answering]:
    """Make ``answering`` what ``current_call`` speaks of, in this task and those it starts."""
    return _answering.set(answering)


def end_answering(token: Token[Answering]) -> None:
    """Undo ``begin_answering``."""
    _answering.reset(token)
