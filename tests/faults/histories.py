"""What clients asked, when, and what they were told: the evidence that checks are made on."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import grpc

from assay.v1 import (
    artifact_service_pb2_grpc,
    audit_service_pb2_grpc,
    registry_service_pb2_grpc,
    watch_service_pb2_grpc,
)

UNKNOWN_STATUSES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
"""After these the client cannot know whether it happened."""

DEADLINE_S = 60.0
PERSISTENT_S = 120.0


class Outcome(StrEnum):
    """What the client knows."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class ServerGone(Exception):
    """The outcome of a call is not known."""


class Stubs:
    """The services on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.registry: Any = registry_service_pb2_grpc.RegistryServiceStub(channel)
        self.artifacts: Any = artifact_service_pb2_grpc.ArtifactServiceStub(channel)
        self.audit: Any = audit_service_pb2_grpc.AuditServiceStub(channel)
        self.watch: Any = watch_service_pb2_grpc.WatchServiceStub(channel)

    def call(self, method: str, request: Any) -> Awaitable[Any]:
        """Call ``Service/Method``."""
        service, _, name = method.partition("/")
        stub = {"RegistryService": self.registry, "ArtifactService": self.artifacts}[service]
        calling: Awaitable[Any] = getattr(stub, name)(request, timeout=DEADLINE_S)
        return calling


@dataclass(eq=False)
class Operation:
    """One call. ``returned`` is when its outcome was known, by a retry if need be."""

    client: int
    method: str
    request: Any
    called: float
    returned: float = float("inf")
    outcome: Outcome = Outcome.UNKNOWN
    answer: Any = None
    status: grpc.StatusCode | None = None
    attempts: int = 0

    @property
    def revision(self) -> int:
        return int(getattr(self.answer, "revision", 0))

    @property
    def is_mutation(self) -> bool:
        return hasattr(self.request, "request_id")

    async def attempt(self, stubs: Stubs) -> None:
        """Send it, and note what comes of it."""
        self.attempts += 1
        try:
            self.answer = await stubs.call(self.method, self.request)
        except grpc.aio.AioRpcError as error:
            self.status = error.code()
            if self.status in UNKNOWN_STATUSES:
                return
            self.outcome = Outcome.REFUSED
        else:
            self.outcome = Outcome.ACKNOWLEDGED
        self.returned = time.monotonic()


@dataclass
class History:
    """Every operation of every client, in the order of the calls."""

    operations: list[Operation] = field(default_factory=list)

    goes_on = False
    """Whether clients do so after a call of which nobody knows what came."""

    async def call(self, stubs: Stubs, client: int, method: str, request: Any) -> Operation:
        """Call and record.

        Raises:
            ServerGone: Nobody knows what came of it.
        """
        operation = Operation(client, method, request, time.monotonic())
        self.operations.append(operation)
        await operation.attempt(stubs)
        if operation.outcome is Outcome.UNKNOWN:
            raise ServerGone
        return operation

    async def resolve(self, stubs: Stubs) -> int:
        """Find out what came of the calls whose answer was lost: each is sent once more.

        What has no request id has changed nothing that is checked. Returns how many there were.
        """
        lost = [
            one for one in self.operations if one.outcome is Outcome.UNKNOWN and one.is_mutation
        ]
        for one in lost:
            await one.attempt(stubs)
            assert one.outcome is not Outcome.UNKNOWN, (one.method, one.status)
        return len(lost)

    def cut(self, began: float, ended: float) -> "History":
        """What clients know of a registry that lost its power between two moments.

        What was answered before is answered; what was under way, or answered later, is not.
        """
        return History(
            [
                one
                if one.returned < began
                else Operation(one.client, one.method, one.request, one.called)
                for one in self.operations
                if one.called < ended and (one.returned < began or one.is_mutation)
            ]
        )

    def acknowledged(self, *methods: str) -> list[Operation]:
        return [
            one
            for one in self.operations
            if one.outcome is Outcome.ACKNOWLEDGED and (not methods or one.method in methods)
        ]

    def mutations(self) -> list[Operation]:
        """The acknowledged ones."""
        return [one for one in self.acknowledged() if one.is_mutation]


@dataclass
class PersistentHistory(History):
    """Of clients who ask again, under the same request id, until they know.

    Attributes:
        refusals: How often they were told to come again, by method and status.
    """

    refusals: Counter[tuple[str, grpc.StatusCode]] = field(default_factory=Counter)
    answered: int = 0

    goes_on = True

    async def call(self, stubs: Stubs, client: int, method: str, request: Any) -> Operation:
        operation = Operation(client, method, request, time.monotonic())
        self.operations.append(operation)
        async with asyncio.timeout(PERSISTENT_S):
            while True:
                await operation.attempt(stubs)
                if operation.outcome is not Outcome.UNKNOWN:
                    self.answered += 1
                    return operation
                assert operation.status is not None
                self.refusals[method, operation.status] += 1
                await asyncio.sleep(0.1)


def report(line: str) -> None:
    """Say what was done; pytest shows it with -s, or when the test fails."""
    sys.stdout.write(f"\n{line}\n")


def channel_to(target: str) -> grpc.aio.Channel:
    """A connection of its own: channels in one process share them otherwise."""
    return grpc.aio.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)])
