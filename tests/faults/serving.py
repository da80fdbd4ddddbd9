"""A whole server in a process of its own, so that it can be killed at any instant.

Run as a program it serves one registry without TLS: who may call what is attacked elsewhere, and
a crash must not wait for handshakes.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

from assay_server.app.log import start_logging
from assay_server.app.rooms import CLOCK, IDS, Stores
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.config import Config
from assay_server.config.settings import (
    BlobsSection,
    OperationsSection,
    PagingSection,
    ServerSection,
    StoreSection,
)
from assay_server.domain.access import Role
from assay_server.services.founding import Founding
from assay_server.transport.interceptors.identifying import DEVELOPMENT_PRINCIPAL

ROOT = Path(__file__).parents[2]
NAMESPACE = "vision"
RESERVE_BYTES = 2 * 1024 * 1024
"""The disks of these tests are small."""


@dataclass(frozen=True)
class Place:
    """Where a registry keeps what it must not lose."""

    url: str
    blobs: Path

    @classmethod
    def below(cls, directory: Path) -> "Place":
        """One server with SQLite and the blobs in the same directory."""
        return cls(f"sqlite:///{directory / 'assay.db'}", directory / "blobs")


class Nursery:
    """Starts servers by forking a process that has imported everything: 0.3 s instead of 2 s."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.serving"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, place: Place, log: Path) -> "ServerProcess":
        """Start a server; its log goes on where the one before it ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([place.url, str(place.blobs), str(log)]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise ServerDidNotStartError(log.read_text()[-3000:] if log.exists() else "")
        return ServerProcess(target=line[1], pid=int(line[2]))

    def close(self) -> None:
        """Kill the servers that are left."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


class ServerDidNotStartError(Exception):
    """The text is the end of its log."""


class ServerProcess:
    """A running server."""

    def __init__(self, *, target: str, pid: int) -> None:
        self.target = target
        self._pid = pid
        self._exit = os.pidfd_open(pid)

    def pause(self) -> None:
        """Stop it where it is, as a machine that swaps or a snapshot does."""
        signal.pidfd_send_signal(self._exit, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run after a pause."""
        signal.pidfd_send_signal(self._exit, signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does; harmless when repeated."""
        if self._exit < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._exit, signal.SIGKILL)
        select.select([self._exit], [], [])
        os.close(self._exit)
        self._exit = -1


def serve_one(url: str, blobs: str) -> None:
    """Serve until killed, and say ``ready HOST:PORT PID`` first."""
    start_logging(level="warning", style="text")
    everyone = 1_000_000  # is one principal here, and may do what a crowd may
    limits = replace(
        Config().limits,
        watch_bookmark_s=0.2,
        calls_per_principal_per_s=everyone,
        calls_at_once_per_principal_max=everyone,
        streams_per_principal_max=everyone,
        upload_streams_per_principal_max=64,
    )
    config = Config(
        server=ServerSection(listen="127.0.0.1:0", plaintext_for_development=True),
        store=StoreSection(url=url, audit_reserve_bytes=RESERVE_BYTES),
        blobs=BlobsSection(directory=Path(blobs)),
        operations=OperationsSection(listen=""),
        paging=PagingSection(key="5a" * 32),
        limits=limits,
    )

    async def prepare(stores: Stores) -> None:
        founding = Founding(stores.facts, CLOCK, IDS, founder=f"local:{os.getuid()}")
        await founding.roles_everywhere({Role.ADMIN: DEVELOPMENT_PRINCIPAL})
        await founding.namespace(NAMESPACE, description="")

    def on_ready(registry: Running) -> None:
        say(f"ready {registry.target} {os.getpid()}")

    run(serve(config, on_ready, prepare))


def say(line: str) -> None:
    """Tell whoever started this."""
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Fork a server for each line that comes in; at the end kill those that are left."""
    children = []
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries them
    while line := sys.stdin.readline():
        url, blobs, log = json.loads(line)
        if child := os.fork():
            children.append(os.pidfd_open(child))
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
        try:
            serve_one(url, blobs)
        except Exception:  # noqa: BLE001 - for the log; it ends here anyhow
            traceback.print_exc()
        finally:
            say("stopped")
            os._exit(1)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
