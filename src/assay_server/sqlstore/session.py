"""What the nouns ask of a connection: run a statement, give rows. One shape for both drivers."""

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from assay_server.domain.errors import RegistryError
from assay_server.sqlstore.compiled import Parameters, Statement

Row = Sequence[Any]


class UniqueViolated(Exception):
    """A row like this is in ``table`` already."""

    def __init__(self, table: str = "") -> None:
        super().__init__(table)
        self.table = table


class Unclaimed(Exception):
    """What was to be claimed is somebody's already."""


class Session(Protocol):
    """One connection while a reader or a transaction has it. Errors are refusals already."""

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        """Run a statement and give all rows."""
        ...

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        """Run a statement that has one row at most."""
        ...

    async def write(
        self, statement: Statement, *, taken: RegistryError | None = None, **parameters: Any
    ) -> None:
        """Run a statement for its effect, at once or just before whatever is run next.

        Args:
            taken: What is raised, here or there, when a row like this exists; None: Conflict.
        """
        ...

    async def write_many(self, statement: Statement, parameters: Sequence[Parameters]) -> None:
        """``write`` for each set of parameters."""
        ...

    async def claim(self, statement: Statement, **parameters: Any) -> None:
        """Run a statement that must give a row, at once or with the next that is run.

        Raises:
            Unclaimed: Here or there: it gave none. Nothing was written since.
        """
        ...

    async def settle(self) -> None:
        """Run what was to be claimed, unless that was done by now."""
        ...

    async def together(self, calls: Sequence[Coroutine[Any, Any, Any]]) -> tuple[Any, ...]:
        """What each of ``calls`` gives; those of their statements that can go at once do so.

        The first of them that fails decides what is raised.
        """
        ...


class ReadSession(Session, Protocol):
    """A connection whose statements all see one snapshot."""

    @property
    def revision(self) -> int:
        """The newest revision in the snapshot, once something was read."""
        ...
