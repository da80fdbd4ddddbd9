"""Answers of servers that are newer, or older, or quieter than the real one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from assay.v1 import access_service_pb2, event_pb2, registry_service_pb2, watch_service_pb2
from tests.clients.python.serving import Handler, refuse

SILENCE_S = 63.0
"""Clients ping after 60 s in which nothing came."""

UNKNOWN_FIELD = bytes.fromhex("fa ff 03") + b"\x06future"
"""Field 8191, length-delimited, with the text ``future``; no message of ours has it."""

STATE_OF_THE_FUTURE = 99


class Watching:
    """A watch that is silent for long, then says one thing, and counts who asked."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.calls += 1
        await asyncio.sleep(SILENCE_S)
        event = event_pb2.Event(action="CreateModel", name="namespaces/main/models/quiet")
        yield watch_service_pb2.WatchResponse(revision=5, events=[event])
        await asyncio.Event().wait()


async def list_namespaces(request: Any, context: Any) -> Any:
    return access_service_pb2.ListNamespacesResponse(revision=4)


async def resolve(request: Any, context: Any) -> Any:
    """A version with a state and fields that no client of today knows."""
    version = registry_service_pb2.ResolveVersionResponse().version
    version.name = "namespaces/main/models/future/versions/7"
    version.number = 7
    known = version.SerializeToString() + bytes([5 << 3, STATE_OF_THE_FUTURE]) + UNKNOWN_FIELD
    answer = registry_service_pb2.ResolveVersionResponse.FromString(
        bytes([1 << 3 | 2, len(known)]) + known + UNKNOWN_FIELD
    )
    sent = answer.SerializeToString()
    assert sent.count(UNKNOWN_FIELD) == 2, "what is unknown must reach the client"
    return answer


async def publish(request: Any, context: Any) -> Any:
    await refuse(context, grpc.StatusCode.FAILED_PRECONDITION, "REASON_OF_THE_FUTURE")


def handlers(watching: Callable[..., Any]) -> dict[str, Handler]:
    """There is no CheckGate: this server is also older than the client."""
    return {
        "ListNamespaces": list_namespaces,
        "ResolveVersion": resolve,
        "PublishVersion": publish,
        "Watch": watching,
    }
