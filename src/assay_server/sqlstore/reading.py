"""Readers and transactions: every noun on one session."""

from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from assay_server.domain.errors import RegistryError
from assay_server.domain.revisions import require_kept
from assay_server.sqlstore import aliases, bindings, evaluations, gates, models, versions
from assay_server.sqlstore.aliases import SqlAliases
from assay_server.sqlstore.bindings import SqlBindings
from assay_server.sqlstore.compiled import Parameters, Statement
from assay_server.sqlstore.drafts import SqlDrafts
from assay_server.sqlstore.evaluations import SqlEvaluations
from assay_server.sqlstore.events import SqlEvents
from assay_server.sqlstore.gates import SqlGates
from assay_server.sqlstore.history import Kept, Then, bounds
from assay_server.sqlstore.models import SqlModels
from assay_server.sqlstore.namespaces import SqlNamespaces
from assay_server.sqlstore.session import ReadSession, Row, Session
from assay_server.sqlstore.tail import NEWEST
from assay_server.sqlstore.uploads import SqlUploads
from assay_server.sqlstore.versions import SqlVersions


class SqlTransaction:
    """The port ``Transaction``. What is ``kept`` is written when the revision is known."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.kept = Kept()

    async def together(self, *calls: Coroutine[Any, Any, Any]) -> Any:
        return await self._session.together(calls)

    @property
    def namespaces(self) -> SqlNamespaces:
        return SqlNamespaces(self._session)

    @property
    def models(self) -> SqlModels:
        return SqlModels(self._session, self.kept)

    @property
    def drafts(self) -> SqlDrafts:
        return SqlDrafts(self._session)

    @property
    def versions(self) -> SqlVersions:
        return SqlVersions(self._session, self.kept)

    @property
    def aliases(self) -> SqlAliases:
        return SqlAliases(self._session, self.kept)

    @property
    def evaluations(self) -> SqlEvaluations:
        return SqlEvaluations(self._session, self.kept)

    @property
    def gates(self) -> SqlGates:
        return SqlGates(self._session, self.kept)

    @property
    def bindings(self) -> SqlBindings:
        return SqlBindings(self._session, self.kept)

    @property
    def uploads(self) -> SqlUploads:
        return SqlUploads(self._session)


class SqlReader(SqlTransaction):
    """The port ``Reader``: the same reads, and what only readers are told."""

    def __init__(self, session: ReadSession) -> None:
        super().__init__(session)
        self._snapshot = session

    @property
    def revision(self) -> int:
        return self._snapshot.revision

    @property
    def events(self) -> SqlEvents:
        return SqlEvents(self._snapshot)


class SqlPastReader(SqlReader):
    """The port ``Reader`` with facts as they were; namespaces and what is uploaded are of now."""

    def __init__(self, session: ReadSession, as_of: int) -> None:
        super().__init__(session)
        self._then = Then(session, as_of)

    @property
    def revision(self) -> int:
        return self._then.revision

    @property
    def models(self) -> SqlModels:
        return SqlModels(self._then, self.kept, models.THEN)

    @property
    def versions(self) -> SqlVersions:
        return SqlVersions(self._then, self.kept, versions.THEN)

    @property
    def aliases(self) -> SqlAliases:
        return SqlAliases(self._then, self.kept, aliases.THEN)

    @property
    def evaluations(self) -> SqlEvaluations:
        return SqlEvaluations(self._then, self.kept, evaluations.THEN)

    @property
    def gates(self) -> SqlGates:
        return SqlGates(self._then, self.kept, gates.THEN)

    @property
    def bindings(self) -> SqlBindings:
        return SqlBindings(self._then, self.kept, bindings.THEN)


class Snapshot:
    """The port ``ReadSession`` on a session whose statements all see the same state."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._revision: int | None = None

    @property
    def revision(self) -> int:
        assert self._revision is not None, "nothing was read yet"
        return self._revision

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        rows = await self._session.rows(statement, **parameters)
        if self._revision is None:
            if rows and statement.tells_revision:
                self._revision = rows[0][-1]
            else:
                self._revision = (await self._session.rows(NEWEST))[0][0]
        return rows

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        rows = await self.rows(statement, **parameters)
        return rows[0] if rows else None

    async def write(
        self, statement: Statement, *, taken: RegistryError | None = None, **parameters: Any
    ) -> None:
        await self._session.write(statement, taken=taken, **parameters)

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        await self._session.write_many(statement, parameters)

    async def claim(self, statement: Statement, **parameters: Any) -> None:
        await self._session.claim(statement, **parameters)

    async def settle(self) -> None:
        await self._session.settle()

    async def together(self, calls: Sequence[Coroutine[Any, Any, Any]]) -> tuple[Any, ...]:
        return await self._session.together(calls)


class OpenReader:
    """A reader while a block runs. A class: a generator would cost as much as the read."""

    def __init__(self, opened: AbstractAsyncContextManager[ReadSession], as_of: int = 0) -> None:
        self._opened = opened
        self._as_of = as_of

    async def __aenter__(self) -> SqlReader:
        session = await self._opened.__aenter__()
        if not self._as_of:
            return SqlReader(session)
        try:
            oldest, newest = await bounds(session)
            return SqlPastReader(session, require_kept(self._as_of, oldest=oldest, newest=newest))
        except BaseException as error:
            await self._opened.__aexit__(type(error), error, error.__traceback__)
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)
