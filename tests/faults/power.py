"""Cuts of power: copies of a disk as it was at one instant, without what was not flushed to it.

A disk is a file with an ext4 in it. What a program has written but not synced is in the memory of
that ext4 and not in the file. The file lies on XFS, which copies it at once (reflink): the copy is
what a machine finds on its disk after the power went.

Facts and bytes have a disk each. On one they would share a journal, and each sync of a commit
would make the names of the blobs durable by accident.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.absence import absent
from tests.faults.serving import Place
from tests.postgres import PostgresCluster

DISKS = ("facts", "blobs")
HOST_MIB = 2048
DISK_MIB = 400
"""Sparse: on the machine they take what is written to them."""

UNMOUNT_S = 30.0


Facts = Callable[[Path], AbstractContextManager[str]]
"""Opens the database whose files are in a directory, and gives its URL."""

DATABASE = "registry"


@contextmanager
def sqlite(disk: Path) -> Iterator[str]:
    """A file, which needs no program of its own."""
    yield f"sqlite:///{disk / 'assay.db'}"


def postgres(binaries: Path) -> Facts:
    """A PostgreSQL, as durable as it is shipped; it starts where the files of one end."""

    @contextmanager
    def running(disk: Path) -> Iterator[str]:
        directory = disk / "postgres"
        is_new = not directory.exists()
        directory.mkdir(exist_ok=True)
        cluster = PostgresCluster(binaries, durable=True, directory=directory)
        cluster.start()
        try:
            if is_new:
                cluster.psql(f"create database {DATABASE}")
            yield cluster.url(DATABASE)
        finally:
            cluster.end()

    return running


class Rig:
    """A machine with two disks whose power can be cut any number of times."""

    def __init__(self, directory: Path, facts: Facts) -> None:
        self._directory = directory
        self._facts = facts
        self._host = directory / "host"
        self._cuts = 0

    @contextmanager
    def running(self) -> Iterator[Place]:
        """Mount the disks."""
        with self._mounted("now") as place:
            yield place

    def cut(self) -> str:
        """Copy the disks as they are; returns the name of the copy.

        The facts first: a blob that came meanwhile is a blob that nothing refers to, as after any
        crash. The other way round the facts could speak of one that the copy does not have.
        """
        self._cuts += 1
        name = f"cut-{self._cuts}"
        for disk in DISKS:
            _run("cp", "--reflink=always", self._image(disk, "now"), self._image(disk, name))
        return name

    @contextmanager
    def after(self, cut: str) -> Iterator[Place]:
        """Mount the disks as a machine finds them that starts again; then forget the copy."""
        try:
            with self._mounted(cut) as place:
                yield place
        finally:
            for disk in DISKS:
                self._image(disk, cut).unlink()

    @contextmanager
    def _mounted(self, name: str) -> Iterator[Place]:
        with ExitStack() as stack:
            for disk in DISKS:
                stack.enter_context(mounted(self._image(disk, name), self._directory / disk))
            facts, blobs = (self._directory / disk for disk in DISKS)
            url = stack.enter_context(self._facts(facts))
            yield Place(url, blobs / "blobs")

    def _image(self, disk: str, name: str) -> Path:
        return self._host / f"{disk}-{name}.img"


@contextmanager
def rig(facts: Facts) -> Iterator[Rig]:
    """Build a rig, or say what is missing for one.

    Not below pytest's own directory: another session, when it tidies there, would reach into it.
    """
    with tempfile.TemporaryDirectory(prefix="assay-rig-") as made:
        Path(made).chmod(0o711)  # PostgreSQL runs as somebody else
        with _rig_in(Path(made), facts) as built:
            yield built


@contextmanager
def _rig_in(directory: Path, facts: Facts) -> Iterator[Rig]:
    if os.geteuid() != 0:
        absent("the right to mount disks", "run the tests as root")
    for program, package in (("mkfs.xfs", "xfsprogs"), ("mkfs.ext4", "e2fsprogs")):
        if shutil.which(program) is None:
            absent(program, f"install it (Debian: apt-get install {package})")
    image = directory / "host.img"
    _sparse(image, HOST_MIB)
    _run("mkfs.xfs", "-q", "-m", "reflink=1", image)
    try:
        with mounted(image, directory / "host"):
            for disk in DISKS:
                path = directory / "host" / f"{disk}-now.img"
                _sparse(path, DISK_MIB)
                _run("mkfs.ext4", "-q", path)
            yield Rig(directory, facts)
    finally:
        image.unlink()


@contextmanager
def mounted(image: Path, directory: Path) -> Iterator[Path]:
    """Mount a file as a disk."""
    directory.mkdir(exist_ok=True)
    _require_loop_devices()
    done = subprocess.run(["mount", "-o", "loop", image, directory], capture_output=True, text=True)
    if done.returncode:
        absent("a loop device", f"a rig for cuts of power needs them: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        _unmount(directory)


def _unmount(directory: Path) -> None:
    """Unmount, as soon as nobody looks into it: a device just let go of is held for a moment."""
    give_up = time.monotonic() + UNMOUNT_S
    while (done := subprocess.run(["umount", directory], capture_output=True)).returncode:
        assert time.monotonic() < give_up, done.stderr.decode()
        time.sleep(0.1)


def _require_loop_devices() -> None:
    """Make the names of some more: where no udev runs there are as many as somebody made."""
    for number in range(8, 32):
        name = Path(f"/dev/loop{number}")
        if not name.exists() and Path("/dev/loop-control").exists():
            subprocess.run(["mknod", name, "b", "7", str(number)], capture_output=True)


def _sparse(path: Path, size_mib: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_mib << 20)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"
