"""A whole registry in this process, over mTLS, with a principal for each role."""

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import grpc

from assay.v1 import (
    access_service_pb2,
    access_service_pb2_grpc,
    audit_service_pb2_grpc,
    evaluation_service_pb2_grpc,
    registry_service_pb2_grpc,
    watch_service_pb2_grpc,
)
from assay_server.app.rooms import CLOCK, IDS, Stores
from assay_server.app.serving import Running, running
from assay_server.config import Config
from assay_server.config.settings import (
    BlobsSection,
    OperationsSection,
    PagingSection,
    ServerSection,
    StoreSection,
    TlsSection,
)
from assay_server.domain.access import Role
from assay_server.services.founding import Founding
from assay_server.sqlstore.places import SqlitePlace, place_of
from assay_server.sqlstore.schema import migrate_files
from tests.pki import Authority, Credentials
from tests.wire.scripted import secure_channel
from tests.wire.watching import Recording, RecordingStub, history, require_promises


def principal(role: Role | str) -> str:
    return f"spiffe://assay.test/{role}"


@dataclass
class Registry:
    """A running registry and ways to call it."""

    running: Running
    stores: Stores
    authority: Authority
    config: Config
    _credentials: dict[str, Credentials] = field(default_factory=dict)
    recordings: list[Recording] = field(default_factory=list)
    """Every watch that a test opened through ``stubs``."""

    @asynccontextmanager
    async def channel(self, name: Role | str = Role.ADMIN) -> AsyncIterator[grpc.aio.Channel]:
        """A channel of the principal ``spiffe://assay.test/{name}``."""
        if name not in self._credentials:
            self._credentials[name] = self.authority.issue_client(principal(name))
        async with secure_channel(
            self.running.target, self.authority, self._credentials[name]
        ) as channel:
            yield channel

    @asynccontextmanager
    async def stubs(self, name: Role | str = Role.ADMIN) -> AsyncIterator["Stubs"]:
        async with self.channel(name) as channel:
            stubs = Stubs(channel)
            stubs.watch = RecordingStub(stubs.watch, self.recordings, principal(name))
            yield stubs


class Stubs:
    """The services on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.access: Any = access_service_pb2_grpc.AccessServiceStub(channel)
        self.audit: Any = audit_service_pb2_grpc.AuditServiceStub(channel)
        self.evaluation: Any = evaluation_service_pb2_grpc.EvaluationServiceStub(channel)
        self.registry: Any = registry_service_pb2_grpc.RegistryServiceStub(channel)
        self.watch: Any = watch_service_pb2_grpc.WatchServiceStub(channel)

    async def create_namespace(self, namespace_id: str) -> int:
        request = access_service_pb2.CreateNamespaceRequest(namespace_id=namespace_id)
        answer = await self.access.CreateNamespace(request)
        return int(answer.revision)

    async def bind(self, role: int, member: str, parent: str = "") -> str:
        request = access_service_pb2.CreateRoleBindingRequest(parent=parent)
        request.role_binding.role = role
        request.role_binding.member = member
        answer = await self.access.CreateRoleBinding(request)
        return str(answer.role_binding.name)


RESERVE_BYTES = 1024 * 1024
"""Of the disk for the audit trail: there are many registries in a run of the tests."""


@cache
def blank_store() -> Path:
    """The files of an empty store; making the schema takes longer than most tests."""
    directory = Path(tempfile.mkdtemp(prefix="assay-blank-"))
    atexit.register(shutil.rmtree, directory)
    place = place_of(f"sqlite:///{directory / 'assay.db'}")
    assert isinstance(place, SqlitePlace)
    migrate_files(place)
    return directory


def settings(directory: Path, authority: Authority, **limits: float) -> Config:
    """Settings of a registry in ``directory`` that stops at once, its schema made already."""
    for file in blank_store().iterdir():
        if not (directory / file.name).exists():
            shutil.copy(file, directory)
    certificate, key = authority.issue_server().write(directory, "server")
    authorities = directory / "ca.pem"
    authorities.write_bytes(authority.certificate)
    base = Config()
    fast: dict[str, Any] = {"drain_notice_s": 0.0, "drain_grace_s": 3.0, **limits}
    return replace(
        base,
        server=ServerSection(listen="127.0.0.1:0"),
        tls=TlsSection(certificate=certificate, private_key=key, client_authorities=authorities),
        store=StoreSection(
            url=f"sqlite:///{directory / 'assay.db'}", audit_reserve_bytes=RESERVE_BYTES
        ),
        blobs=BlobsSection(directory=directory / "blobs"),
        operations=OperationsSection(listen="127.0.0.1:0"),
        paging=PagingSection(key_file=directory / "page-token.key"),
        limits=replace(base.limits, **fast),
    )


@asynccontextmanager
async def open_registry(config: Config, authority: Authority) -> AsyncIterator[Registry]:
    """Serve; every role is bound everywhere to its principal, the first time.

    What watches gave is held against what happened when the block ends well.
    """
    opened: list[Stores] = []

    async def prepare(stores: Stores) -> None:
        opened.append(stores)
        founding = Founding(stores.facts, CLOCK, IDS, founder="local:test")
        await founding.roles_everywhere({role: principal(role) for role in Role})

    async with running(config, prepare) as server:
        registry = Registry(server, opened[0], authority, config)
        yield registry
        require_promises(registry.recordings, await history(opened[0].facts))
