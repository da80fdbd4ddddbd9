"""Errors, outermost: nothing leaves but a status with a catalogued reason."""

import asyncio
import logging
from typing import NoReturn

import grpc

from assay_server.domain.errors import RegistryError
from assay_server.transport.details import status_of
from assay_server.transport.errors import (
    DeadlinePassed,
    InternalFault,
    WireError,
    status_and_reason,
)
from assay_server.transport.interceptors.rpc import Proceed, Rpc

DEADLINE_SLACK_S = 0.1
"""A client's deadline begins before its call arrives, so it hangs up before ours has passed."""

log = logging.getLogger("assay.faults")


async def refusals_as_statuses(rpc: Rpc, proceed: Proceed) -> bytes | None:
    """Answer whatever is raised inside with its status, and bugs with an id only."""
    try:
        answer = await proceed(rpc)
    except (Exception, asyncio.CancelledError) as error:
        refusal = refusal_of(error, rpc)
        is_too_late = isinstance(refusal, DeadlinePassed)
        if refusal is None or (is_too_late and isinstance(error, asyncio.CancelledError)):
            rpc.status, rpc.reason = outcome_of(refusal)
            raise  # nobody listens; a swallowed cancellation leaks in the core (pitfall 10)
        await _abort(rpc, refusal)
    rpc.status = grpc.StatusCode.OK
    return answer


def refusal_of(error: BaseException, rpc: Rpc) -> RegistryError | WireError | None:
    """What ``error`` is to the caller; None when the caller is gone.

    A fault of ours is logged here, once, with its traceback, under the id that is sent.
    """
    if isinstance(error, RegistryError | WireError):
        return error
    if isinstance(error, asyncio.CancelledError):
        if rpc.ending is not None:
            rpc.task.uncancel()
            return rpc.ending
        if rpc.task.cancelling():
            return DeadlinePassed() if _is_too_late(rpc) else None
        # A task inside was cancelled, not this one: without an answer the client would hang.
    elif isinstance(error, grpc.aio.BaseError):
        return None  # the stream broke while we wrote to it
    log.error(
        "%s failed",
        rpc.method.full_name,
        exc_info=error,
        extra={"fields": {"call_id": rpc.call_id, "rpc.method": rpc.method.full_name}},
    )
    return InternalFault(rpc.call_id)


def outcome_of(refusal: RegistryError | WireError | None) -> tuple[grpc.StatusCode, str]:
    """Status and reason for the trail."""
    if refusal is None:
        return grpc.StatusCode.CANCELLED, ""
    return status_and_reason(refusal)


def _is_too_late(rpc: Rpc) -> bool:
    left_s: float | None = rpc.context.time_remaining()
    return left_s is not None and left_s <= DEADLINE_SLACK_S


async def _abort(rpc: Rpc, refusal: RegistryError | WireError) -> NoReturn:
    status = status_of(refusal, call_id=rpc.call_id)
    rpc.status, rpc.reason = status_and_reason(refusal)
    if rpc.method.takes_stream:
        await rpc.drain()
    try:
        # To a client that stalled the status goes when it reads on, or when it goes away: the
        # core cannot cut a call. All else that the call held is released by then.
        await rpc.context.abort(
            rpc.status,
            status.message,
            trailing_metadata=(("grpc-status-details-bin", status.SerializeToString()),),
        )
    except grpc.aio.AbortError:
        raise
    except grpc.aio.BaseError:
        raise asyncio.CancelledError from None  # it went away before it could hear
