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
    """How long to go on trying while nothing moves."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self.renew()

    def renew(self) -> None:
        """Something moved: the time starts anew."""
        self._pauses = pauses()
        self._since = asyncio.get_running_loop().time()

    async def pause(self, failure: AssayError) -> bool:
        """Wait before the next try; False, at once, when patience is gone."""
        pause_s = failure.retry_after_s or next(self._pauses)
        spent_s = asyncio.get_running_loop().time() - self._since
        if spent_s + pause_s > self._limit_s:
            return False
        await asyncio.sleep(pause_s)
        return True
