"""Models, drafts, versions and aliases in the store."""

from collections.abc import Set
from datetime import datetime
from typing import Protocol

from assay_server.domain.aliases import Alias, AliasMove
from assay_server.domain.calls import Page, Paged
from assay_server.domain.manifest import File
from assay_server.domain.models import Model
from assay_server.domain.names import DraftName
from assay_server.domain.resolving import Standing
from assay_server.domain.semver import ALL_RELEASES, SemverRange
from assay_server.domain.versions import Draft, Version, VersionState


class ModelReads(Protocol):
    """Reading models."""

    async def get(self, namespace_id: str, model_id: str) -> Model: ...

    async def list(
        self, page: Page, *, among: Set[str] | None, show_deleted: bool = False
    ) -> Paged[Model]:
        """List by namespace and id; ``among`` limits to some namespaces, None to none."""
        ...


class Models(ModelReads, Protocol):
    """Models within a transaction. ``save`` keeps ``version_high_water`` too."""

    async def hold(self, namespace_id: str, model_id: str) -> Model:
        """Read a model that stays as it is until the end; others may hold it too.

        Before its drafts and uploads, and after gates, as ``lock``.
        """
        ...

    async def lock(self, namespace_id: str, model_id: str) -> Model: ...
    async def add(self, model: Model) -> None: ...
    async def save(self, model: Model) -> None: ...


class DraftReads(Protocol):
    """Reading drafts, with the files that are complete, sorted by path."""

    async def get(self, namespace_id: str, model_id: str, draft_id: str) -> Draft: ...

    async def outline(self, namespace_id: str, model_id: str, draft_id: str) -> Draft:
        """Read a draft without its files, of which it may have very many."""
        ...

    async def find_file(
        self, namespace_id: str, model_id: str, draft_id: str, path: str
    ) -> File | None:
        """Find one of its files."""
        ...

    async def list(
        self, namespace_id: str, model_id: str, page: Page, *, created_by: str | None
    ) -> Paged[Draft]:
        """List open drafts without files and cards, newest first.

        ``created_by`` limits to one author.
        """
        ...

    async def due(self, now: datetime, page: Page) -> Paged[DraftName]:
        """Drafts that are past their time, or have an open upload that is; the longest first.

        One that an upload with time left fills is not. Some are named more than once.
        """
        ...


class Drafts(DraftReads, Protocol):
    """Drafts within a transaction. ``save`` leaves files alone."""

    async def lock_outline(self, namespace_id: str, model_id: str, draft_id: str) -> Draft:
        """Lock a draft, whose ``files`` then stay what they are, and read it without them."""
        ...

    async def files(self, namespace_id: str, model_id: str, draft_id: str) -> tuple[File, ...]:
        """All of its files that are complete, sorted by path."""
        ...

    async def find_held(
        self, namespace_id: str, model_id: str, draft_id: str, sha256: str
    ) -> int | None:
        """Size of the content, if the draft has a file with it."""
        ...

    async def add(self, draft: Draft) -> None: ...
    async def save(self, draft: Draft) -> None: ...

    async def put_file(self, draft: Draft, file: File) -> None:
        """Add a file, or replace the one of the same path."""
        ...

    async def remove_files(self, namespace_id: str, model_id: str, draft_id: str) -> None:
        """Let go of all of them."""
        ...


class VersionReads(Protocol):
    """Reading versions.

    ``get``, ``lock`` and every ``find`` have files, card and publish verdict; lists leave the
    three out.
    """

    async def get(self, namespace_id: str, model_id: str, number: int) -> Version: ...

    async def find_file(
        self, namespace_id: str, model_id: str, number: int, path: str
    ) -> File | None:
        """Find one file of a version, whatever its state."""
        ...

    async def get_many(
        self, namespace_id: str, names: tuple[tuple[str, int], ...]
    ) -> tuple[Version, ...]:
        """Read versions by (model id, number), in that order."""
        ...

    async def list(
        self,
        namespace_id: str,
        model_id: str,
        page: Page,
        *,
        states: Set[VersionState],
    ) -> Paged[Version]:
        """List newest first, only those in one of ``states``."""
        ...

    async def latest(self, namespace_id: str, model_id: str) -> Version | None:
        """Find the READY version with the greatest number."""
        ...

    async def greatest(
        self,
        namespace_id: str,
        model_id: str,
        states: Set[VersionState],
        within: SemverRange = ALL_RELEASES,
    ) -> Version | None:
        """Find the version with the greatest release ``within``, in one of ``states``."""
        ...

    async def past_greatest(
        self, namespace_id: str, model_id: str, states: Set[VersionState]
    ) -> tuple[Standing, ...]:
        """All versions, in whatever state, whose release is past that of ``greatest``."""
        ...

    async def find_semver(
        self, namespace_id: str, model_id: str, semver: str
    ) -> Version | None: ...

    async def with_manifest(
        self, namespace_id: str, model_id: str, digest: str
    ) -> tuple[Standing, ...]:
        """All versions with this manifest digest that are not deleted, newest first."""
        ...

    async def find_record(self, namespace_id: str, model_id: str, digest: str) -> Version | None:
        """Find the version with this record digest, deleted or not; there is one at most."""
        ...


class Versions(VersionReads, Protocol):
    """Versions within a transaction. ``save`` changes only what may change after sealing."""

    async def lock(self, namespace_id: str, model_id: str, number: int) -> Version: ...
    async def add(self, version: Version) -> None: ...
    async def save(self, version: Version) -> None: ...


class AliasReads(Protocol):
    """Reading aliases."""

    async def get(self, namespace_id: str, model_id: str, alias_id: str) -> Alias: ...
    async def find(self, namespace_id: str, model_id: str, alias_id: str) -> Alias | None: ...
    async def list(self, namespace_id: str, model_id: str, page: Page) -> Paged[Alias]: ...

    async def list_moves(
        self, namespace_id: str, model_id: str, alias_id: str, page: Page
    ) -> Paged[AliasMove]:
        """List the history, newest first; also of an alias that was removed."""
        ...

    async def of_versions(
        self, namespace_id: str, model_id: str, numbers: Set[int]
    ) -> tuple[Alias, ...]:
        """The aliases that point to one of these versions now, by id."""
        ...


class Aliases(AliasReads, Protocol):
    """Aliases within a transaction; the revision of a move is filled in at the commit."""

    async def save(self, alias: Alias, move: AliasMove) -> None: ...
    async def remove(self, alias: Alias, move: AliasMove) -> None: ...
