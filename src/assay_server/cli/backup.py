"""``assay-server backup`` and ``restore``."""

from pathlib import Path

from rich.console import Console

from assay_server.app.backups import back_up, restore
from assay_server.app.log import start_logging
from assay_server.app.running_loop import run
from assay_server.cli.progress import progress
from assay_server.config import Config
from assay_server.domain.backups import Backup


def run_backup(config: Config, directory: Path, *, may_link: bool) -> None:
    """Make a backup and say what is in it."""
    start_logging(level="warning", style="text")

    async def work() -> None:
        with progress() as report:
            backup = await back_up(config, directory, report, may_link=may_link)
        _tell("backed up to", directory, backup)

    run(work())


def run_restore(config: Config, directory: Path, *, may_link: bool) -> None:
    """Restore a backup and say what came back."""
    start_logging(level="warning", style="text")

    async def work() -> None:
        with progress() as report:
            backup = await restore(config, directory, report, may_link=may_link)
        _tell("restored from", directory, backup)

    run(work())


def _tell(did: str, directory: Path, backup: Backup) -> None:
    console = Console(highlight=False)
    rows = backup.facts.rows
    counted = (
        f"{_counted(rows['models'], 'model')}, {_counted(rows['versions'], 'version')}, "
        f"{_counted(backup.blob_count, 'blob')} ({_counted(backup.blob_bytes, 'byte')}), "
        f"{_counted(rows['audit_entries'], 'audit entry', 'audit entries')}"
    )
    for label, text in (
        (did, str(directory)),
        ("revision", str(backup.facts.revision)),
        ("schema", backup.facts.schema),
        ("holds", counted),
    ):
        console.print(f"  [dim]{label:<14}[/]", end="")
        console.print(text, markup=False, soft_wrap=True)


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
