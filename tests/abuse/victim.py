"""A whole server over mutual TLS in a process of its own, and what it costs to keep it up."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from assay import TLS, AsyncClient
from assay_server.app.log import start_logging
from assay_server.app.rooms import CLOCK, IDS, Stores
from assay_server.app.running_loop import run
from assay_server.app.serving import Running, serve
from assay_server.config import Config
from assay_server.config.settings import ServerSection
from assay_server.domain.access import Role
from assay_server.services.founding import Founding
from tests.pki import Authority, Credentials
from tests.wire.registry import principal

START_S = 60.0
STOP_S = 60.0
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["assay_server.app.serving", "tests.wire.registry"])
"""From a process that has imported everything and used nothing: 0.3 s instead of 2 s."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass
class Victim:
    """A running server. ``POLITE`` and ``GREEDY`` are its two clients, both admins."""

    config: Config
    authority: Authority
    target: str = ""
    _process: "multiprocessing.process.BaseProcess | None" = None
    _credentials: dict[str, Credentials] = field(default_factory=dict)

    def start(self) -> None:
        """Start it, at the same port as before."""
        ours, theirs = FORKING.Pipe()
        members = [principal(name) for name in ("polite", "greedy")]
        self._process = FORKING.Process(
            target=_serve, args=(self.config, members, theirs), daemon=True
        )
        self._process.start()
        assert ours.poll(START_S), "the server did not start"
        self.target = ours.recv()
        port = self.target.rpartition(":")[2]
        self.config = replace(self.config, server=ServerSection(listen=f"127.0.0.1:{port}"))

    def terminate(self) -> int | None:
        """Ask it to stop, and tell with which exit code it did."""
        assert self._process is not None
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(STOP_S)
        return self._process.exitcode

    def kill(self) -> None:
        """End it, if it is still there."""
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            self._process.join()

    def credentials(self, name: str) -> Credentials:
        """The certificate of one of the clients."""
        if name not in self._credentials:
            self._credentials[name] = self.authority.issue_client(principal(name))
        return self._credentials[name]

    def client(self, name: str = "polite") -> AsyncClient:
        """A client that retries and resumes as ours do."""
        own = self.credentials(name)
        tls = TLS(ca=self.authority.certificate, cert=own.certificate, key=own.private_key)
        return AsyncClient(self.target, tls=tls)

    @property
    def cpu_s(self) -> float:
        """Processor time that it has used."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    @property
    def resident_mib(self) -> float:
        """Memory that it holds."""
        return int(self._proc("statm").split()[1]) * PAGE_BYTES / (1 << 20)

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@contextmanager
def standing(config: Config, authority: Authority) -> Iterator[Victim]:
    """A server that runs inside the block."""
    victim = Victim(config, authority)
    victim.start()
    try:
        yield victim
    finally:
        victim.kill()


def _serve(config: Config, members: list[str], pipe: Connection) -> None:
    start_logging(level="error", style="text")

    async def prepare(stores: Stores) -> None:
        for number, member in enumerate(members):
            founding = Founding(stores.facts, CLOCK, IDS, founder=f"local:test-{number}")
            await founding.roles_everywhere({Role.ADMIN: member})

    def on_ready(registry: Running) -> None:
        pipe.send(registry.target)

    run(serve(config, on_ready, prepare))


async def politely(client: AsyncClient, until: asyncio.Event) -> int:
    """Call again and again, as a serving system does; how often. Any error is the test's."""
    calls = 0
    while not until.is_set():
        await client.get_model("vision/digits")
        calls += 1
        await asyncio.sleep(0.01)
    return calls
