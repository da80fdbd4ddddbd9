"""A pull to a real disk that is really full: a small file system, mounted for one process."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.absence import absent
from tests.clients.python.serving import serving
from tests.clients.python.storing import Store

DISK_BYTES = 4 * 1024 * 1024
MOUNT = ["unshare", "--map-root-user", "--mount", "sh", "-c"]

PULL = """
import os, sys
from pathlib import Path
from assay import Client, errors
target, filler = Path(sys.argv[2]) / "digits", Path(sys.argv[2]) / "filler"

def fill(progress):
    if sys.argv[3] == "fills" and progress.done_bytes and not filler.exists():
        with filler.open("wb") as handle:
            try:
                while True:
                    handle.write(bytes(4096))
                    handle.flush()
            except OSError:
                os.write(2, b"full now ")

with Client(sys.argv[1], tls=None) as client:
    try:
        client.pull("vision/digits/1", to=target, on_progress=fill)
    except errors.LocalDiskFull as error:
        print(error)
left = sorted(path.name for path in target.parent.iterdir() if path != filler)
print("left:", left)
"""


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if shutil.which("unshare") is None:
        absent("unshare", "install util-linux")
    probe = [*MOUNT, f"mount -t tmpfs small {tmp_path}"]
    if subprocess.run(probe, capture_output=True).returncode:
        absent("the right to mount a small file system", "allow user namespaces, or be root")
    return tmp_path


async def pull(store: Store, disk: Path, how: str) -> tuple[str, str]:
    """What a program says that pulls to ``disk``, which is small for it alone."""
    script = f'mount -t tmpfs -o size={DISK_BYTES} small {disk} && exec "$@"'
    async with serving(store.handlers()) as address:
        process = await asyncio.create_subprocess_exec(
            *(*MOUNT, script, "sh", sys.executable, "-c", PULL, address, str(disk), how),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        said, complained = await asyncio.wait_for(process.communicate(), 120)
    return said.decode(), complained.decode()


async def test_a_disk_that_fills_in_mid_pull_leaves_nothing_and_says_so(disk: Path) -> None:
    store = Store()
    store.hold({"weights.bin": os.urandom(DISK_BYTES // 2)})

    said, complained = await pull(store, disk, "fills")

    assert "full now" in complained
    assert "There is no room for" in said
    assert "make room, or pull to another disk" in said
    assert "left: []" in said


async def test_a_version_that_cannot_fit_is_refused_before_its_first_byte(disk: Path) -> None:
    store = Store()
    store.hold({"weights.bin": os.urandom(DISK_BYTES + 1)})

    said, complained = await pull(store, disk, "stays")

    assert f"{DISK_BYTES + 1} bytes are missing, and the disk has" in said, complained
    assert "left: []" in said
    assert "ReadArtifact" not in store.calls
