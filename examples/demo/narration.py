"""The voice of the demo: numbered steps in short sentences, each result checked."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from assay.cli.terminal import THEME, show
from assay.errors import AssayError

Refused = TypeVar("Refused", bound=AssayError)

WIDTH_MAX = 92
"""Longer lines are hard to read."""


class DemoFailed(Exception):
    """Something that the story promises did not happen."""


class Narrator:
    """Tells the story and keeps it honest: what is not so ends it."""

    def __init__(self, steps: int) -> None:
        self.console = Console(theme=THEME, highlight=False)
        self.console.width = min(self.console.width, WIDTH_MAX)
        self._steps = steps
        self._step = 0
        self._began = time.monotonic()
        self.checks = 0

    @property
    def elapsed_s(self) -> float:
        """Time since the story began."""
        return time.monotonic() - self._began

    def opening(self, title: str, text: str) -> None:
        """Begin."""
        self.console.print(Panel(Text(text), title=title, border_style="cyan", padding=(1, 2)))

    def step(self, title: str, *sentences: str) -> None:
        """Say what is about to happen."""
        self._step += 1
        heading = Text.assemble((f"{self._step}/{self._steps}  ", "dim"), (title, "bold cyan"))
        self.console.print()
        self.console.print(Rule(heading, align="left", style="dim"))
        for sentence in sentences:
            self.says(sentence)

    def says(self, sentence: str) -> None:
        """Say something between two results."""
        self.console.print(Text(sentence, style="dim"))

    def shows(self, *parts: RenderableType) -> None:
        """Show a screen."""
        self.console.print()
        for part in parts:
            show(self.console, part)
        self.console.print()

    def checks_that(self, is_so: bool, sentence: str) -> None:
        """Tell a result; the story ends here when it is not so.

        Raises:
            DemoFailed: It is not so.
        """
        if not is_so:
            raise DemoFailed(f"This should be so and is not: {sentence}")
        self.checks += 1
        self.console.print(Text.assemble(("✓ ", "good"), sentence))

    def expects(self, refusal: type[Refused], call: Callable[[], object], what: str) -> Refused:
        """Make a call that must be refused, and return the refusal.

        Raises:
            DemoFailed: It was not refused, or for another reason.
        """
        try:
            call()
        except refusal as error:
            self.checks += 1
            return error
        except AssayError as error:
            raise DemoFailed(f"{what}: refused, but otherwise than expected: {error}") from error
        raise DemoFailed(f"{what}: it should have been refused and was not.")

    @contextmanager
    def timed(self, sentence: str) -> Iterator[None]:
        """Tell how long something took, once it is done."""
        began = time.monotonic()
        yield
        self.checks_that(True, f"{sentence} ({time.monotonic() - began:.1f} s)")
