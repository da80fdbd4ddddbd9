"""MLflow's registry, in an environment and processes of its own, spoken to over its REST API.

It is called with the standard library's HTTP client, one kept-alive connection a caller, which
costs less than MLflow's own client. MLflow's HTTP stack sends an answer in two pieces, and on
loopback the second waits up to 40 ms for the first one's delayed acknowledgement. ``quick_ack``
takes that wait away, so that both figures can be told: as it ships, and at its best.
"""

import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from contextlib import suppress
from pathlib import Path
from typing import Any

from metadata.load import Run

READY_S = 180.0
WORKERS = 4  # what `mlflow server` starts by default
PREFIX = "/api/2.0/mlflow"


class MlflowServer:
    """``mlflow server`` with this store, filled like the other registry."""

    def __init__(
        self, program: Path, directory: Path, store_url: str, *, models: int, versions: int
    ) -> None:
        self.models = models
        self.versions = versions
        self.port = _free_port()
        self._log = directory / "log"
        self._log = directory / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [program, "server", "--host", "127.0.0.1", "--port", str(self.port),
                 "--workers", str(WORKERS), "--backend-store-uri", store_url,
                 "--default-artifact-root", directory / "artifacts"],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait()
            self._fill()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the server and all that it started, which is in a session of its own."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                connection = Connection(self.port, quick_ack=True)
                connection.ask("GET", "/registered-models/search", {"max_results": "1"})
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise RuntimeError(f"MLflow did not start. It said:\n{self._log.read_text()[-2000:]}")

    def _fill(self) -> None:
        connection = Connection(self.port, quick_ack=True)
        for model in range(self.models):
            name = f"model-{model}"
            connection.ask("POST", "/registered-models/create", {"name": name})
            for _ in range(self.versions):
                connection.ask("POST", "/model-versions/create", _version(name))
            connection.ask("POST", "/registered-models/alias", _alias(name, "champion", 1))


class MlflowPeer:
    """Callers of one server: a thread and a connection each."""

    def __init__(self, server: MlflowServer, *, quick_ack: bool) -> None:
        self.name = "MLflow, no delayed ACK" if quick_ack else "MLflow"
        self._server = server
        self._quick_ack = quick_ack
        self._stray = itertools.count()

    def run(self, operation: str, callers: int, seconds: float) -> Run:
        call = getattr(self, "_" + operation.replace(" ", "_"))
        turns = itertools.count()
        run = Run(0.0)
        failures: list[BaseException] = []

        def ask(caller: int) -> None:
            try:
                connection = Connection(self._server.port, quick_ack=self._quick_ack)
                while (before := time.perf_counter()) < begun + seconds:
                    call(connection, next(turns), caller)
                    run.latencies_s.append(time.perf_counter() - before)
            except BaseException as failure:  # noqa: BLE001 - told by the thread that waits
                failures.append(failure)

        begun = time.perf_counter()
        threads = [threading.Thread(target=ask, args=(caller,)) for caller in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run.elapsed_s = time.perf_counter() - begun
        if failures:
            raise failures[0]
        return run

    def _get_version(self, connection: "Connection", turn: int, caller: int) -> None:
        version = str(1 + turn % self._server.versions)
        connection.ask(
            "GET", "/model-versions/get", {"name": self._model(turn), "version": version}
        )

    def _resolve_alias(self, connection: "Connection", turn: int, caller: int) -> None:
        given = {"name": self._model(turn), "alias": "champion"}
        connection.ask("GET", "/registered-models/alias", given)

    def _list_versions(self, connection: "Connection", turn: int, caller: int) -> None:
        given = {"filter": f"name='{self._model(turn)}'", "max_results": "20"}
        connection.ask("GET", "/model-versions/search", given)

    def _create_version(self, connection: "Connection", turn: int, caller: int) -> None:
        connection.ask("POST", "/model-versions/create", _version(self._model(turn)))

    _create_version_by_draft = _create_version  # it has one way only

    def _set_alias(self, connection: "Connection", turn: int, caller: int) -> None:
        version = 1 + next(self._stray) % self._server.versions
        model = f"model-{caller % self._server.models}"
        connection.ask("POST", "/registered-models/alias", _alias(model, f"a{caller}", version))

    def _model(self, turn: int) -> str:
        return f"model-{turn % self._server.models}"


class Connection:
    """One kept-alive HTTP connection."""

    def __init__(self, port: int, *, quick_ack: bool) -> None:
        self._quick_ack = quick_ack
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._http.connect()

    def ask(self, method: str, path: str, given: dict[str, Any]) -> Any:
        """One call; anything but 200 is an error of the benchmark."""
        target, body = PREFIX + path, None
        if method == "GET":
            target += "?" + urllib.parse.urlencode(given)
        else:
            body = json.dumps(given)
        self._http.request(method, target, body, {"Content-Type": "application/json"})
        if self._quick_ack:  # the kernel forgets it after a few segments: asked for each time
            self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        answer = self._http.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content)


def _version(name: str) -> dict[str, Any]:
    return {"name": name, "source": "s3://bench/model"}


def _alias(name: str, alias: str, version: int) -> dict[str, Any]:
    return {"name": name, "alias": alias, "version": str(version)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
