"""Versions: read, described, withdrawn and restored."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from assay_server.domain.aliases import Alias
from assay_server.domain.calls import (
    Call,
    Change,
    Committed,
    Happened,
    Page,
    Paged,
    Stamped,
)
from assay_server.domain.etags import require_etag
from assay_server.domain.events import EventType
from assay_server.domain.models import require_live
from assay_server.domain.names import ModelName, VersionName, version_name
from assay_server.domain.transitions import (
    deleted,
    deprecated,
    edited_version,
    undeleted,
    yanked,
)
from assay_server.domain.versions import Version, VersionChange, VersionState, outline
from assay_server.ports.clock import Clock, Ids
from assay_server.ports.metadata import MetadataStore, Reader, Transaction

Step = Callable[[Version, tuple[Alias, ...], datetime, str], Version]
"""From a version, the aliases that point to it, the time and a fresh etag to the next state."""


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """A version and the aliases that point to it."""

    version: Version
    alias_ids: tuple[str, ...] = ()


class VersionService:
    """The requests about versions, but for publishing and resolving."""

    def __init__(self, store: MetadataStore, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids

    async def get(self, name: VersionName, *, as_of: int = 0) -> Stamped[ShownVersion]:
        """Read one version with its files and card."""
        async with self._store.read(as_of) as reader:
            version, aliases = await reader.together(
                reader.versions.get(*name),
                reader.aliases.of_versions(*name[:2], {name.number}),
            )
            return Stamped(_shown(version, aliases), reader.revision)

    async def get_many(
        self, namespace_id: str, names: tuple[VersionName, ...], *, as_of: int = 0
    ) -> Stamped[tuple[ShownVersion, ...]]:
        """Read versions of one namespace without files and cards, in the order of ``names``.

        Raises:
            NotFound: One of them does not exist.
        """
        wanted = tuple((name.model_id, name.number) for name in names)
        async with self._store.read(as_of) as reader:
            versions = await reader.versions.get_many(namespace_id, wanted)
            shown = await _with_aliases(reader, versions)
            return Stamped(shown, reader.revision)

    async def list(
        self, name: ModelName, page: Page, *, states: Set[VersionState], as_of: int = 0
    ) -> Stamped[Paged[ShownVersion]]:
        """List versions without files and cards, newest first."""
        async with self._store.read(as_of) as reader:
            _, found = await reader.together(
                reader.models.get(*name), reader.versions.list(*name, page, states=states)
            )
            shown = await _with_aliases(reader, found.items)
            return Stamped(Paged(shown, found.next_after), reader.revision)

    async def update(
        self, call: Call, name: VersionName, change: VersionChange, *, etag: str
    ) -> Committed[ShownVersion]:
        """Change tags, description or card: nothing else of a version can be changed."""

        def edit(version: Version, _aliases: object, now: datetime, fresh: str) -> Version:
            return edited_version(version, change, now=now, etag=fresh)

        return await self._step(call, name, edit, etag=etag)

    async def deprecate(
        self, call: Call, name: VersionName, reason: str, *, etag: str
    ) -> Committed[ShownVersion]:
        """Keep a version resolving, with a warning.

        Raises:
            IllegalTransition: It is not READY.
        """

        def step(version: Version, _aliases: object, now: datetime, fresh: str) -> Version:
            return deprecated(version, reason, now=now, etag=fresh)

        return await self._step(call, name, step, etag=etag)

    async def yank(
        self, call: Call, name: VersionName, reason: str, *, etag: str
    ) -> Committed[ShownVersion]:
        """Stop new resolves of a version; pins still work.

        Raises:
            IllegalTransition: It was yanked or deleted before.
        """

        def step(version: Version, _aliases: object, now: datetime, fresh: str) -> Version:
            return yanked(version, reason, now=now, etag=fresh)

        return await self._step(call, name, step, etag=etag)

    async def delete(
        self, call: Call, name: VersionName, reason: str, *, etag: str
    ) -> Committed[ShownVersion]:
        """Stop every resolve of a version; it can be restored.

        Raises:
            IllegalTransition: It is deleted already.
            VersionInUse: An alias points to it.
        """

        def step(
            version: Version, aliases: tuple[Alias, ...], now: datetime, fresh: str
        ) -> Version:
            return deleted(version, reason, aliases=aliases, now=now, etag=fresh)

        return await self._step(call, name, step, etag=etag, event_type=EventType.DELETED)

    async def undelete(self, call: Call, name: VersionName) -> Committed[ShownVersion]:
        """Restore a deleted version to the state before.

        Raises:
            NotDeleted: It is not deleted.
        """

        def step(version: Version, _aliases: object, now: datetime, fresh: str) -> Version:
            return undeleted(version, now=now, etag=fresh)

        return await self._step(call, name, step)

    async def _step(
        self,
        call: Call,
        name: VersionName,
        step: Step,
        *,
        etag: str = "",
        event_type: EventType = EventType.UPDATED,
    ) -> Committed[ShownVersion]:
        now, fresh = self._clock.now(), self._ids.new()

        async def save(tx: Transaction) -> Change[ShownVersion]:
            model, version = await tx.together(
                tx.models.lock(name.namespace_id, name.model_id), tx.versions.lock(*name)
            )
            require_live(model)
            require_etag(version_name(*name), expected=etag, current=version.etag)
            aliases = await tx.aliases.of_versions(*name[:2], {name.number})
            changed = step(version, aliases, now, fresh)
            await tx.versions.save(changed)
            seen = version if event_type is EventType.DELETED else changed
            answer = _shown(outline(changed), aliases)
            return Change(answer, (version_happened(event_type, seen),))

        return await self._store.change(call, ShownVersion, save)


def version_happened(event_type: EventType, version: Version) -> Happened:
    """What a watcher is told of a version: all but files and card."""
    name = version_name(version.namespace_id, version.model_id, version.number)
    return Happened(event_type, name, version.namespace_id, outline(version))


async def _with_aliases(reader: Reader, versions: tuple[Version, ...]) -> tuple[ShownVersion, ...]:
    """The versions, perhaps of several models of one namespace, each with its aliases."""
    aliases: list[Alias] = []
    for namespace_id, model_id in sorted({(v.namespace_id, v.model_id) for v in versions}):
        numbers = {version.number for version in versions if version.model_id == model_id}
        aliases.extend(await reader.aliases.of_versions(namespace_id, model_id, numbers))
    return tuple(_shown(version, aliases) for version in versions)


def _shown(version: Version, aliases: Iterable[Alias]) -> ShownVersion:
    pointing = (
        alias.alias_id
        for alias in aliases
        if (alias.model_id, alias.number) == (version.model_id, version.number)
    )
    return ShownVersion(version, tuple(pointing))
