"""Aliases: moving names, with compare-and-set and history."""

from collections.abc import AsyncGenerator

from assay import names
from assay.v1 import registry_service_pb2 as rpc
from assay.v1.alias_pb2 import Alias, AliasMove
from assay.verbs.session import Session


class AliasVerbs(Session):
    """Point aliases, such as ``vision/digits@champion``, and look back at their moves."""

    async def set_alias(
        self,
        alias: str | names.Named,
        version: int | str | names.Named,
        *,
        expected: int | None = None,
        reason: str = "",
    ) -> rpc.SetAliasResponse:
        """Point an alias to a version.

        Args:
            version: The version, or its number.
            expected: The number that the alias points to now; 0 if it must not exist. Needed
                when it exists, so that nobody moves it without having looked.
            reason: Why, for the people who read the history.

        Raises:
            AliasMoved: It points elsewhere; ``current_version_number`` says where.
            GateClosed: The alias is protected and a rule is not met.
        """
        request = rpc.SetAliasRequest(
            name=self._alias_name(alias),
            version_number=await self._number(version),
            expected_version_number=expected,
            reason=reason,
        )
        return await self._calls.write(self.stubs.registry.SetAlias, request)

    async def get_alias(self, alias: str | names.Named, *, as_of: int = 0) -> Alias:
        """Read one alias, as it is or as it was at the revision ``as_of``."""
        request = rpc.GetAliasRequest(name=self._alias_name(alias), as_of=as_of)
        return (await self._calls.read(self.stubs.registry.GetAlias, request)).alias

    async def list_aliases(
        self, model: str | names.Named, *, as_of: int = 0
    ) -> AsyncGenerator[Alias, None]:
        """List the aliases of a model by name, as they are or were at the revision ``as_of``."""
        request = rpc.ListAliasesRequest(parent=self._model_name(model), as_of=as_of)
        listing = self.stubs.registry.ListAliases
        async for alias in self._calls.pages(listing, request, lambda page: page.aliases):
            yield alias

    async def delete_alias(
        self, alias: str | names.Named, *, expected: int, reason: str = ""
    ) -> Alias:
        """Remove an alias that points to version ``expected``; its history stays.

        Raises:
            AliasMoved: It points elsewhere.
        """
        request = rpc.DeleteAliasRequest(
            name=self._alias_name(alias), expected_version_number=expected, reason=reason
        )
        return (await self._calls.write(self.stubs.registry.DeleteAlias, request)).alias

    async def list_alias_moves(self, alias: str | names.Named) -> AsyncGenerator[AliasMove, None]:
        """List the history of an alias, newest first, also after it was deleted."""
        request = rpc.ListAliasMovesRequest(parent=self._alias_name(alias))
        listing = self.stubs.registry.ListAliasMoves
        async for move in self._calls.pages(listing, request, lambda page: page.moves):
            yield move

    def _alias_name(self, alias: str | names.Named) -> str:
        return names.alias_name(names.text_of(alias), self._namespace)

    async def _number(self, version: int | str | names.Named) -> int:
        if isinstance(version, int):
            return version
        return int((await self._version_name(version)).rpartition("/")[2])
