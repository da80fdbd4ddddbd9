"""From commit to delivery: a thousand watchers on fifty connections see one alias move.

The writer moves an alias, waits for the answer, and notes the time at which it sent and at which
it had the answer. The watchers, in a process of their own, note when each change reached them.
There is no peer: neither MLflow nor the others in the field have a watch to put beside it.
"""

import argparse
import asyncio
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop
from metadata.assay_peer import AssayPeer, admin_of
from rich.console import Console
from rich.table import Table

from assay.v1 import watch_service_pb2 as api

NAMESPACE = "namespaces/bench"
READY_S = 120.0


def main() -> None:
    """Move the alias ``--changes`` times before all the watchers, and print when they knew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between two changes")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    try:
        peer = AssayPeer(directory / "assay", "", models=1, versions=2)
        ours, theirs = multiprocessing.Pipe()
        watchers = multiprocessing.get_context("spawn").Process(
            target=watch_all, args=(str(peer.directory), peer.target, options, theirs), daemon=True
        )
        watchers.start()
        if not ours.poll(READY_S):
            raise SystemExit(f"the watchers were not ready after {READY_S:.0f} s")
        ours.recv()
        moves = [_moved(peer, options.pause) for _ in range(options.changes)]
        ours.send("end")
        seen: dict[str, list[float]] = json.loads(ours.recv())
        watchers.join(30)
        peer.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    console = Console(width=None if sys.stdout.isatty() else 110)
    console.print(table(moves, {int(key): times for key, times in seen.items()}, options))


def _moved(peer: AssayPeer, pause_s: float) -> tuple[int, float, float]:
    """The revision of one change, when it was asked for, and when its answer was here."""
    time.sleep(pause_s)
    asked = time.monotonic()
    revision = peer.move_alias()
    return revision, asked, time.monotonic()


def table(
    moves: list[tuple[int, float, float]],
    seen: dict[int, list[float]],
    options: argparse.Namespace,
) -> Table:
    """When the first, the middle and the last watcher knew, and when the writer had its answer."""
    screen = Table(
        title=f"{options.watchers} watchers, {options.connections} connections: ms from asking "
        "for the change",
        title_justify="left",
    )
    for name in ("", "median of changes", "least", "most"):
        screen.add_column(name, justify="left" if not name else "right")
    complete = [move for move in moves if len(seen.get(move[0], ())) == options.watchers]
    after = [[1000 * (at - asked) for at in sorted(seen[r])] for r, asked, _ in complete]
    rows = {
        "first watcher": [times[0] for times in after],
        "middle watcher": [statistics.median(times) for times in after],
        "99th of 100": [times[len(times) * 99 // 100 - 1] for times in after],
        "last watcher": [times[-1] for times in after],
        "the writer": [1000 * (done - asked) for _, asked, done in complete],
    }
    for name, figures in rows.items():
        cells = (statistics.median(figures), min(figures), max(figures))
        screen.add_row(name, *(f"{figure:.1f}" for figure in cells))
    screen.caption = f"{len(complete)} of {len(moves)} changes reached every watcher, once each"
    return screen


def watch_all(directory: str, target: str, options: argparse.Namespace, pipe: Connection) -> None:
    """In a process of its own: open the watches, say so, and note what comes."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(_watch_all(Path(directory), target, options, pipe))


async def _watch_all(
    directory: Path, target: str, options: argparse.Namespace, pipe: Connection
) -> None:
    seen: dict[int, list[float]] = {}
    clients = [admin_of(directory, target) for _ in range(options.connections)]
    streams = [
        clients[each % len(clients)].stubs.watch.Watch(api.WatchRequest(name_prefix=NAMESPACE))
        for each in range(options.watchers)
    ]
    opened = [asyncio.Event() for _ in streams]
    tasks = [
        asyncio.create_task(_note(stream, seen, event))
        for stream, event in zip(streams, opened, strict=True)
    ]
    for event in opened:
        await event.wait()
    pipe.send("ready")
    await asyncio.to_thread(pipe.recv)
    await asyncio.sleep(1)  # the last change may still be on its way
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for client in clients:
        await client.close()
    pipe.send(json.dumps(seen))


async def _note(stream: Any, seen: dict[int, list[float]], opened: asyncio.Event) -> None:
    async for response in stream:
        opened.set()  # the first comes at once, and tells where the watch stands
        for _ in response.events:
            seen.setdefault(response.revision, []).append(time.monotonic())


if __name__ == "__main__":
    main()
