"""The client for programs with an event loop of their own."""

from pathlib import Path
from typing import Self

from assay import contexts
from assay.verbs.access import AccessVerbs
from assay.verbs.aliases import AliasVerbs
from assay.verbs.audit import AuditVerbs
from assay.verbs.changes import WatchVerbs
from assay.verbs.drafts import DraftVerbs
from assay.verbs.evaluations import EvaluationVerbs
from assay.verbs.gates import GateVerbs
from assay.verbs.ranges import RangeVerbs
from assay.verbs.transfers import TransferVerbs


class AsyncClient(
    TransferVerbs,
    RangeVerbs,
    DraftVerbs,
    AliasVerbs,
    EvaluationVerbs,
    GateVerbs,
    AccessVerbs,
    AuditVerbs,
    WatchVerbs,
):
    """A registry, spoken to from one event loop.

    It connects on first use, and one client serves any number of tasks::

        async with AsyncClient("registry:7443", tls=TLS(ca=…, cert=…, key=…)) as client:
            version = await client.push(model, to="vision/digits", sample=X[:5])
            async for alias in client.list_aliases("vision/digits"):
                print(alias.name)

    See ``Session`` for what the constructor takes.
    """

    @classmethod
    def from_context(cls, name: str | None = None, *, path: Path | None = None) -> Self:
        """A client of the context ``name``, or of the current one; see ``assay.contexts``.

        Raises:
            ContextInvalid: There is no such context, or the file cannot be read.
        """
        context = contexts.load(path).get(name)
        return cls(context.target, tls=context.tls, namespace=context.namespace)

    async def close(self) -> None:
        """End the connection; calls still under way end with it."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
