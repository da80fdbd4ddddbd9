"""Moving bytes as a client in any language would: with nothing but the generated stubs."""

import asyncio
import hashlib
import itertools
import uuid
from collections.abc import AsyncIterator, Iterable
from typing import Any

import google_crc32c
import grpc

from assay.v1 import access_service_pb2 as access_api
from assay.v1 import (
    access_service_pb2_grpc,
    artifact_service_pb2_grpc,
    registry_service_pb2_grpc,
)
from assay.v1 import artifact_service_pb2 as api
from assay.v1 import registry_service_pb2 as registry_api
from assay.v1.role_binding_pb2 import Role, RoleBinding
from assay.v1.upload_pb2 import Upload

MIB = 1 << 20
DIGITS = "namespaces/vision/models/digits"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Transfers:
    """One principal's way to the artifacts."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.artifacts: Any = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
        self.registry: Any = registry_service_pb2_grpc.RegistryServiceStub(channel)
        self.access: Any = access_service_pb2_grpc.AccessServiceStub(channel)

    async def found(self, model: str = DIGITS) -> None:
        """Make a model and its namespace; for an administrator."""
        namespace_id = model.split("/")[1]
        await self.access.CreateNamespace(
            access_api.CreateNamespaceRequest(namespace_id=namespace_id)
        )
        await self.add_model(model)

    async def add_model(self, model: str) -> None:
        parent, _, model_id = model.rpartition("/models/")
        await self.registry.CreateModel(
            registry_api.CreateModelRequest(parent=parent, model_id=model_id)
        )

    async def bind(self, member: str, role: "Role.ValueType", parent: str) -> None:
        binding = RoleBinding(role=role, member=member)
        await self.access.CreateRoleBinding(
            access_api.CreateRoleBindingRequest(parent=parent, role_binding=binding)
        )

    async def draft(self, model: str = DIGITS) -> str:
        made = await self.registry.CreateDraft(registry_api.CreateDraftRequest(parent=model))
        return str(made.draft.name)

    async def seal(self, draft: str) -> str:
        made = await self.registry.SealDraft(registry_api.SealDraftRequest(name=draft))
        return str(made.version.name)

    async def begin(
        self, draft: str, content: bytes, *, path: str = "model.bin", name: str = ""
    ) -> Upload:
        upload = Upload(
            name=name or f"{draft}/uploads/{uuid.uuid4()}",
            path=path,
            size_bytes=len(content),
            digest=digest(content),
        )
        answer = await self.artifacts.BeginUpload(api.BeginUploadRequest(upload=upload))
        begun: Upload = answer.upload
        return begun

    async def get(self, upload: Upload) -> Upload:
        answer = await self.artifacts.GetUpload(api.GetUploadRequest(name=upload.name))
        found: Upload = answer.upload
        return found

    async def some_durable(self, upload: Upload, *, over: int = 0) -> int:
        """How many bytes are durable, once there are more; the server tells nobody when."""
        async with asyncio.timeout(20):
            for wait_s in itertools.repeat(0.02):
                if (durable_bytes := (await self.get(upload)).durable_bytes) > over:
                    return durable_bytes
                await asyncio.sleep(wait_s)
        raise AssertionError

    async def write(self, upload: Upload, content: bytes) -> Upload:
        """Send what is not durable yet."""
        messages = messages_of(upload, content)
        answer = await self.artifacts.WriteUpload(each(messages))
        written: Upload = answer.upload
        return written

    async def commit(self, upload: Upload, content: bytes) -> Any:
        return await self.artifacts.CommitUpload(
            api.CommitUploadRequest(
                name=upload.name, digest=digest(content), size_bytes=len(content)
            )
        )

    async def put(self, draft: str, content: bytes, *, path: str = "model.bin") -> Upload:
        upload = await self.begin(draft, content, path=path)
        await self.write(upload, content)
        await self.commit(upload, content)
        return upload

    async def read(self, name: str, path: str = "model.bin", **wanted: Any) -> bytes:
        """The bytes of a range, each message checked."""
        request = api.ReadArtifactRequest(name=name, path=path, **wanted)
        content = bytearray()
        async for message in self.artifacts.ReadArtifact(request):
            assert message.offset == wanted.get("offset", 0) + len(content)
            assert message.crc32c == google_crc32c.value(message.data)
            content += message.data
        return bytes(content)


def messages_of(
    upload: Upload, content: bytes, *, piece_bytes: int = MIB
) -> list[api.WriteUploadRequest]:
    """The messages of one stream from ``durable_bytes`` on."""
    messages = [
        api.WriteUploadRequest(
            offset=offset,
            data=content[offset : offset + piece_bytes],
            crc32c=google_crc32c.value(content[offset : offset + piece_bytes]),
        )
        for offset in range(upload.durable_bytes, len(content), piece_bytes)
    ]
    messages[0].upload, messages[0].epoch = upload.name, upload.epoch
    return messages


async def each(
    messages: Iterable[api.WriteUploadRequest], *, then_hang: bool = False
) -> AsyncIterator[api.WriteUploadRequest]:
    """``messages``, and if asked for silence instead of an end."""
    for message in messages:
        yield message
    if then_hang:
        await asyncio.Event().wait()
