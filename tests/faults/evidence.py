"""The whole registry as it can be read over the wire after a run."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from assay.v1 import alias_pb2, audit_entry_pb2, event_pb2, version_pb2
from assay.v1 import artifact_service_pb2 as artifact_api
from assay.v1 import audit_service_pb2 as audit_api
from assay.v1 import registry_service_pb2 as api
from assay.v1 import watch_service_pb2 as watch_api
from tests.faults.histories import Stubs, channel_to
from tests.faults.workload import ALIASES, MODELS

PAGE = 1000


@dataclass
class Evidence:
    """What is there."""

    revision: int = 0
    versions: dict[str, list[version_pb2.ModelVersion]] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    moves: dict[str, list[alias_pb2.AliasMove]] = field(default_factory=dict)
    events: dict[int, list[event_pb2.Event]] = field(default_factory=dict)
    watches: list[list[int]] = field(default_factory=list)
    entries: list[audit_entry_pb2.AuditEntry] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    blobs: int = 0


async def gather(target: str) -> Evidence:
    """Read all of it, every byte of every file too."""
    found = Evidence()
    async with channel_to(target) as channel:
        stubs = Stubs(channel)
        for model in MODELS:
            await _read_model(stubs, model, found)
        await _read_blobs(stubs, found)
        request = audit_api.ListEntriesRequest(page_size=PAGE)
        async for page in pages(stubs.audit.ListEntries, request):
            found.entries.extend(page.entries)
        newest = await stubs.registry.ListModels(api.ListModelsRequest(parent="namespaces/-"))
        found.revision = newest.revision
        found.events = await events_until(stubs, found.revision)
    return found


async def events_until(stubs: Stubs, revision: int) -> dict[int, list[event_pb2.Event]]:
    """Everything that a watch from the beginning tells, in the order in which it does."""
    found: dict[int, list[event_pb2.Event]] = {}
    call = stubs.watch.Watch(watch_api.WatchRequest(start_revision=1), timeout=60)
    async for message in call:
        if message.events:
            found.setdefault(message.revision, []).extend(message.events)
        if message.revision >= revision:
            break
    call.cancel()
    return found


async def pages(list_some: Any, request: Any) -> AsyncIterator[Any]:
    while True:
        page = await list_some(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def _read_model(stubs: Stubs, model: str, found: Evidence) -> None:
    found.versions[model] = []
    request = api.ListVersionsRequest(parent=model, page_size=PAGE, show_deleted=True)
    async for page in pages(stubs.registry.ListVersions, request):
        found.versions[model].extend(page.versions)
    found.versions[model].sort(key=lambda version: version.number)
    listed = await stubs.registry.ListAliases(api.ListAliasesRequest(parent=model))
    found.aliases |= {alias.name: alias.version_number for alias in listed.aliases}
    for alias_id in ALIASES:
        name = f"{model}/aliases/{alias_id}"
        moves = found.moves[name] = []
        request = api.ListAliasMovesRequest(parent=name, page_size=PAGE)
        async for page in pages(stubs.registry.ListAliasMoves, request):
            moves.extend(page.moves)
        moves.reverse()


async def _read_blobs(stubs: Stubs, found: Evidence) -> None:
    for versions in found.versions.values():
        for place, outline in enumerate(versions):
            got = await stubs.registry.GetVersion(api.GetVersionRequest(name=outline.name))
            versions[place] = got.version
            for file in got.version.files:
                found.blobs += 1
                if await _digest(stubs, outline.name, file.path) != file.digest:
                    found.damaged.append(f"{outline.name} {file.path}")


async def _digest(stubs: Stubs, version: str, path: str) -> str:
    content = hashlib.sha256()
    request = artifact_api.ReadArtifactRequest(name=version, path=path)
    try:
        async for message in stubs.artifacts.ReadArtifact(request):
            content.update(message.data)
    except Exception as error:  # noqa: BLE001 - whatever is in its way, the bytes are not there
        return f"unreadable: {error!r}"
    return f"sha256:{content.hexdigest()}"
