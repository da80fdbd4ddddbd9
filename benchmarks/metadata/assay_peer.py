"""Assay as it ships, in a process of its own: mutual TLS, every call audited, every change durable.

The callers use the generated stubs on one connection, as a serving system would.
"""

import asyncio
import hashlib
import itertools
import os
import secrets
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from assay import AsyncClient, contexts
from assay.v1 import artifact_service_pb2 as artifact_api
from assay.v1 import draft_pb2, facts_pb2, file_pb2, upload_pb2, version_pb2
from assay.v1 import registry_service_pb2 as api
from metadata.load import Run

SERVER = Path(sys.executable).with_name("assay-server")
MODEL = "namespaces/bench/models/model-{}"
CONTENT = b"weights"
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()

Call = Callable[[int, int], Awaitable[Any]]


class AssayPeer:
    """One server, and the callers of the same process as the benchmark."""

    name = "Assay"

    def __init__(
        self,
        directory: Path,
        store_url: str,
        *,
        models: int,
        versions: int,
        program: Sequence[str | Path] = (SERVER,),
    ) -> None:
        self.directory = directory
        self._models = models
        self._versions = versions
        self._aliases: dict[int, int] = defaultdict(int)  # caller -> where its alias points
        self._loop = asyncio.new_event_loop()
        self._server = _start(directory, store_url, program)
        try:
            self.target = _ready(self._server)
            self._client = admin_of(directory, self.target)
            self._loop.run_until_complete(self._fill())
        except BaseException:
            self._server.kill()
            raise

    def close(self) -> None:
        """Close the connection and stop the server."""
        self._loop.run_until_complete(self._client.close())
        self._loop.close()
        self._server.terminate()
        self._server.wait(30)

    def signal(self, number: int) -> None:
        """Send a signal to the server."""
        self._server.send_signal(number)

    def move_alias(self) -> int:
        """Set an alias to its other version, and return the revision of that."""
        return self._loop.run_until_complete(self._set_alias(0, caller=0))

    def run(self, operation: str, callers: int, seconds: float) -> Run:
        call = getattr(self, "_" + operation.replace(" ", "_"))
        return self._loop.run_until_complete(_drive(call, callers, seconds))

    async def _fill(self) -> None:
        client = self._client
        await client.create_namespace("bench")
        for model in range(self._models):
            await client.create_model(f"bench/model-{model}")
        # Only the first upload sends bytes: later ones are found to be there already.
        file = self.directory / "model.bin"
        file.write_bytes(CONTENT)
        await client.push(file, to="bench/model-0", publish=True, bump="patch")
        for _ in range(self._versions):
            await asyncio.gather(
                *(self._create_version_by_draft(m, 0) for m in range(self._models))
            )
        for model in range(self._models):
            await client.set_alias(f"bench/model-{model}@champion", 1, expected=0)

    def _get_version(self, turn: int, caller: int) -> Awaitable[Any]:
        model = MODEL.format(turn % self._models)
        name = f"{model}/versions/{1 + turn % self._versions}"
        return self._client.stubs.registry.GetVersion(api.GetVersionRequest(name=name))

    def _resolve_alias(self, turn: int, caller: int) -> Awaitable[Any]:
        request = api.ResolveVersionRequest(reference=f"bench/model-{turn % self._models}@champion")
        return self._client.stubs.registry.ResolveVersion(request)

    def _list_versions(self, turn: int, caller: int) -> Awaitable[Any]:
        request = api.ListVersionsRequest(parent=MODEL.format(turn % self._models), page_size=20)
        return self._client.stubs.registry.ListVersions(request)

    def _create_version(self, turn: int, caller: int) -> Awaitable[Any]:
        """A whole version, published, in one call: its file's bytes are there, as in the peer's."""
        file = file_pb2.File(path="model.bin", size_bytes=len(CONTENT), digest=DIGEST)
        request = api.CreateVersionRequest(
            parent=MODEL.format(turn % self._models),
            version=version_pb2.ModelVersion(files=[file], facts=_facts()),
            publish=True,
            bump=version_pb2.BUMP_PATCH,
            request_id=str(uuid.uuid4()),
        )
        return self._client.stubs.registry.CreateVersion(request)

    async def _create_version_by_draft(self, turn: int, caller: int) -> None:
        """The same in three calls: draft, its file, seal and publish."""
        stubs = self._client.stubs
        facts = _facts()
        draft = await stubs.registry.CreateDraft(
            api.CreateDraftRequest(
                parent=MODEL.format(turn % self._models),
                draft=draft_pb2.Draft(facts=facts),
                request_id=str(uuid.uuid4()),
            )
        )
        upload = upload_pb2.Upload(
            name=f"{draft.draft.name}/uploads/{uuid.uuid4()}",
            path="model.bin",
            size_bytes=len(CONTENT),
            digest=DIGEST,
        )
        begun = await stubs.artifacts.BeginUpload(artifact_api.BeginUploadRequest(upload=upload))
        assert begun.upload.state == upload_pb2.UPLOAD_STATE_COMPLETE
        await stubs.registry.SealDraft(
            api.SealDraftRequest(
                name=draft.draft.name,
                publish=True,
                bump=version_pb2.BUMP_PATCH,
                request_id=str(uuid.uuid4()),
            )
        )

    async def _set_alias(self, turn: int, caller: int) -> int:
        """By compare-and-set, each time to another version: to stay would cost nothing."""
        at = self._aliases[caller]
        answer = await self._client.stubs.registry.SetAlias(
            api.SetAliasRequest(
                name=f"{MODEL.format(caller % self._models)}/aliases/a{caller}",
                version_number=1 + at % self._versions,
                expected_version_number=at,
                request_id=str(uuid.uuid4()),
            )
        )
        self._aliases[caller] = 1 + at % self._versions
        return answer.revision


def _facts() -> facts_pb2.Facts:
    """Facts that no other version has."""
    return facts_pb2.Facts(hyperparameters={"seed": secrets.token_hex(8)})


def admin_of(directory: Path, target: str) -> AsyncClient:
    """A client with a connection of its own, for the event loop that uses it first."""
    context = contexts.load(directory / "contexts.toml").get("admin")
    return AsyncClient(target, tls=context.tls)


async def _drive(call: Call, callers: int, seconds: float) -> Run:
    begun = time.perf_counter()
    run = Run(0.0)
    turns = itertools.count()

    async def ask(caller: int) -> None:
        while (before := time.perf_counter()) < begun + seconds:
            await call(next(turns), caller)
            run.latencies_s.append(time.perf_counter() - before)

    await asyncio.gather(*(ask(caller) for caller in range(callers)))
    run.elapsed_s = time.perf_counter() - begun
    return run


def _start(
    directory: Path, store_url: str, program: Sequence[str | Path]
) -> "subprocess.Popen[str]":
    subprocess.run(
        [SERVER, "init", "--directory", directory, *(["--store", store_url] if store_url else [])],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with (directory / "log").open("w") as log:
        return subprocess.Popen(
            [*program, "serve", "--config", directory / "config.toml"],
            env={
                **os.environ,
                "ASSAY__SERVER__LISTEN": "127.0.0.1:0",
                "ASSAY__OPERATIONS__LISTEN": "",
                # All callers are one principal here, whose share is not what is measured.
                "ASSAY__LIMITS__CALLS_PER_PRINCIPAL_PER_S": "0",
            },
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def _ready(server: "subprocess.Popen[str]") -> str:
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("ready "):
            return line.split()[1]
    raise RuntimeError("the server ended before it served")
