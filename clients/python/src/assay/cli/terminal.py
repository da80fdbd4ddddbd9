"""Where a command writes: answers to stdout, everything else to stderr."""

import sys
from collections.abc import Callable, Iterable
from enum import StrEnum

from rich.console import Console, OverflowMethod, RenderableType
from rich.text import Text
from rich.theme import Theme

from assay.plain import Plain, written

THEME = Theme(
    {
        "good": "green",
        "bad": "bold red",
        "warn": "yellow",
        "soft": "dim",
        "key": "dim",
        "name": "bold",
        "command": "cyan",
        "progress.percentage": "default",
        "bar.complete": "cyan",
        "bar.finished": "green",
    }
)


class Output(StrEnum):
    """Form of an answer."""

    TABLE = "table"
    JSON = "json"


class Terminal:
    """Two consoles and the choices of the caller about them."""

    def __init__(self, *, output: Output, quiet: bool, color: bool) -> None:
        self.output = output
        self.quiet = quiet
        # None leaves the choice to Rich, which honours NO_COLOR and knows terminals.
        no_color = None if color else True
        self.out = Console(theme=THEME, highlight=False, no_color=no_color)
        self.err = Console(theme=THEME, highlight=False, no_color=no_color, stderr=True)

    @property
    def is_json(self) -> bool:
        """Whether a program reads the answer."""
        return self.output is Output.JSON

    def answer(
        self,
        plain: Callable[[], Plain],
        screen: Callable[[], Iterable[RenderableType]],
        *,
        brief: Callable[[], Iterable[str]],
    ) -> None:
        """Give the answer of a command: JSON, a screen, or with --quiet one name a line."""
        if self.is_json:
            sys.stdout.write(written(plain()) + "\n")
        elif self.quiet:
            sys.stdout.writelines(f"{line}\n" for line in brief())
        else:
            for part in screen():
                show(self.out, part)
        sys.stdout.flush()

    def line(self, text: Text) -> None:
        """Print one line of a stream: cut at the edge of a terminal, whole where a file reads."""
        at_terminal = self.out.is_terminal
        cut: OverflowMethod = "ellipsis" if at_terminal else "ignore"
        self.out.print(text, no_wrap=True, overflow=cut, crop=at_terminal)

    def note(self, text: str | Text) -> None:
        """Say something beside the answer; not with --quiet, not to programs."""
        if not self.quiet and not self.is_json:
            self.err.print(text)

    def warn(self, sentence: str) -> None:
        """Say what the caller should know although the command succeeded."""
        self.err.print(Text.assemble(("! ", "warn"), sentence))

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar is of use: a person sits at a terminal and wants to hear it."""
        return self.err.is_terminal and not self.quiet and not self.is_json


def show(console: Console, part: RenderableType) -> None:
    """Print a part of a screen; a text that must stay on its lines does so.

    Rich joins texts before it prints them, and forgets then which of them may not be wrapped.
    """
    if isinstance(part, Text) and part.no_wrap:
        console.print(part, no_wrap=True, overflow="ignore", crop=False)
    else:
        console.print(part)
