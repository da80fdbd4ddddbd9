"""A bar on standard error while a command works; none where nobody looks."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from assay_server.ports.backups import Report


@contextmanager
def progress() -> Iterator[Report]:
    """Draw a bar while the block runs; gives what to report to."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=total
        )


def _ignore(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""
