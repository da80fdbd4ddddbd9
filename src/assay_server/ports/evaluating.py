"""Evaluations and gates in the store."""

from collections.abc import Set
from typing import Protocol

from assay_server.domain.calls import Page, Paged
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gates import Gate


class EvaluationReads(Protocol):
    """Reading evaluations."""

    async def get(
        self, namespace_id: str, model_id: str, number: int, evaluation_id: str
    ) -> Evaluation: ...

    async def list(
        self, namespace_id: str, model_id: str, number: int, page: Page
    ) -> Paged[Evaluation]:
        """List newest first."""
        ...

    async def of_versions(
        self, namespace_id: str, model_id: str, numbers: Set[int]
    ) -> tuple[Evaluation, ...]:
        """The newest 1,000 evaluations of each of these versions, newest first."""
        ...


class Evaluations(EvaluationReads, Protocol):
    """Evaluations within a transaction, which writes them at its end: with the revision."""

    async def add(self, evaluation: Evaluation) -> None: ...


class GateReads(Protocol):
    """Reading gates; ``model_id`` is empty for a gate of the namespace itself."""

    async def get(self, namespace_id: str, model_id: str, gate_id: str) -> Gate: ...
    async def find(self, namespace_id: str, model_id: str, gate_id: str) -> Gate | None: ...

    async def list(self, namespace_id: str, model_id: str, page: Page) -> Paged[Gate]:
        """List the gates of a namespace, or with ``model_id`` of the model and its namespace."""
        ...

    async def applying(self, namespace_id: str, model_id: str, gate_id: str) -> tuple[Gate, ...]:
        """The gates of this id of the namespace and of the model, in that order."""
        ...

    async def ids(self, namespace_id: str, model_id: str) -> frozenset[str]:
        """The ids of all gates that apply to the model: which aliases are protected."""
        ...


class Gates(GateReads, Protocol):
    """Gates within a transaction.

    ``hold`` keeps all gates of the namespace as they are, so that none changes between verdict
    and move; any number may hold them at once. ``lock`` waits for those, and keeps others out.
    """

    async def hold(self, namespace_id: str) -> None: ...
    async def lock(self, namespace_id: str) -> None: ...
    async def save(self, gate: Gate) -> None: ...
    async def remove(self, gate: Gate) -> None: ...
