"""Versions: found, published, and taken back."""

from collections.abc import AsyncGenerator, Iterable, Mapping

from google.protobuf.field_mask_pb2 import FieldMask

from assay import names
from assay.errors import InvalidInput
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.version_pb2 import Bump, ModelVersion, VersionState
from assay.verbs.session import Session

_BUMPS = {
    "": Bump.BUMP_UNSPECIFIED,
    "patch": Bump.BUMP_PATCH,
    "minor": Bump.BUMP_MINOR,
    "major": Bump.BUMP_MAJOR,
}


class VersionVerbs(Session):
    """Find versions and lead them through their life.

    A version is given as ``vision/digits/7``, as any reference that resolves to one, or as the
    message that another verb returned.
    """

    async def resolve(self, reference: str, *, as_of: int = 0) -> rpc.ResolveVersionResponse:
        """Find the version that ``reference`` stands for, its files and what to know about it.

        ``vision/digits/7``, or ``vision/digits`` with ``@champion``, ``@1.4.2``, ``@^1.4``,
        ``@~1.4``, ``@latest``, ``@greatest`` or ``@sha256:…``.

        Args:
            as_of: The revision at which the answer is to be true, such as that of a listing or
                of an event; 0 for now.

        Raises:
            NothingResolves: The model is there, but no version fits.
            NotFound: There is no such model or alias, or you may not read it.
            RevisionInFuture, RevisionCompacted: Nothing is known of ``as_of``.
        """
        request = rpc.ResolveVersionRequest(
            reference=names.reference(reference, self._namespace), as_of=as_of
        )
        return await self._calls.read(self.stubs.registry.ResolveVersion, request)

    async def get_version(self, version: str | names.Named, *, as_of: int = 0) -> ModelVersion:
        """Read one version with its files and card, in whatever state, now or ``as_of``."""
        request = rpc.GetVersionRequest(
            name=await self._version_name(version, as_of=as_of), as_of=as_of
        )
        return (await self._calls.read(self.stubs.registry.GetVersion, request)).version

    async def list_versions(
        self,
        model: str | names.Named,
        *,
        show_deleted: bool = False,
        states: "Iterable[VersionState.ValueType]" = (),
        as_of: int = 0,
        page_size: int = 0,
    ) -> AsyncGenerator[ModelVersion, None]:
        """List the versions of a model, newest first, without files and cards.

        Pages are fetched as they are needed, each of ``page_size``; 0 for the usual one.
        """
        request = rpc.ListVersionsRequest(
            parent=self._model_name(model),
            show_deleted=show_deleted,
            states=states,
            as_of=as_of,
            page_size=page_size,
        )
        listing = self.stubs.registry.ListVersions
        async for version in self._calls.pages(listing, request, lambda page: page.versions):
            yield version

    async def update_version(
        self,
        version: str | names.Named,
        *,
        description: str | None = None,
        card: str | None = None,
        tags: Mapping[str, str] | None = None,
        etag: str = "",
    ) -> ModelVersion:
        """Change what is given of description, card and tags; all else of a version is fixed."""
        given = {"description": description, "card": card, "tags": tags}
        request = rpc.UpdateVersionRequest(
            version=ModelVersion(
                name=await self._version_name(version),
                description=description or "",
                card=card or "",
                tags=tags,
                etag=etag,
            ),
            update_mask=FieldMask(paths=[key for key, value in given.items() if value is not None]),
        )
        return (await self._calls.write(self.stubs.registry.UpdateVersion, request)).version

    async def publish(
        self, version: str | names.Named, *, bump: str = "", semver: str = "", etag: str = ""
    ) -> rpc.PublishVersionResponse:
        """Publish a candidate: it gets a semantic version and becomes READY.

        Args:
            bump: ``patch``, ``minor`` or ``major``; inferred from what changed when empty.
            semver: The semantic version itself, instead of a bump.

        Raises:
            GateClosed: A rule is not met; ``findings`` holds every one.
            SemverTooLow: Less was asked than the changes demand.
            BumpRequired: Without signatures nothing can be inferred.
        """
        request = rpc.PublishVersionRequest(
            name=await self._version_name(version),
            bump=bump_of(bump),
            semver=semver,
            etag=etag,
        )
        return await self._calls.write(self.stubs.registry.PublishVersion, request)

    async def deprecate(
        self, version: str | names.Named, *, reason: str = "", etag: str = ""
    ) -> ModelVersion:
        """Keep a version resolving, with a warning."""
        name = await self._version_name(version)
        request = rpc.DeprecateVersionRequest(name=name, reason=reason, etag=etag)
        return (await self._calls.write(self.stubs.registry.DeprecateVersion, request)).version

    async def yank(
        self, version: str | names.Named, *, reason: str, etag: str = ""
    ) -> ModelVersion:
        """Stop new resolves of a version; exact pins still work."""
        name = await self._version_name(version)
        request = rpc.YankVersionRequest(name=name, reason=reason, etag=etag)
        return (await self._calls.write(self.stubs.registry.YankVersion, request)).version

    async def delete_version(
        self, version: str | names.Named, *, reason: str = "", etag: str = ""
    ) -> ModelVersion:
        """Stop every resolve of a version; it can be restored.

        Raises:
            VersionInUse: An alias points to it.
        """
        name = await self._version_name(version)
        request = rpc.DeleteVersionRequest(name=name, reason=reason, etag=etag)
        return (await self._calls.write(self.stubs.registry.DeleteVersion, request)).version

    async def undelete_version(self, version: str | names.Named) -> ModelVersion:
        """Restore a deleted version to the state before."""
        request = rpc.UndeleteVersionRequest(name=await self._version_name(version))
        return (await self._calls.write(self.stubs.registry.UndeleteVersion, request)).version


def bump_of(text: str) -> "Bump.ValueType":
    """The enum value for ``patch``, ``minor``, ``major`` or an empty text."""
    try:
        return _BUMPS[text.lower()]
    except KeyError:
        raise InvalidInput(f"{text!r} is not a bump; say patch, minor or major.") from None
