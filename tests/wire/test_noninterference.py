"""Nothing that a caller may not read changes anything that the caller hears.

An observer looks at everything that the API shows, others act where the observer may not read, and
the observer looks again: every byte must be the same, but for revisions, which count the changes
of all, and the time of day.
"""

import asyncio
import itertools
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from assay.v1 import access_service_pb2 as access
from assay.v1 import artifact_service_pb2 as artifact
from assay.v1 import audit_service_pb2 as audit
from assay.v1 import evaluation_service_pb2 as evaluation
from assay.v1 import registry_service_pb2 as registry
from assay.v1 import role_binding_pb2, upload_pb2, watch_service_pb2, watch_service_pb2_grpc
from assay_server.config import Config
from assay_server.config.settings import StoreSection
from assay_server.domain.access import Role
from tests.pki import Authority
from tests.wire.calling import Heard, hear
from tests.wire.probes import PROBES
from tests.wire.publication import accurate, team_on
from tests.wire.registry import Registry, open_registry, principal
from tests.wire.registry import settings as registry_settings
from tests.wire.secrets_of_others import CONTENTS, ELSEWHERE, IN_DRAFTS, SPEECH_DIGITS, Others
from tests.wire.transfers import DIGITS, Transfers, digest

EXAMPLES: Final = int(os.environ.get("ASSAY_EXAMPLES", "2"))
VISION: Final = "namespaces/vision"
VERSION: Final = f"{DIGITS}/versions/1"
WATCH_S: Final = 20.0
MAKE_DRAFTS: Final = (Role.ADMIN, Role.ENGINEER, Role.DATA_SCIENTIST)
SEE_ALL_DRAFTS: Final = (Role.ADMIN, Role.ENGINEER, Role.AUDITOR)
"""The auditor in the trail: who calls what is what auditors are for."""

OBSERVERS: Final = list(itertools.product(Role, (VISION, DIGITS)))
"""Each role in the namespace and on the model."""

Seen = dict[str, Any]


