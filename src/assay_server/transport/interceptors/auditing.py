"""Audit: one durable entry for each unary call, two for each stream, before the answer leaves."""

import asyncio

import grpc

from assay_server.domain.audit import AuditEntry, Decision, Phase
from assay_server.domain.errors import Forbidden, TooManyCalls, Unidentified
from assay_server.ports.audit import AuditSink, AuditTally
from assay_server.ports.clock import Clock, Ids
from assay_server.transport.errors import DeadlinePassed
from assay_server.transport.interceptors.refusing import outcome_of, refusal_of
from assay_server.transport.interceptors.rpc import Proceed, Rpc


class Audited:
    """Writes the entries that no transaction writes: of reads, denials and failures.

    Args:
        sink: Where they go.
        tallied: Where those go of which there may be any number, of calls that got nowhere.
        clock: What time they are given.
        ids: How they are named.
    """

    def __init__(self, sink: AuditSink, clock: Clock, ids: Ids, *, tallied: AuditTally) -> None:
        self._sink = sink
        self._tallied = tallied
        self._clock = clock
        self._ids = ids

    async def calls(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Record how the call ended. Without a record there is no answer."""
        try:
            answer = await proceed(rpc)
        except (Exception, asyncio.CancelledError) as error:
            refusal = refusal_of(error, rpc)
            if isinstance(refusal, Forbidden | Unidentified):
                rpc.decision = Decision.DENIED
            gets_nowhere = isinstance(refusal, Unidentified | TooManyCalls) and not rpc.is_opened
            await self._close(rpc, *outcome_of(refusal), gets_nowhere=gets_nowhere)
            if refusal is None or isinstance(refusal, DeadlinePassed):
                raise
            raise refusal from error
        await self._close(rpc, grpc.StatusCode.OK, "")
        return answer

    async def openings(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Record that a stream was granted before any of it is handled."""
        if rpc.method.is_stream:
            await self._sink.record(self._opening(rpc, grpc.StatusCode.OK))
        return await proceed(rpc)

    def entry(self, rpc: Rpc, status: grpc.StatusCode, reason: str, phase: Phase) -> AuditEntry:
        """What the trail says of ``rpc`` now."""
        is_closed = phase is Phase.CLOSED
        return AuditEntry(
            entry_id=self._ids.new(),
            time=self._clock.now(),
            principal=rpc.principal,
            certificate_sha256=rpc.certificate_sha256,
            peer=rpc.peer,
            method=rpc.method.full_name,
            resource=rpc.resource,
            namespace_id=rpc.namespace_id,
            decision=rpc.decision,
            status=status.name,
            reason=reason,
            request_id=rpc.request_id,
            call_id=rpc.call_id,
            phase=phase,
            duration_us=rpc.duration_us,
            bytes_in=rpc.bytes_in if is_closed else 0,
            bytes_out=rpc.bytes_out if is_closed else 0,
            role=rpc.roles,
        )

    def _opening(self, rpc: Rpc, status: grpc.StatusCode) -> AuditEntry:
        rpc.is_opened = True
        return self.entry(rpc, status, "", Phase.OPENED)

    async def _close(
        self, rpc: Rpc, status: grpc.StatusCode, reason: str, *, gets_nowhere: bool = False
    ) -> None:
        if rpc.is_recorded:
            return
        entries = self._closing(rpc, status, reason)
        if gets_nowhere:
            await self._tallied.record_refusal(entries)
            return
        for entry in entries:
            await self._sink.record(entry)

    def _closing(self, rpc: Rpc, status: grpc.StatusCode, reason: str) -> list[AuditEntry]:
        """What is not on record yet of a call that is over."""
        if not rpc.method.is_stream:
            return [self.entry(rpc, status, reason, Phase.CALL)]
        before = [] if rpc.is_opened else [self._opening(rpc, status)]
        return [*before, self.entry(rpc, status, reason, Phase.CLOSED)]
