"""A PostgreSQL cluster of our own: made in a temporary directory, gone after the tests."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OWNER = "assay"
START_TIMEOUT_S = 60.0
# Crash safety is not what most tests test; without it a test database costs milliseconds.
FAST_SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
SETTINGS = ("max_connections=200", "shared_buffers=64MB", "autovacuum=off", "timezone=UTC")


class PostgresDidNotStartError(Exception):
    """The server ended, or did not answer in time; the text holds its log."""


def find_binaries() -> Path | None:
    """Return the directory of initdb and postgres: the newest Debian one, else the PATH's."""
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: [int(part) for part in path.parts[-3].split(".") if part.isdigit()],
    )
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@dataclass(frozen=True)
class UnprivilegedUser:
    """Whom PostgreSQL runs as when the tests run as root, which it refuses to run as."""

    name: str | None

    @classmethod
    def choose(cls) -> "UnprivilegedUser":
        if os.geteuid() != 0:
            return cls(None)
        import pwd

        known = {entry.pw_name for entry in pwd.getpwall()}
        return cls("postgres" if "postgres" in known else "nobody")

    def own(self, directory: Path) -> None:
        if self.name:
            shutil.chown(directory, self.name)

    def start(self, command: Sequence[str | Path], **streams: object) -> subprocess.Popen[bytes]:
        """Start ``command``; it ends with this process, however this process ends.

        Who it runs as is for ``setpriv`` to change: to do it itself Python has to fork instead of
        vfork, and the child of a process in which gRPC has threads may end there (SIGSEGV).
        """
        watcher, identity = shutil.which("setpriv"), []
        if watcher is None:
            as_whom = {"user": self.name, "group": self._group(), "extra_groups": []}
            return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
                command, cwd="/", **(as_whom if self.name else {}), **streams
            )
        if self.name:
            identity = [f"--reuid={self.name}", f"--regid={self._group()}", "--clear-groups"]
        prefix = [watcher, *identity, "--pdeathsig", "INT", "--"]
        return subprocess.Popen([*prefix, *command], cwd="/", **streams)  # type: ignore[call-overload, no-any-return]

    def _group(self) -> int | None:
        import pwd

        return pwd.getpwnam(self.name).pw_gid if self.name else None


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class PostgresCluster:
    """One running server; ``create_database`` gives each test a database of its own.

    Args:
        durable: Keep fsync and synchronous commit on, for tests about crashes and for timings.
        directory: Where its files are, or are to be; by itself it makes one.
    """

    def __init__(
        self, binaries: Path, *, durable: bool = False, directory: Path | None = None
    ) -> None:
        self._binaries = binaries
        self._durable = durable
        self._user = UnprivilegedUser.choose()
        self._directory = directory or Path(tempfile.mkdtemp(prefix="assay-pg-"))
        self._log = self._directory / "log"
        self._server: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        """Make the cluster's files, if there are none, and start the server in some seconds."""
        if not self._cluster.exists():
            self._user.own(self._directory)
            options = [] if self._durable else ["--no-sync"]
            self._run("initdb", "--auth=trust", f"--username={OWNER}", "--encoding=UTF8",
                      "--locale=C.UTF-8", *options, "--pgdata", self._cluster)  # fmt: skip
        self._start_server()

    def stop(self) -> None:
        """Stop at once (open connections are cut) and remove every file."""
        self.end()
        shutil.rmtree(self._directory, ignore_errors=True)

    def crash(self) -> None:
        """End the server without a checkpoint, and start it again on the same port."""
        self.end()
        self._start_server(self.port)

    def end(self) -> None:
        """End the server without a checkpoint, and leave its files."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate shutdown"
            self._server.wait(timeout=START_TIMEOUT_S)

    def url(self, database: str) -> str:
        """Return the plain URL, without an SQLAlchemy driver name."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template1") -> str:
        """Create a database and return its name; ``template`` may be one already migrated."""
        name = f"test_{secrets.token_hex(8)}"
        self.psql(f'create database "{name}" template "{template}"')
        return name

    def drop_database(self, name: str) -> None:
        self.psql(f'drop database if exists "{name}" with (force)')

    def psql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement outside any event loop and return its rows as text."""
        return self._psql(database, "--command", statement)

    def load(self, dump: str, database: str) -> None:
        """Run what pg_dump wrote."""
        self._psql(database, "--file", "-", given=dump)

    def _psql(self, database: str, *arguments: str, given: str = "") -> str:
        result = subprocess.run(
            [self._binaries / "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align",
             "--set", "ON_ERROR_STOP=1", "--dbname", self.url(database), *arguments],
            input=given, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            raise RuntimeError(f"psql refused {arguments!r}: {result.stderr.strip()}")
        return result.stdout.strip()

    @property
    def _cluster(self) -> Path:
        return self._directory / "cluster"

    def _start_server(self, port: int | None = None) -> None:
        self.port = port or free_port()
        settings = SETTINGS if self._durable else SETTINGS + FAST_SETTINGS
        options = [argument for setting in settings for argument in ("-c", setting)]
        with self._log.open("ab") as log:
            self._server = self._user.start(
                [self._binaries / "postgres", "-D", self._cluster, "-h", "127.0.0.1",
                 "-k", self._directory, "-p", str(self.port), *options],
                stdout=log, stderr=log,
            )  # fmt: skip
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self._server and self._server.poll() is None:
            try:
                self.psql("select 1")
            except RuntimeError:
                time.sleep(0.05)
            else:
                return
        status = self._server.poll() if self._server else None
        end_of_log = self._log.read_text(errors="replace")[-4000:]
        raise PostgresDidNotStartError(f"exit status {status}; {end_of_log}")

    def _run(self, program: str, *arguments: str | Path) -> None:
        with self._log.open("ab") as log:
            process = self._user.start(
                [self._binaries / program, *arguments], stdout=log, stderr=log
            )
        if process.wait(timeout=START_TIMEOUT_S) != 0:
            raise PostgresDidNotStartError(self._log.read_text(errors="replace")[-4000:])