@pytest.fixture(params=["sqlite", "postgres"])
def config(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Config:
    """A registry on each database in turn."""
    made = registry_settings(tmp_path, authority, watch_bookmark_s=0.1)
    if request.param == "sqlite":
        return made
    return replace(made, store=StoreSection(url=request.getfixturevalue("registry_url")))


@pytest.fixture
async def stage(config: Config, authority: Authority) -> AsyncIterator[Registry]:
    """Two tenants, and an observer for each role of the first."""
    async with open_registry(config, authority) as registry:
        async with team_on(registry) as team, registry.channel() as channel:
            await team.ready("known")
            await team.evaluate(VERSION, 0.9)
            await team.set_gate("publish", accurate())
            await team.point("champion", 1)
            await Transfers(channel).found(SPEECH_DIGITS)
            for role, place in OBSERVERS:
                value = role_binding_pb2.Role.Value(f"ROLE_{role.name}")
                await Transfers(channel).bind(principal(_who(role, place)), value, place)
        yield registry


@given(
    observer=st.sampled_from(OBSERVERS),
    acts=st.lists(
        st.tuples(st.sampled_from(sorted({**ELSEWHERE, **IN_DRAFTS})), st.integers(0, 2)),
        min_size=3,
        max_size=8,
    ),
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # the registry goes on from example to example: nothing shrinks
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_nothing_that_a_caller_may_not_read_changes_what_the_caller_hears(
    stage: Registry, observer: tuple[Role, str], acts: list[tuple[str, int]]
) -> None:
    role, place = observer
    hidden = [act for act in acts if act[0] in ELSEWHERE or role not in SEE_ALL_DRAFTS]
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(stage.channel(_who(role, place)))
        others = Others(await stack.enter_async_context(stage.channel()))
        eye = Eye(stage, own, draft=await _own_draft(own, role))
        watching = await eye.watch_from_now()
        # The same acts whoever looks; at least one of these always makes a revision.
        started = await eye.newest()

        before = await eye.look()
        for name, which in [*hidden, ("publish", 0)]:
            await others.act(name, which)
        after = await eye.look()

        assert await eye.newest() > started
        for seen, was in before.items():
            assert after[seen] == was, f"{role} on {place} notices {hidden} by {seen}"
        assert await eye.events(watching) == [], f"{role} on {place} is told of {hidden}"


class Eye:
    """Looks at all that there is to see."""

    def __init__(self, registry: Registry, channel: grpc.aio.Channel, *, draft: str) -> None:
        self._registry = registry
        self._channel = channel
        self._draft = draft

    async def newest(self) -> int:
        return await self._registry.stores.facts.wait_past(-1, 0)

    async def look(self) -> Seen:
        """All of it, by what was asked."""
        seen: Seen = {}
        for row, request in PROBES.items():
            if b"vision" in request.SerializeToString():
                seen[f"{row}, elsewhere"] = await self._hidden(row.partition(" ")[0], request)
        for (method, request), number in zip(_reads(), itertools.count()):
            seen[f"{method} #{number}"] = _bare(await hear(self._channel, method, request))
        for method, request, field in _lists():
            seen[f"{method}, page by page"] = await self._pages(method, request, field)
        start = watch_service_pb2.WatchRequest(start_revision=1)
        seen["Watch"] = await self.events(_watch(self._channel, start))
        seen["initial state"] = await self._state()
        if self._draft:
            for content in CONTENTS:
                seen[f"BeginUpload of {content!r}"] = await self._begun(content)
        return seen

    async def watch_from_now(self) -> Any:
        call = _watch(self._channel, watch_service_pb2.WatchRequest())
        await call.read()
        return call

    async def events(self, call: Any) -> list[bytes]:
        """What a watch delivers up to the newest revision, then end it."""
        newest, found = await self.newest(), []
        async with asyncio.timeout(WATCH_S):
            while True:
                batch = await call.read()
                found += [event.SerializeToString(deterministic=True) for event in batch.events]
                if batch.revision >= newest:
                    call.cancel()
                    return found

    async def _state(self) -> list[list[bytes]]:
        """The initial state of a watch, message by message; tokens carry its revision."""
        request, found = watch_service_pb2.WatchRequest(send_initial_state=True), []
        call = _watch(self._channel, request)
        async with asyncio.timeout(WATCH_S):
            while not (part := await call.read()).initial_state_complete:
                found.append([e.SerializeToString(deterministic=True) for e in part.events])
        call.cancel()
        return found

    async def _hidden(self, method: str, request: Any) -> Heard:
        """The answer about the hidden namespace, which must be that about an absent one."""
        hidden = await hear(self._channel, method, _renamed(request, b"vision", b"speech"))
        absent = await hear(self._channel, method, _renamed(request, b"vision", b"absent"))
        as_absent = replace(
            hidden,
            message=hidden.message.replace("speech", "absent"),
            details=hidden.details.replace(b"speech", b"absent"),
        )
        assert as_absent == absent, method
        return hidden

    async def _pages(self, method: str, request: Any, field: str) -> list[Any]:
        """All pages of one item, tokens and all."""
        pages: list[Any] = []
        wanted = type(request)()
        wanted.CopyFrom(request)
        wanted.page_size = 1
        while True:
            heard = await hear(self._channel, method, wanted)
            pages.append(_bare(heard))
            if heard.answer is None or not heard.answer.next_page_token:
                return pages
            assert len(getattr(heard.answer, field)) == 1
            wanted.page_token = heard.answer.next_page_token

    async def _begun(self, content: bytes) -> Any:
        upload = upload_pb2.Upload(
            name=f"{self._draft}/uploads/{uuid.uuid4()}",
            path=content.decode().replace(" ", "-"),
            size_bytes=len(content),
            digest=digest(content),
        )
        request = artifact.BeginUploadRequest(upload=upload)
        answer = (await hear(self._channel, "BeginUpload", request)).answer
        assert answer is not None
        return answer.upload.state, answer.upload.durable_bytes


def _reads() -> Iterator[tuple[str, Any]]:
    """Reads that tell of the observer's own namespace, or of everything."""
    references = ("champion", "latest", *map(digest, CONTENTS))
    for reference in references:
        resolve = registry.ResolveVersionRequest(reference=f"vision/digits@{reference}")
        yield "ResolveVersion", resolve
    yield "WhoAmI", access.WhoAmIRequest()
    yield "TestPermissions", access.TestPermissionsRequest()
    yield "TestPermissions", access.TestPermissionsRequest(resource=DIGITS)
    yield "GetNamespace", access.GetNamespaceRequest(name=VISION)
    yield "GetModel", registry.GetModelRequest(name=DIGITS)
    yield "GetVersion", registry.GetVersionRequest(name=VERSION)
    yield "GetVersion", registry.GetVersionRequest(name=f"{DIGITS}/versions/2")
    yield "BatchGetVersions", registry.BatchGetVersionsRequest(parent=DIGITS, names=[VERSION])
    yield "GetAlias", registry.GetAliasRequest(name=f"{DIGITS}/aliases/champion")
    yield "GetGate", evaluation.GetGateRequest(name=f"{VISION}/gates/publish")
    yield "CheckGate", evaluation.CheckGateRequest(version=VERSION, gate_id="publish")
    yield "ReadArtifact", artifact.ReadArtifactRequest(name=VERSION, path="model.bin")
    yield "ListRoleBindings", access.ListRoleBindingsRequest()


def _lists() -> Iterator[tuple[str, Any, str]]:
    """Lists, each with the field of its items."""
    yield "ListNamespaces", access.ListNamespacesRequest(), "namespaces"
    yield "ListModels", registry.ListModelsRequest(show_deleted=True), "models"
    yield "ListRoleBindings", access.ListRoleBindingsRequest(parent=DIGITS), "role_bindings"
    yield "ListDrafts", registry.ListDraftsRequest(parent=DIGITS), "drafts"
    yield "ListVersions", registry.ListVersionsRequest(parent=DIGITS), "versions"
    yield "ListAliases", registry.ListAliasesRequest(parent=DIGITS), "aliases"
    moves = registry.ListAliasMovesRequest(parent=f"{DIGITS}/aliases/champion")
    yield "ListAliasMoves", moves, "moves"
    yield "ListGates", evaluation.ListGatesRequest(parent=DIGITS), "gates"
    yield "ListEvaluations", evaluation.ListEvaluationsRequest(parent=VERSION), "evaluations"
    by_others = audit.ListEntriesRequest(parent=VISION, principal=principal(Role.ADMIN))
    yield "ListEntries", by_others, "entries"


def _bare(heard: Heard) -> Any:
    """What was heard, without revisions and the time of day."""
    if heard.answer is None:
        return heard
    for field in ("revision", "server_time"):
        if field in heard.answer.DESCRIPTOR.fields_by_name:
            heard.answer.ClearField(field)
    return heard.answer.SerializeToString(deterministic=True)


def _renamed(request: Any, old: bytes, new: bytes) -> Any:
    """The same request about another namespace; names of the same length keep it decodable."""
    return type(request).FromString(request.SerializeToString().replace(old, new))


def _watch(channel: grpc.aio.Channel, request: Any) -> Any:
    return watch_service_pb2_grpc.WatchServiceStub(channel).Watch(request)


async def _own_draft(channel: grpc.aio.Channel, role: Role) -> str:
    """A draft of the observer's own, if the role makes any."""
    return await Transfers(channel).draft() if role in MAKE_DRAFTS else ""


def _who(role: Role, place: str) -> str:
    return f"{role}-{place.rpartition('/')[2]}"
