"""Runs the server's command line as people run it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER = str(Path(sys.executable).with_name("assay-server"))


@dataclass
class Result:
    status: int
    output: str


Run = Callable[..., Result]


@dataclass
class Started:
    """A server process that said where it serves."""

    process: "subprocess.Popen[str]"
    target: str
    said: list[str]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


@contextmanager
def started(*arguments: str, home: Path) -> Iterator[Started]:
    process = subprocess.Popen(
        [SERVER, *arguments],
        cwd=home,
        env={**os.environ, "HOME": str(home), "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("ready "):
                break
        assert said, "the server said nothing"
        assert said[-1].startswith("ready "), "".join(said)
        yield Started(process, said[-1].split()[1], said)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
