"""What reading every noun of a registry through the services gives, in words that last."""

from typing import Any

from assay_server.app.clock import Uuid7
from assay_server.domain.audit import AuditFilter
from assay_server.domain.calls import Page
from assay_server.domain.names import AliasName, GateName, Scope, VersionName
from assay_server.domain.references import parse_reference
from assay_server.domain.versions import VersionState
from assay_server.services.namespaces import NamespaceService
from assay_server.sqlstore.opening import open_store
from tests.services.registry import ANN, DIGITS, Registry, SteppingClock, again

ALL = Page(1000)


async def summary(url: str) -> dict[str, Any]:
    """Open the registry as a server of this version does, and read it."""
    store = await open_store(url, SteppingClock())
    registry = Registry(store.metadata)
    try:
        return {
            "namespaces": await _namespaces(registry),
            "models": await _models(registry),
            "versions": await _versions(registry),
            "aliases": await _aliases(registry),
            "drafts": await _drafts(registry),
            "gates": await _gates(registry),
            "bindings": await _bindings(registry),
            "events": await _events(registry),
            "uploads": await _uploads(registry),
            "audit": sorted(
                [entry.revision, entry.principal, entry.method]
                for entry in (await store.audit_reads.list(AuditFilter(), ALL)).items
            ),
        }
    finally:
        await store.close()


async def _namespaces(registry: Registry) -> list[str]:
    service = NamespaceService(registry.store, SteppingClock(), Uuid7())
    found = await service.list(again(ANN), ALL)
    return [f"{one.namespace_id}: {one.display_name}" for one in found.answer.items]


async def _models(registry: Registry) -> list[Any]:
    async with registry.store.read() as reader:
        found = await reader.models.list(ALL, among=None, show_deleted=True)
    return [
        {
            "name": one.model_id,
            "task": one.task,
            "keywords": list(one.keywords),
            "tags": dict(one.tags),
            "high_water": one.version_high_water,
            "is_deleted": one.delete_time is not None,
        }
        for one in found.items
    ]


async def _versions(registry: Registry) -> list[Any]:
    listed = await registry.versions.list(DIGITS, ALL, states=frozenset(VersionState))
    found = []
    for shown in listed.answer.items:
        name = VersionName(*DIGITS, shown.version.number)
        whole = (await registry.versions.get(name)).answer
        one = whole.version
        evaluations = await registry.evaluations.list(name, ALL)
        found.append(
            {
                "number": one.number,
                "state": one.state,
                "semver": one.semver,
                "manifest": one.manifest.digest,
                "record": one.record_digest,
                "files": [[file.path, file.sha256] for file in one.manifest.files],
                "hyperparameters": dict(one.facts.hyperparameters),
                "texts": [one.description, one.card, one.state_reason, dict(one.tags)],
                "aliases": sorted(whole.alias_ids),
                "is_open": one.publish_verdict.is_open if one.publish_verdict else None,
                "metrics": [
                    [metric.name, metric.value, str(each.trust)]
                    for each in evaluations.answer.items
                    for metric in each.metrics
                ],
            }
        )
    return found


async def _aliases(registry: Registry) -> dict[str, Any]:
    listed = await registry.aliases.list(DIGITS, ALL)
    found: dict[str, Any] = {one.alias.alias_id: one.alias.number for one in listed.answer.items}
    for alias_id in ("champion", "gone"):
        moves = await registry.aliases.list_moves(AliasName(*DIGITS, alias_id), ALL)
        steps = moves.answer.items
        found[f"moves of {alias_id}"] = [[one.revision, one.number, one.reason] for one in steps]
    resolved = await registry.resolving.resolve(parse_reference("vision/digits@champion"))
    found["resolved"] = resolved.answer.version.number
    return found


async def _drafts(registry: Registry) -> list[Any]:
    listed = await registry.drafts.list(again(ANN), DIGITS, ALL)
    names = [one.draft_id for one in listed.answer.items]
    async with registry.store.read() as reader:
        drafts = [await reader.drafts.get(*DIGITS, draft_id) for draft_id in names]
    return [[str(one.state), [file.path for file in one.files]] for one in drafts]


async def _gates(registry: Registry) -> list[Any]:
    publish = await registry.gates.get(GateName("vision", "", "publish"))
    listed = await registry.gates.list(Scope("vision", "digits"), ALL)
    return [
        [rule.rule_id for rule in publish.answer.rules],
        sorted([one.model_id, one.gate_id] for one in listed.answer.items),
    ]


async def _bindings(registry: Registry) -> list[Any]:
    async with registry.store.read() as reader:
        found = await reader.bindings.all()
    return sorted([one.scope, str(one.role), one.member] for one in found)


async def _events(registry: Registry) -> list[Any]:
    async with registry.store.read() as reader:
        found, _ = await reader.events.since(1, name_prefix="", among=None, limit=10_000)
    return [
        [one.revision, str(one.event_type), one.action, type(one.subject).__name__] for one in found
    ]


async def _uploads(registry: Registry) -> list[str]:
    listed = await registry.drafts.list(again(ANN), DIGITS, ALL)
    async with registry.store.read() as reader:
        paths = [
            await reader.uploads.open_paths(*DIGITS, one.draft_id) for one in listed.answer.items
        ]
    return [path for each in paths for path in each]
