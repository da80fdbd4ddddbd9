"""Runs the command line in this process, as a person would type it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.cli.app import status_of


@dataclass(frozen=True)
class Ran:
    """What a command left: its status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def widest(self) -> int:
        """Cells of the longest line, blanks at the end left out."""
        return max((len(line.rstrip()) for line in (self.out + self.err).splitlines()), default=0)

    def json(self) -> Any:
        """The answer, which must be all that stdout holds."""
        return json.loads(self.out)


class CommandLine:
    """``assay`` with a contexts file of its own."""

    def __init__(
        self,
        config: Path,
        capture: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.config = config
        self._capture = capture
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("ASSAY_CONFIG", str(config))
        monkeypatch.delenv("ASSAY_CONTEXT", raising=False)
        monkeypatch.setenv("NO_COLOR", "1")
        self.set_width(80)

    def set_width(self, columns: int) -> None:
        """Make the terminal as wide."""
        self._monkeypatch.setenv("COLUMNS", str(columns))

    def __call__(self, *arguments: str, as_: str = "") -> Ran:
        """Run a command, perhaps as another role."""
        words = ["--context", as_, *arguments] if as_ else [*arguments]
        self._capture.readouterr()
        try:
            status = status_of(words)
        except SystemExit as ended:  # Typer's own completion ends the process
            status = int(ended.code or 0)
        written = self._capture.readouterr()
        return Ran(status, written.out, written.err)
