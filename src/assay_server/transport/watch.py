"""WatchService: translate, call, translate."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from assay.v1 import watch_service_pb2 as api
from assay.v1 import watch_service_pb2_grpc
from assay_server.domain.errors import (
    InvalidField,
    StreamStalled,
    TooManyUploads,
    WatchTooSlow,
)
from assay_server.services.watch import WatchService
from assay_server.transport.caller import current_call
from assay_server.transport.messages import event

RETRY_AFTER_S = 5.0


class WatchServicer(watch_service_pb2_grpc.WatchServiceServicer):
    """Answers the RPC of WatchService, ``watches_max`` times at once."""

    def __init__(self, watching: WatchService, *, watches_max: int) -> None:
        self._watching = watching
        self._watches_max = watches_max
        self._watches = 0

    async def Watch(
        self, request: api.WatchRequest, _context: object
    ) -> AsyncIterator[api.WatchResponse]:
        if request.start_revision < 0:
            raise InvalidField("start_revision", "must not be negative")
        if self._watches >= self._watches_max:
            raise TooManyUploads(self._watches_max, retry_after_s=RETRY_AFTER_S, what="watches")
        self._watches += 1
        try:
            batches = self._watching.watch(
                current_call(),
                name_prefix=request.name_prefix,
                start_revision=request.start_revision,
            )
            async with aclosing(batches):
                async for batch in batches:
                    response = api.WatchResponse(
                        revision=batch.revision, events=map(event.to_message, batch.events)
                    )
                    try:
                        yield response
                    except StreamStalled:
                        raise WatchTooSlow(batch.undelivered_from) from None
        finally:
            self._watches -= 1
