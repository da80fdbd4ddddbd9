"""The last refusal, remembered for ``assay why`` in a file beside the contexts."""

import contextlib
import datetime as dt
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from assay.errors import AssayError

_DRAFT = re.compile(r"namespaces/[^/\s]+/models/[^/\s]+/drafts/[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Unmet:
    """One of several faults that a refusal listed."""

    subject: str
    description: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as it was shown, with what a later command needs to explain it.

    ``kind`` is the class of the exception: what the client itself refuses has no reason.
    """

    kind: str
    message: str
    reason: str
    code: str
    command: str
    context: str
    time: str
    metadata: dict[str, str] = field(default_factory=dict)
    unmet: tuple[Unmet, ...] = ()
    request_id: str = ""

    @classmethod
    def of(cls, error: AssayError, *, command: str, context: str) -> Self:
        """Take down what ``error`` says."""
        return cls(
            kind=type(error).__name__,
            message=error.message,
            reason=error.reason,
            code=error.code.name if error.code is not None else "",
            command=command,
            context=context,
            time=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            metadata=_draft_left(error) | error.metadata,
            unmet=tuple(Unmet(v.subject, v.description, v.kind) for v in error.violations),
            request_id=error.request_id,
        )


def _draft_left(error: AssayError) -> dict[str, str]:
    """The draft that a push left with its files, which the error or a note on it names."""
    told = " ".join([getattr(error, "draft", ""), *getattr(error, "__notes__", ())])
    found = _DRAFT.search(told)
    return {"draft": found[0]} if found else {}


class Memory:
    """Keeps one refusal in ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def remember(self, refusal: Refusal) -> None:
        """Replace what was remembered. A state directory that cannot be written is no failure."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".refusal-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(refusal), file, ensure_ascii=False)
            Path(temporary).replace(self._path)

    def recall(self) -> Refusal | None:
        """What was remembered; None where nothing was, or where it cannot be read any more."""
        try:
            kept: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            unmet = tuple(Unmet(**each) for each in kept.pop("unmet", ()))
            return Refusal(**kept, unmet=unmet)
        except (OSError, ValueError, TypeError):
            return None
