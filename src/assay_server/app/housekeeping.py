"""What a server does on its own while it serves: look whether its store answers, tidy up daily."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from assay_server.app.rooms import CLOCK, Front, Stores
from assay_server.domain.errors import RegistryError
from assay_server.services.collecting import CollectingService
from assay_server.services.expiring import ExpiringService
from assay_server.transport.server import GrpcServer

PING_S = 5.0
PING_TIMEOUT_S = 3.0
KEEP_S = 3600.0
"""More often than daily, so that a server which is restarted often gets to it too."""

log = logging.getLogger("assay.server")


@asynccontextmanager
async def kept(
    front: Front,
    stores: Stores,
    expiring: ExpiringService,
    collecting: CollectingService,
) -> AsyncIterator[None]:
    """Keep house inside the block."""
    tasks = (
        asyncio.create_task(front.denied.follow()),
        asyncio.create_task(front.tallied.follow()),
        asyncio.create_task(_tell_health(front.server, stores)),
        asyncio.create_task(_tidy(stores, expiring, collecting)),
    )
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        # To the end of both: the stores are closed next.
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell_health(server: GrpcServer, stores: Stores) -> None:
    """Say NOT_SERVING while the store does not answer, so that others get the calls."""
    was_reachable = True
    while True:
        await asyncio.sleep(PING_S)
        is_reachable = await _answers(stores)
        if is_reachable != was_reachable:
            log.warning("the store %s", "answers again" if is_reachable else "does not answer")
            await server.announce(is_healthy=is_reachable)
        was_reachable = is_reachable


async def _answers(stores: Stores) -> bool:
    try:
        async with asyncio.timeout(PING_TIMEOUT_S):
            await stores.ping()
    except (RegistryError, TimeoutError):
        return False
    except Exception:
        log.exception("asking the store failed")
        return False
    return True


async def _tidy(stores: Stores, expiring: ExpiringService, collecting: CollectingService) -> None:
    while True:
        # Each for itself: what one cannot do, such as sweep on a full disk, another may mend.
        await _done(stores.keep(CLOCK.now()))
        await _done(expiring.expire())
        await _done(collecting.collect())
        await asyncio.sleep(KEEP_S)


async def _done(step: Awaitable[object]) -> None:
    try:
        await step
    except RegistryError as refusal:
        log.warning("tidying up has to wait: %s", refusal.message)
    except Exception:
        log.exception("tidying up failed")  # a fault of today must not end it for good
