"""What may be sent again, derived from the contract: gRPC's service config, and pauses."""

import asyncio
import json
import random
from collections.abc import Iterator
from types import ModuleType

from google.protobuf.descriptor import MethodDescriptor

from assay.errors import AssayError
from assay.v1 import (
    access_service_pb2,
    artifact_service_pb2,
    audit_service_pb2,
    evaluation_service_pb2,
    registry_service_pb2,
    watch_service_pb2,
)

SERVICE_MODULES: tuple[ModuleType, ...] = (
    access_service_pb2,
    artifact_service_pb2,
    audit_service_pb2,
    evaluation_service_pb2,
    registry_service_pb2,
    watch_service_pb2,
)

ATTEMPTS_MAX = 4
"""gRPC takes at most five (gRFC A6)."""

PAUSE_S_FIRST = 0.1
PAUSE_S_MAX = 5.0

PATIENCE_S = 120.0
"""A server that is moved to another machine is back by then. The same in every language."""

SILENCE_S = 60.0
"""How long a stream of bytes may stand still before it is opened anew."""


def methods() -> Iterator[MethodDescriptor]:
    """Every method of every service of the contract."""
    for module in SERVICE_MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def is_repeatable(method: MethodDescriptor) -> bool:
    """Whether gRPC may send a call again by itself.

    Never a stream of the client's: gRPC would replay what fits its buffer, and only that.
    """
    return not method.client_streaming and method.GetOptions().idempotency_level != 0


def service_config() -> str:
    """Retries for gRPC: on UNAVAILABLE only (AIP-194), and only what is repeatable.

    Deadlines are not set here: gRPC's core applies them seconds early (grpc/grpc#34547).
    """
    names = [
        {"service": method.containing_service.full_name, "method": method.name}
        for method in methods()
        if is_repeatable(method)
    ]
    policy = {
        "maxAttempts": ATTEMPTS_MAX,
        "initialBackoff": f"{PAUSE_S_FIRST}s",
        "maxBackoff": "2s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return json.dumps(
        {
            "methodConfig": [{"name": names, "retryPolicy": policy}],
            "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
        }
    )


def pauses() -> Iterator[float]:
    """Seconds to wait before each further try: doubling, and spread so that callers part."""
    longest = PAUSE_S_FIRST
    while True:
        yield random.uniform(longest / 2, longest)
        longest = min(2 * longest, PAUSE_S_MAX)


class Patience:
    """How long to go on trying while nothing moves.

    It counts from the first failure since something moved: a stream that breaks after an hour has
    all of it left.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.renew()

    def renew(self) -> None:
        """Something moved: the time starts anew."""
        self._pauses = pauses()
        self._since: float | None = None

    async def pause(self, failure: AssayError) -> bool:
        """Wait before the next try, as long as the server asks; False when patience is gone."""
        now = asyncio.get_running_loop().time()
        if self._since is None:
            self._since = now
        pause_s = max(failure.retry_after_s or 0.0, next(self._pauses))
        if now - self._since + pause_s > self._limit_s:
            return False
        await asyncio.sleep(pause_s)
        return True
