"""Gates: the conditions of a move, and what they would answer."""

from collections.abc import AsyncGenerator, Iterable

from assay import names
from assay.v1 import evaluation_service_pb2 as rpc
from assay.v1.gate_pb2 import Gate, Rule, Verdict
from assay.verbs.session import Session


class GateVerbs(Session):
    """Keep gates of a namespace (``vision``) or a model (``vision/digits``), and ask them.

    ``gate_id`` is ``publish``, or ``alias-champion``, which makes that alias protected.
    """

    async def set_gate(
        self,
        scope: str,
        gate_id: str,
        *,
        rules: Iterable[Rule],
        dataset_digest: str = "",
        description: str = "",
        etag: str = "",
    ) -> Gate:
        """Set all rules of a gate, new or not; ``assay.rules`` makes them.

        Args:
            dataset_digest: Only evaluations on this dataset count; any when empty.
        """
        gate = Gate(
            name=names.gate_name(scope, gate_id),
            rules=rules,
            dataset_digest=dataset_digest,
            description=description,
            etag=etag,
        )
        request = rpc.SetGateRequest(gate=gate)
        return (await self._calls.write(self.stubs.evaluations.SetGate, request)).gate

    async def get_gate(self, scope: str, gate_id: str, *, as_of: int = 0) -> Gate:
        """Read one gate, as it is or as it was at the revision ``as_of``."""
        request = rpc.GetGateRequest(name=names.gate_name(scope, gate_id), as_of=as_of)
        return (await self._calls.read(self.stubs.evaluations.GetGate, request)).gate

    async def list_gates(self, scope: str, *, as_of: int = 0) -> AsyncGenerator[Gate, None]:
        """List the gates of a namespace or a model; for a model with those of its namespace.

        As they are, or as they were at the revision ``as_of``.
        """
        request = rpc.ListGatesRequest(parent=names.scope_name(scope), as_of=as_of)
        listing = self.stubs.evaluations.ListGates
        async for gate in self._calls.pages(listing, request, lambda page: page.gates):
            yield gate

    async def delete_gate(self, scope: str, gate_id: str, *, etag: str = "") -> Gate:
        """Remove a gate."""
        request = rpc.DeleteGateRequest(name=names.gate_name(scope, gate_id), etag=etag)
        return (await self._calls.write(self.stubs.evaluations.DeleteGate, request)).gate

    async def check_gate(self, version: str | names.Named, gate_id: str = "publish") -> Verdict:
        """Ask what the gates would answer to a move of a version now; nothing moves."""
        request = rpc.CheckGateRequest(version=await self._version_name(version), gate_id=gate_id)
        return (await self._calls.read(self.stubs.evaluations.CheckGate, request)).verdict
