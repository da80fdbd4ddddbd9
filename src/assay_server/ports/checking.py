"""Reading all of a registry, to see whether it agrees with itself. Nothing is ever written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from assay_server.domain.checking import SeenBlob, SeenEvents, SeenMove, SeenState, SeenVersion


class FactsInspection(Protocol):
    """One moment of the database, as its rows have it."""

    async def faults(self) -> Sequence[str]:
        """What the database itself finds wrong with its files and references."""
        ...

    async def counters(self) -> Mapping[str, int]:
        """Every counter by its name."""
        ...

    async def events(self, first: int, last: int) -> Sequence[SeenEvents]:
        """The events of these revisions, in order."""
        ...

    async def models(self) -> Sequence[tuple[str, str, int]]:
        """Namespace, id and newest number of every model."""
        ...

    async def numbers(self, namespace_id: str, model_id: str) -> Sequence[int]:
        """The numbers of all versions of a model."""
        ...

    async def versions(
        self, namespace_id: str, model_id: str, first: int, last: int
    ) -> Sequence[SeenVersion]:
        """The versions with these numbers."""
        ...

    async def states(self, namespace_id: str, model_id: str) -> Sequence[SeenState]:
        """The model and its versions, as they are and as their history has them."""
        ...

    async def aliases(
        self, namespace_id: str, model_id: str
    ) -> tuple[Mapping[str, int], Sequence[SeenMove]]:
        """Where each alias of a model points, and the history of all of them, in order."""
        ...

    async def audit(self) -> tuple[Mapping[int, int], int]:
        """How many audit entries tell of each revision, and the first that must have one.

        Older ones may be swept.
        """
        ...

    async def blobs(self) -> Mapping[str, int]:
        """Size by digest of every blob that a version or a draft refers to."""
        ...

    async def uses(self, sha256: str) -> Sequence[str]:
        """``PATH of NAME`` for each file of a version or a draft that is this blob."""
        ...

    async def uploads(self) -> Mapping[str, int]:
        """How many bytes of each open upload are kept."""
        ...


class BlobInspection(Protocol):
    """What lies on the disk. All of it blocks."""

    def held(self) -> AbstractContextManager[None]:
        """Inside the block collection removes nothing."""
        ...

    def look(self, sha256: str, *, is_hashed: bool) -> SeenBlob:
        """Look at one blob."""
        ...

    def place(self, sha256: str) -> str:
        """Where an operator finds it."""
        ...

    def stored(self) -> Iterator[tuple[str, bool]]:
        """Every file among the blobs: its name, and whether it is a blob."""
        ...

    def staged(self) -> Mapping[str, int]:
        """Bytes staged by upload, also of uploads that nobody knows."""
        ...
