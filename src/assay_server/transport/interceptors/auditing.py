"""Audit: one durable entry for each unary call, two for each stream, before the answer leaves."""

import asyncio

import grpc

from assay_server.domain.audit import AuditEntry, Decision, Phase
from assay_server.domain.errors import Forbidden, TooManyCalls, Unidentified
from assay_server.ports.audit import AuditSink
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

    def __init__(self, sink: AuditSink, clock: Clock, ids: Ids, *, tallied: AuditSink) -> None:
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
            sink = self._tallied if gets_nowhere else self._sink
            await self._close(rpc, *outcome_of(refusal), sink)
            if refusal is None or isinstance(refusal, DeadlinePassed):
                raise
            raise refusal from error
        await self._close(rpc, grpc.StatusCode.OK, "", self._sink)
        return answer

    async def openings(self, rpc: Rpc, proceed: Proceed) -> bytes | None:
        """Record that a stream was granted before any of it is handled."""
        if rpc.method.is_stream:
            await self._open(rpc, grpc.StatusCode.OK, self._sink)
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

    async def _open(self, rpc: Rpc, status: grpc.StatusCode, sink: AuditSink) -> None:
        rpc.is_opened = True
        await sink.record(self.entry(rpc, status, "", Phase.OPENED))

    async def _close(self, rpc: Rpc, status: grpc.StatusCode, reason: str, sink: AuditSink) -> None:
        if rpc.is_recorded:
            return
        if not rpc.method.is_stream:
            await sink.record(self.entry(rpc, status, reason, Phase.CALL))
            return
        if not rpc.is_opened:
            await self._open(rpc, status, sink)
        await sink.record(self.entry(rpc, status, reason, Phase.CLOSED))
