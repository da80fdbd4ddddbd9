"""Backups while everybody writes, drops and collects: each is the registry at one revision.

``make torture`` takes more of them (BACKUPS) and kills some while they run.
"""

import asyncio
import os
import random
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from assay_server.blobstore.backup_directory import BackupDirectory
from tests.backup.busy import Place, Working, quiet
from tests.backup.comparing import require_prefix
from tests.backup.conftest import MakePlace

BACKUPS = int(os.environ.get("ASSAY_BACKUPS", "2"))
SEED = int(os.environ.get("ASSAY_SEED", "0")) or random.SystemRandom().randrange(2**32)
PUBLISHERS = 3
SERVER = str(Path(sys.executable).with_name("assay-server"))
KILLED_OF = 4
"""One of so many is begun once more, as a process of its own, and killed."""


@asynccontextmanager
async def load(working: Working) -> AsyncIterator[None]:
    """Publishers, one who drops what it uploaded, and the collector, until the block ends."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:  # who fails ends the test, which would wait for it
        for place in range(PUBLISHERS):
            tasks.create_task(working.publish_until(stop, f"alias-{place}"))
        tasks.create_task(working.drop_until(stop))
        collecting = tasks.create_task(working.collect_until(stop))
        try:
            yield
        finally:
            stop.set()
    say(f"collected meanwhile: {collecting.result()} blobs")


async def test_every_backup_under_load_restores_to_one_revision(
    place: Place, make_place: MakePlace, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    say(f"seed {SEED}")
    backups, killed = [], 0
    async with place.open() as working:
        await working.found()
        async with load(working):
            for turn in range(BACKUPS):
                await working.wait_for(len(working.published) + chance.randrange(1, 4))
                if turn % KILLED_OF == KILLED_OF - 1:
                    killed += await kill_one(place, tmp_path / f"killed-{turn}", chance)
                backups.append(await place.backed_up(tmp_path / f"backup-{turn}"))
        revisions = [backup.facts.revision for backup in backups]
        for turn, backup in enumerate(backups):
            target = make_place(f"restored-{turn}")
            assert await target.restored(tmp_path / f"backup-{turn}") == backup
            async with target.open() as copy:
                await require_prefix(working, target, copy, backup=backup)
            shutil.rmtree(target.blobs)
    said = f"backups of revisions {revisions[0]} to {revisions[-1]} restored and checked"
    say(f"{len(backups)} {said}; {killed} killed before they were whole")
    assert revisions == sorted(set(revisions))


async def kill_one(place: Place, directory: Path, chance: random.Random) -> int:
    """Begin a backup and end it at a moment by chance; says whether it was not whole yet."""
    variables = {
        "ASSAY__STORE__URL": place.url,
        "ASSAY__BLOBS__DIRECTORY": str(place.blobs),
    }
    process = await asyncio.create_subprocess_exec(
        SERVER,
        "backup",
        str(directory),
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    began = asyncio.create_task(begun(directory))
    ended = asyncio.create_task(process.wait())
    await asyncio.wait((began, ended), return_when=asyncio.FIRST_COMPLETED)
    began.cancel()
    await asyncio.sleep(chance.random() * 0.2)
    if process.returncode is None:
        process.kill()
    await ended
    if directory.exists():
        BackupDirectory(directory).verified(quiet)
        return 0
    return 1


async def begun(directory: Path) -> None:
    """Wait until a backup has begun to fill its directory."""
    while not [*directory.parent.glob(f".{directory.name}.*")]:  # noqa: ASYNC110
        await asyncio.sleep(0.002)


def say(line: str) -> None:
    """Tell the evidence; shown with ``-s``, and when the test fails."""
    sys.stdout.write(f"\n{line}\n")
