"""A progress bar over all files of a push or pull."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from assay.cli.terminal import Terminal
from assay.cli.wording import counted
from assay.transfer.progress import OnProgress, Step, ignore
from assay.transfer.progress import Progress as FileProgress


@contextmanager
def shown(terminal: Terminal) -> Iterator[OnProgress]:
    """Draw a bar while the block runs; yields what to hand to a verb as ``on_progress``."""
    if not terminal.shows_progress:
        yield ignore
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
        console=terminal.err,
        transient=True,
    )
    with bar:
        yield _Total(bar).report


class _Total:
    """Adds the files up: many files would scroll, one sum does not."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=None)
        self._files: dict[str, FileProgress] = {}

    def report(self, progress: FileProgress) -> None:
        """Take in what is known of one file."""
        self._files[progress.path] = progress
        files = self._files.values()
        moved = [each for each in files if each.step is not Step.HASHING]
        self._bar.update(
            self._task,
            description=f"{progress.step if moved else Step.HASHING}"
            f" {counted(len(self._files), 'file')}",
            total=sum(each.total_bytes for each in files),
            completed=sum(each.done_bytes for each in moved or files),
        )
