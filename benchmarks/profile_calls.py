"""Where a read and a publication spend the server's time, room by room and function by function.

The profiler makes every Python call dearer, so read shares, not microseconds; the figures of
``bench_metadata`` are without it.
"""

import argparse
import os
import pstats
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from metadata.assay_peer import AssayPeer
from rich.console import Console
from rich.table import Table

PROFILED = Path(__file__).parent / "metadata/profiled_server.py"
OPERATIONS = {
    "get version": 1,
    "resolve alias": 1,
    "create version": 1,
    "create version by draft": 3,
}
"""What is called, and how many calls one of it is: draft, begun upload, seal with publication."""

CORE = "gRPC core, event loop"
_BUILTIN = "~"
_LIBRARIES = {
    "sqlalchemy": "SQLAlchemy",
    "google": "protobuf",
    "prometheus_client": "metrics",
    "logging": "log",
    "json": "log",
    "asyncio": "asyncio",
    "contextlib": "asyncio",
    "grpc": CORE,
    "uvloop": CORE,
}


def main() -> None:
    """Run each operation under the profiler and print two tables for it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--callers", type=int, default=8)
    parser.add_argument("--functions", type=int, default=12)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 110)
    directory = Path(tempfile.mkdtemp(prefix="assay-profile-"))
    os.environ["PROFILE"] = str(directory / "profile")
    try:
        program = (sys.executable, PROFILED)
        peer = AssayPeer(directory / "assay", "", models=20, versions=10, program=program)
        for operation, calls in OPERATIONS.items():
            stats, total_s, done = profiled(peer, operation, options, directory / "profile")
            console.print(rooms(operation, stats, total_s, done * calls))
            console.print(functions(stats, done * calls, options.functions))
        peer.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def profiled(
    peer: AssayPeer, operation: str, options: argparse.Namespace, file: Path
) -> tuple[pstats.Stats, float, int]:
    """The profile of ``operation`` under load, the thread's seconds, and how often it was done."""
    peer.signal(signal.SIGUSR1)
    run = peer.run(operation, options.callers, options.seconds)
    peer.signal(signal.SIGUSR2)
    for _ in range(600):
        if file.exists():
            break
        time.sleep(0.1)
    stats = pstats.Stats(str(file))
    file.unlink()
    return stats, float(file.with_suffix(".total").read_text()), len(run.latencies_s)


def rooms(operation: str, stats: pstats.Stats, total: float, calls: int) -> Table:
    """Time by room; what C code takes is laid to the room that called it."""
    spent: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for room, seconds, count in _by_room(stats):
        spent[room] += seconds  # type: ignore[assignment] # a Counter adds floats as well
        made[room] += count
    spent[CORE] += total - sum(spent.values())  # type: ignore[assignment]
    screen = Table(title=f"{operation}: {calls:,} calls", title_justify="left")
    screen.add_column("room")
    for name in ("share", "µs a call", "functions a call"):
        screen.add_column(name, justify="right")
    for room, seconds in spent.most_common():
        if seconds > total / 200:
            cells = f"{seconds / total:.0%}", f"{1e6 * seconds / calls:,.0f}"
            screen.add_row(room, *cells, f"{made[room] / calls:,.0f}")
    return screen


def functions(stats: pstats.Stats, calls: int, most: int) -> Table:
    """The functions that take most, without what they call."""
    screen = Table(title="most of it in", title_justify="left")
    for name in ("µs a call", "times a call"):
        screen.add_column(name, justify="right")
    screen.add_column("function")
    each = sorted(_entries(stats), key=lambda entry: entry[2], reverse=True)
    for key, count, seconds, _ in each[:most]:
        cells = f"{1e6 * seconds / calls:,.1f}", f"{count / calls:,.1f}"
        screen.add_row(*cells, key[2] if key[0] == _BUILTIN else f"{_room(key[0])}: {key[2]}")
    return screen


def _by_room(stats: pstats.Stats) -> Iterator[tuple[str, float, int]]:
    for key, count, seconds, callers in _entries(stats):
        if key[0] != _BUILTIN:
            yield _room(key[0]), seconds, count
        elif "sqlite3" in key[2]:
            yield "SQLite", seconds, count
        else:
            for caller, (_, times, spent, _) in callers.items():
                yield _room(caller[0]), spent, times


def _entries(stats: pstats.Stats) -> Iterator[tuple[Any, int, float, Any]]:
    every: dict[Any, Any] = stats.stats  # type: ignore[attr-defined] # untyped, but documented
    for key, (_, count, seconds, _, callers) in every.items():
        yield key, count, seconds, callers


def _room(file: str) -> str:
    parts = Path(file).with_suffix("").parts
    if "assay_server" in parts:
        return parts[parts.index("assay_server") + 1]
    for name in reversed(parts):
        if name in _LIBRARIES:
            return _LIBRARIES[name]
    return CORE if file == _BUILTIN or "runners" in parts else "other Python"


if __name__ == "__main__":
    main()
