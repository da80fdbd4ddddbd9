"""Clients that do what trainers and serving systems do, at random, and write down what happened."""

import asyncio
import hashlib
import random
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import google_crc32c
import grpc

from assay.v1 import artifact_service_pb2 as artifact_api
from assay.v1 import registry_service_pb2 as api
from assay.v1 import version_pb2
from assay.v1.upload_pb2 import UPLOAD_STATE_OPEN, Upload
from tests.faults.histories import (
    DEADLINE_S,
    UNKNOWN_STATUSES,
    History,
    Operation,
    Outcome,
    ServerGone,
    Stubs,
    channel_to,
)
from tests.faults.serving import NAMESPACE

MODELS = tuple(f"namespaces/{NAMESPACE}/models/model-{number}" for number in range(3))
ALIASES = ("champion", "challenger")
LIES = b"These are not the bytes that were announced."


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Known:
    """What the clients have learned from answers, together."""

    sealed: dict[str, list[int]] = field(default_factory=lambda: {model: [] for model in MODELS})
    ready: dict[str, list[int]] = field(default_factory=lambda: {model: [] for model in MODELS})
    contents: list[tuple[str, int]] = field(default_factory=list)
    lies_taken: int = 0


class Client:
    """One of many; ``random`` decides all it does but for the ids."""

    def __init__(
        self, number: int, stubs: Stubs, history: History, known: Known, chance: random.Random
    ) -> None:
        self._number = number
        self._stubs = stubs
        self._history = history
        self._known = known
        self._random = chance

    async def work(self, stop: asyncio.Event) -> None:
        """Act until told to stop, or until the server is gone if the history ends with it."""
        acts = (
            *(self.push, self.push, self.copy, self.publish),
            *(self.point, self.point, self.read, self.lie),
        )
        while not stop.is_set():
            try:
                await self._random.choice(acts)(self._random.choice(MODELS))
            except ServerGone:
                if not self._history.goes_on:
                    return

    async def push(self, model: str) -> None:
        """Draft, upload, seal; at times published in the same call."""
        content = self._random.randbytes(self._random.choice((100, 5_000, 70_000)))
        draft = await self._filled(model, content, announced=content)
        if draft is None:
            return
        request = api.SealDraftRequest(name=draft, request_id=_id())
        if self._random.random() < 0.5:
            request.publish, request.bump = True, version_pb2.BUMP_PATCH
        sealed = await self._call("RegistryService/SealDraft", request)
        if sealed.outcome is Outcome.ACKNOWLEDGED:
            self._known.contents.append((digest(content), len(content)))
            self._learn(model, sealed)

    async def copy(self, model: str) -> None:
        """Make a version of content that some model has, in one call; often of none that is new."""
        if not self._known.contents:
            return
        content, size = self._random.choice(self._known.contents)
        version = version_pb2.ModelVersion()
        version.files.add(path="model.bin", size_bytes=size, digest=content)
        version.facts.hyperparameters["run"] = str(self._random.randrange(3))
        request = api.CreateVersionRequest(parent=model, version=version, request_id=_id())
        if self._random.random() < 0.5:
            request.publish, request.bump = True, version_pb2.BUMP_PATCH
        made = await self._call("RegistryService/CreateVersion", request)
        if made.outcome is Outcome.ACKNOWLEDGED and not made.answer.existed:
            self._learn(model, made)

    def _learn(self, model: str, made: Operation) -> None:
        known = self._known.ready if made.request.publish else self._known.sealed
        known[model].append(_number(made.answer.version.name))

    async def publish(self, model: str) -> None:
        if not self._known.sealed[model]:
            return
        number = self._known.sealed[model].pop()
        name = f"{model}/versions/{number}"
        request = api.PublishVersionRequest(
            name=name, bump=version_pb2.BUMP_MINOR, request_id=_id()
        )
        published = await self._call("RegistryService/PublishVersion", request)
        if published.outcome is Outcome.ACKNOWLEDGED:
            self._known.ready[model].append(number)

    async def point(self, model: str) -> None:
        """Move an alias by compare-and-set: read where it points, then move it."""
        if not self._known.ready[model]:
            return
        name = f"{model}/aliases/{self._random.choice(ALIASES)}"
        found = await self._call("RegistryService/GetAlias", api.GetAliasRequest(name=name))
        request = api.SetAliasRequest(
            name=name,
            version_number=self._random.choice(self._known.ready[model]),
            request_id=_id(),
        )
        if found.outcome is Outcome.ACKNOWLEDGED:
            request.expected_version_number = found.answer.alias.version_number
        await self._call("RegistryService/SetAlias", request)

    async def read(self, model: str) -> None:
        name = f"{model}/aliases/{self._random.choice(ALIASES)}"
        await self._call("RegistryService/GetAlias", api.GetAliasRequest(name=name))
        await self._call("RegistryService/ListVersions", api.ListVersionsRequest(parent=model))

    async def lie(self, model: str) -> None:
        """Announce one content and send another, which must not be taken."""
        announced = self._random.randbytes(len(LIES))
        if await self._filled(model, LIES, announced=announced) is not None:
            self._known.lies_taken += 1

    async def _filled(self, model: str, content: bytes, *, announced: bytes) -> str | None:
        """A draft with one file; None where the upload was refused."""
        request = api.CreateDraftRequest(parent=model, request_id=_id())
        draft = (await self._call("RegistryService/CreateDraft", request)).answer.draft.name
        upload = Upload(
            name=f"{draft}/uploads/{uuid.uuid4()}",
            path="model.bin",
            size_bytes=len(announced),
            digest=digest(announced),
        )
        begun = await self._call(
            "ArtifactService/BeginUpload", artifact_api.BeginUploadRequest(upload=upload)
        )
        if begun.answer.upload.state == UPLOAD_STATE_OPEN:
            await self._write(begun.answer.upload, content)
        commit = artifact_api.CommitUploadRequest(
            name=upload.name, digest=upload.digest, size_bytes=len(announced), request_id=_id()
        )
        done = await self._call("ArtifactService/CommitUpload", commit)
        return str(draft) if done.outcome is Outcome.ACKNOWLEDGED else None

    async def _write(self, upload: Upload, content: bytes) -> None:
        message = artifact_api.WriteUploadRequest(
            upload=upload.name,
            epoch=upload.epoch,
            data=content,
            crc32c=google_crc32c.value(content),
        )
        try:
            await self._stubs.artifacts.WriteUpload(iter([message]), timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() in UNKNOWN_STATUSES:
                raise ServerGone from error
            raise

    async def _call(self, method: str, request: object) -> Operation:
        return await self._history.call(self._stubs, self._number, method, request)


class Crowd:
    """Many clients on one registry, spread over its servers."""

    def __init__(self, *, size: int, seed: int, history: History | None = None) -> None:
        self._size = size
        self._seed = seed
        self._round = 0
        self.history = history or History()
        self.known = Known()

    async def found(self, target: str) -> None:
        """Make the models, once."""
        async with channel_to(target) as channel:
            for model in MODELS:
                parent, _, model_id = model.rpartition("/models/")
                request = api.CreateModelRequest(parent=parent, model_id=model_id, request_id=_id())
                await self.history.call(Stubs(channel), 0, "RegistryService/CreateModel", request)

    async def push_one(self, target: str) -> None:
        """Bring one version, and nothing else."""
        async with channel_to(target) as channel:
            chance = random.Random(uuid.uuid4().int)
            client = Client(0, Stubs(channel), self.history, self.known, chance)
            await client.push(chance.choice(MODELS))

    async def work(self, targets: Sequence[str], stop: asyncio.Event) -> None:
        """Act until told to stop or until the servers are gone."""
        self._round += 1
        async with AsyncExitStack() as stack:
            stubs = [
                Stubs(await stack.enter_async_context(channel_to(targets[n % len(targets)])))
                for n in range(max(4, len(targets)))
            ]
            working = (
                Client(
                    number,
                    stubs[number % len(stubs)],
                    self.history,
                    self.known,
                    random.Random(f"{self._seed}/{self._round}/{number}"),
                ).work(stop)
                for number in range(self._size)
            )
            await asyncio.gather(*working)


def _id() -> str:
    return str(uuid.uuid4())


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])
