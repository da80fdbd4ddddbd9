"""Push and pull of large files in Python, Go and Java, with the peak memory of both sides.

For each language and size: a server of its own (``assay-server dev``: mutual TLS, audit, every byte
synced before it is acknowledged), one file of random bytes, one push, one pull, each by a new
process. What was pulled is compared by digest. Peak memory is VmHWM of ``/proc/PID/status``, the
server's since the move began. At most three copies of a file are on the disk; all of it is removed.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
SERVER = Path(sys.executable).with_name("assay-server")
GIB = 1 << 30
BLOCK = 1 << 20
COPIES = 3
MODEL = "main/large"
READY_S = 120.0
MOVE_S = 1800.0
STOP_S = 60.0


@dataclass(frozen=True)
class Moved:
    """One row: what a move took."""

    language: str
    verb: str
    size_bytes: int
    seconds: float
    client_mib: int
    server_mib: int


def main() -> None:
    """Measure ``--languages`` one after the other, each with all ``--sizes``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1,4", help="GiB of the file, one or more")
    parser.add_argument("--languages", default="python,go,java", help="which clients, in order")
    parser.add_argument("--heap", default="", help="-Xmx of Java, such as 64m; Java's own if empty")
    parser.add_argument("--directory", type=Path, help="where the files are while it runs")
    options = parser.parse_args()
    sizes = [round(float(size) * GIB) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="assay-bench-", dir=options.directory) as name:
        directory = Path(name)
        _require_space(directory, COPIES * max(sizes))
        rows = []
        for language in options.languages.split(","):
            mover = _mover(language, options.heap, directory)
            for size_bytes in sizes:
                rows += _measured(language, mover, size_bytes, directory / "round")
                _say(rows[-2:])
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table(rows, options.heap))


def table(rows: Sequence[Moved], heap: str) -> Table:
    """All rows; the peak of a larger file beside that of a smaller one."""
    screen = Table(
        title=f"One file each way, digests compared{f'; Java with -Xmx{heap}' if heap else ''}",
        title_justify="left",
    )
    for name in ("", "", "GiB", "s", "MiB/s", "client MiB", "server MiB"):
        screen.add_column(name, justify="right" if name else "left")
    for row in rows:
        speed = row.size_bytes / BLOCK / row.seconds
        cells = (f"{row.size_bytes / GIB:g}", f"{row.seconds:.1f}", f"{speed:.0f}")
        memory = (str(row.client_mib), str(row.server_mib))
        screen.add_row(row.language, row.verb, *cells, *memory)
    return screen


def _say(rows: Sequence[Moved]) -> None:
    for row in rows:
        sys.stderr.write(f"{row}\n")


def _require_space(directory: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < size_bytes:
        raise SystemExit(
            f"{directory} has {free // BLOCK} MiB free and {size_bytes // BLOCK} are needed: "
            "give another --directory, or smaller --sizes."
        )


def _mover(language: str, heap: str, directory: Path) -> list[str]:
    """The program that moves one file in ``language``, built where need be."""
    if language == "python":
        return [sys.executable, str(ROOT / "benchmarks/transfer/python_mover.py")]
    if language == "go":
        binary = str(directory / "mover")
        # Where Go was fetched for the tests, it is not on the path.
        path = f"{ROOT / '.codegen-go/toolchain/bin'}{os.pathsep}{os.environ['PATH']}"
        build = ["go", "build", "-o", binary, "./internal/mover"]
        subprocess.run(build, cwd=ROOT / "clients/go", env={**os.environ, "PATH": path}, check=True)
        return [binary]
    if language == "java":
        project = ROOT / "clients/java"
        subprocess.run(["mvn", "--quiet", "--batch-mode", "test-compile"], cwd=project, check=True)
        libraries = (project / "target/test-classpath.txt").read_text().strip()
        parts = [str(project / "target/test-classes"), str(project / "target/classes"), libraries]
        limits = [f"-Xmx{heap}"] if heap else []
        return ["java", *limits, "-cp", os.pathsep.join(parts), "dev.assay.client.Mover"]
    raise SystemExit(f"There is no client in {language!r}.")


def _measured(language: str, mover: list[str], size_bytes: int, directory: Path) -> list[Moved]:
    """One push and one pull against a new server, in a directory that is gone afterwards."""
    directory.mkdir()
    try:
        source, pulled = directory / "weights.bin", directory / "pulled"
        digest = _write_random(source, size_bytes)
        with _server(directory / "server") as (server, target):
            common = [target, str(directory / "server/pki")]
            moves = {
                "push": [*common, str(source), MODEL],
                "pull": [*common, f"{MODEL}@1.0.0", str(pulled)],
            }
            rows = []
            for verb, arguments in moves.items():
                _forget_peak(server.pid)
                seconds, client_mib = _moved([*mover, verb, *arguments])
                server_mib = _peak_mib(server.pid)
                rows.append(Moved(language, verb, size_bytes, seconds, client_mib, server_mib))
                if verb == "push":
                    source.unlink()
        if _digest(pulled / source.name) != digest:
            raise SystemExit(f"{language} pulled other bytes than it pushed")
        return rows
    finally:
        shutil.rmtree(directory)


def _moved(command: list[str]) -> tuple[float, int]:
    """The seconds that a mover says it took, and its peak memory."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdin
        assert process.stdout
        limit = threading.Timer(MOVE_S, process.kill)
        limit.start()
        try:
            said = process.stdout.readline().split()
            if not said or said[0] != "moved":
                raise SystemExit(f"{' '.join(command)} did not move it")
            peak = _peak_mib(process.pid)
            process.stdin.write("\n")
            process.wait(STOP_S)
        except BaseException:
            process.kill()
            raise
        finally:
            limit.cancel()
    return float(said[1]), peak


@contextmanager
def _server(directory: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A server that keeps everything in ``directory``, and its address."""
    log = (directory.parent / "server.log").open("w+")
    process = subprocess.Popen(
        [str(SERVER), "dev", "--directory", str(directory), "--port", "0", "--no-context"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        contexts = directory / "contexts.toml"
        deadline = time.monotonic() + READY_S
        while "\nready " not in _text(log.name):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the server did not start:\n{_text(log.name)}")
            time.sleep(0.2)
        found = re.search(r'^target = "([^"]+)"$', contexts.read_text(), re.MULTILINE)
        assert found
        yield process, found[1]
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _text(path: str) -> str:
    return "\n" + Path(path).read_text()


def _forget_peak(pid: int) -> None:
    """Let VmHWM begin anew (``man 5 proc``, clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_mib(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) // 1024


def _write_random(path: Path, size_bytes: int) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for begin in range(0, size_bytes, BLOCK):
            block = os.urandom(min(BLOCK, size_bytes - begin))
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
