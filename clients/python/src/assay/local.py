"""A registry of one's own for a notebook or a test: a real server in a throw-away directory.

The server is another process, with mTLS, one certificate per role, SQLite and a directory of
files. Only the distribution ``assay-registry-server`` must be installed.
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Self

from assay.client import Client
from assay.errors import AssayError, ServerNotInstalled

READY_S = 60.0
STOP_S = 20.0
ADMIN = "admin"


class LocalRegistry(Client):
    """A client of a throw-away registry, with its admin's certificate.

    ``as_`` gives clients with other roles: ``data-scientist``, ``engineer``, ``auditor``,
    ``evaluator``, ``deployer``, ``consumer``.
    """

    contexts_path: Path
    """The contexts file of the registry: ``AsyncClient.from_context("admin", path=…)``."""

    _clients: ExitStack

    def as_(self, role: str) -> Client:
        """A client with the certificate of ``role``; it is closed with the registry."""
        return self._clients.enter_context(Client.from_context(role, path=self.contexts_path))

    @classmethod
    def _of(cls, path: Path, clients: ExitStack) -> Self:
        registry = cls.from_context(ADMIN, path=path)
        registry.contexts_path = path
        registry._clients = clients
        return registry


@contextmanager
def local() -> Iterator[LocalRegistry]:
    """Start a registry, give a client to it, and leave nothing behind.

    ::

        with assay.local() as registry:
            registry.push(model, to="digits", sample=X[:5], create=True)

    Names without a namespace are in ``main``, which is there from the start.

    Raises:
        ServerNotInstalled: The server's distribution is not installed.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="assay-local-") as name, ExitStack() as clients:
        directory = Path(name)
        clients.callback(_stop, _start(command, directory))
        yield clients.enter_context(LocalRegistry._of(directory / "contexts.toml", clients))


def _command() -> str:
    """The server's program: beside this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("assay-server")
    found = str(beside) if beside.exists() else shutil.which("assay-server")
    if found is None:
        raise ServerNotInstalled(
            "assay.local() starts a server of its own, and none is installed here: "
            "pip install assay-registry-server."
        )
    return found


def _start(command: str, directory: Path) -> "subprocess.Popen[str]":
    """Start a server that keeps everything in ``directory``, and wait until it serves."""
    process = subprocess.Popen(
        [command, "dev", "--directory", str(directory), "--port", "0", "--no-context"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = _Output(process.stdout)
    if not output.is_ready.wait(READY_S) or not output.has_served:
        _stop(process)
        raise AssayError(f"The local server did not start. It said:\n{output.last_lines()}")
    return process


def _stop(process: "subprocess.Popen[str]") -> None:
    """Ask the server to end, and insist if it does not."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Output:
    """Reads what a server prints, so that it never waits for a reader, and keeps the end of it."""

    def __init__(self, stream: IO[str] | None) -> None:
        self.is_ready = threading.Event()
        self.has_served = False
        self._lines: deque[str] = deque(maxlen=50)
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def last_lines(self) -> str:
        return "".join(self._lines)

    def _read(self, stream: IO[str] | None) -> None:
        assert stream is not None
        with stream:
            for line in stream:
                self._lines.append(line)
                if line.startswith("ready "):
                    self.has_served = True
                    self.is_ready.set()
        self.is_ready.set()  # it ended without ever serving
