"""Every client does the steps of ``tests/clients/scenario.md`` and sees what the table says."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc

from assay_server.app.rooms import _server_limits
from assay_server.config import Config
from tests.clients.python.serving import serving
from tests.clients.scenario import future
from tests.clients.scenario.proxying import BreakingProxy
from tests.clients.scenario.running import DevServer, Row, Runner, compared, rows_of
from tests.house.sources import ROOT

TABLE = ROOT / "tests/clients/scenario.md"
SENT_BYTES_MIN = 1 << 20
SENT_BYTES_MAX = 5 << 20
"""Of the 6 MiB of an upload: where it is broken lies between."""

BREAKS = {"resume-cut": False, "resume-killed": True}
"""The rows whose upload is broken, and whether the bytes are held until the server is dead."""

WAIT_S = 300.0


class Director:
    """Leads all runners through the rows, and breaks what a row wants broken."""

    def __init__(
        self, server: DevServer, proxies: list[BreakingProxy], runners: list[Runner]
    ) -> None:
        self._server = server
        self._proxies = proxies
        self._runners = runners
        self._random = random.Random(os.environ.get("ASSAY_SEED") or None)
        self.broken: dict[str, int] = {}

    async def run(self) -> None:
        while places := set(await together(runner.until_at() for runner in self._runners)):
            assert len(places) == 1, f"the runners are at {places}: {self._seen()}"
            place = places.pop()
            if not place:
                return
            if place == "watching":
                await self._restart()
            elif place in BREAKS:
                for proxy in self._proxies:
                    after = self._random.randrange(SENT_BYTES_MIN, SENT_BYTES_MAX)
                    proxy.arm(after, holds=BREAKS[place])
            await together(runner.go() for runner in self._runners)
            if place in BREAKS:
                await together(proxy.has_broken.wait() for proxy in self._proxies)
                self.broken[place] = len(self._proxies)
                if BREAKS[place]:
                    await self._restart()

    async def _restart(self) -> None:
        await self._server.kill()
        await self._server.start()
        for proxy in self._proxies:
            proxy.target = self._server.target
            proxy.cut()

    def _seen(self) -> str:
        return "; ".join(f"{r.language} saw {list(r.saw.items())[-1:]}" for r in self._runners)


async def together(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.wait_for(asyncio.gather(*calls), WAIT_S))


@asynccontextmanager
async def future_server(pki: Path, watching: future.Watching) -> AsyncIterator[str]:
    """The server whose answers are made by hand, with the limits of the real one."""
    key, certificate, ca = (
        (pki / name).read_bytes() for name in ("server.key", "server.pem", "ca.pem")
    )
    credentials = grpc.ssl_server_credentials([(key, certificate)], ca, True)
    options = _server_limits(Config()).options()
    async with serving(
        future.handlers(watching), credentials=credentials, options=options
    ) as target:
        yield target


async def test_every_client_sees_what_the_table_says(
    tmp_path: Path, go_runner: list[str], java_runner: list[str]
) -> None:
    commands = {
        "Python": [sys.executable, "-m", "tests.clients.scenario.python_runner"],
        "Go": go_runner,
        "Java": java_runner,
    }
    rows = rows_of(TABLE)
    server, watching = DevServer(tmp_path / "dev"), future.Watching()
    runners: list[Runner] = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.kill)
        await server.start()
        pki = server.directory / "pki"
        future_target = await stack.enter_async_context(future_server(pki, watching))
        proxies = [BreakingProxy(server.target) for _ in commands]
        for proxy, (language, command) in zip(proxies, commands.items(), strict=True):
            await stack.enter_async_context(proxy)
            place = tmp_path / language
            place.mkdir()
            environ = {
                "SCENARIO_TARGET": f"localhost:{proxy.port}",
                "SCENARIO_FUTURE_TARGET": future_target,
                "SCENARIO_PKI": str(pki),
                "SCENARIO_DIRECTORY": str(place),
            }
            runner = Runner(language, command, environ)
            runners.append(runner)
            stack.push_async_callback(runner.end)
            await runner.start(TABLE, tmp_path / f"{language}.log")
        director = Director(server, proxies, runners)
        await director.run()
    table, faults = compared(rows, runners)
    sys.stdout.write(f"\n{table}\n")

    assert not faults, "\n".join([table, *faults])
    assert director.broken == dict.fromkeys(BREAKS, len(commands))
    assert watching.calls == len(commands), "a silent watch was interrupted"


def test_a_row_without_a_step_and_a_step_without_a_row_are_faults() -> None:
    runner = Runner("Python", [], {}, saw={"undescribed": Row("OK", "", "")})

    _, faults = compared({"undone": Row("OK", "", "")}, [runner])

    assert len(faults) == 2
