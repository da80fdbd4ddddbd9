"""The programs that do the scenario, and the server that they do it against.

A runner gets the table as its argument and the rest in the environment. It says ``at ROW`` before
each row, ``at watching`` in the middle of one, and waits for ``go``; ``saw ROW STATUS REASON
SHOWS`` is what it saw. So all runners are at the same place when the server is killed.
"""

import asyncio
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

SERVER = Path(sys.executable).with_name("assay-server")
READY_S = 120.0
STEP_S = 300.0


class DevServer:
    """``assay-server dev``, which can be killed and started again on what it kept."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.target = ""
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with (self.directory.parent / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *[str(SERVER), "dev", "--directory", str(self.directory)],
                *["--port", "0", "--no-context"],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout
        while line := await asyncio.wait_for(self._process.stdout.readline(), READY_S):
            if line.startswith(b"ready "):
                text = (self.directory / "contexts.toml").read_text()
                found = re.search(r'^target = "([^"]+)"$', text, re.MULTILINE)
                assert found
                self.target = found[1]
                return
        raise AssertionError("the server ended before it served")

    async def kill(self) -> None:
        """End it as a crash does."""
        assert self._process
        self._process.kill()
        await self._process.communicate()


@dataclass
class Row:
    """What one row of the table says, or what one runner saw."""

    status: str
    reason: str
    shows: str


@dataclass
class Runner:
    """One program, and what it said."""

    language: str
    command: list[str]
    environ: dict[str, str]
    saw: dict[str, Row] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    complaints: bytes = b""

    async def start(self, table: Path, log: Path) -> None:
        with log.open("wb") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                *self.command,
                str(table),
                env={**os.environ, **self.environ},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )

    async def until_at(self) -> str:
        """Read what it saw until it waits again; where that is, or empty at its end."""
        assert self.process
        assert self.process.stdout
        while line := await asyncio.wait_for(self.process.stdout.readline(), STEP_S):
            said = line.decode().split()
            if said[0] == "at":
                return said[1]
            if said[0] == "saw":
                reason = "" if said[3] == "-" else said[3]
                self.saw[said[1]] = Row(said[2], reason, " ".join(said[4:]))
        return ""

    async def go(self) -> None:
        assert self.process
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def end(self) -> None:
        if self.process and self.process.returncode is None:
            self.process.kill()
            await self.process.communicate()


def rows_of(table: Path) -> dict[str, Row]:
    """The rows of the table, in order."""
    rows = {}
    for line in table.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 5 and cells[0] != "Step" and not cells[0].startswith("---"):
            assert cells[0] not in rows, f"two rows are called {cells[0]}"
            rows[cells[0]] = Row(*cells[2:])
    return rows


def compared(rows: dict[str, Row], runners: list[Runner]) -> tuple[str, list[str]]:
    """One table of steps and languages, and a line for each difference."""
    steps = list(rows) + sorted({s for r in runners for s in r.saw} - set(rows))
    lines = [f"{'step':<20}" + "".join(f"{r.language:<46}" for r in runners)]
    faults = []
    for step in steps:
        line = f"{step:<20}"
        for runner in runners:
            wanted, saw = rows.get(step), runner.saw.get(step)
            is_right = wanted is not None and saw == wanted
            word = f"{saw.status} {saw.reason}".strip() if saw else "nothing"
            line += f"{('' if is_right else 'NOT ') + word:<46}"
            if not is_right:
                faults.append(f"{step} in {runner.language}: {saw}, but the table says {wanted}")
        lines.append(line)
    return "\n".join(lines), faults
