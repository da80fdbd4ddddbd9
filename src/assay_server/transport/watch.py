"""WatchService: translate, call, translate."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from assay.v1 import watch_service_pb2 as api
from assay.v1 import watch_service_pb2_grpc
from assay_server.domain.calls import Call
from assay_server.domain.errors import (
    InvalidField,
    StreamStalled,
    TooManyUploads,
    WatchTooSlow,
)
from assay_server.services.initial_state import Part, Place
from assay_server.services.watch import Batch, WatchService
from assay_server.transport.caller import current_call
from assay_server.transport.initial_state import InitialState
from assay_server.transport.messages import event
from assay_server.transport.paging import Paging

RETRY_AFTER_S = 5.0


class WatchServicer(watch_service_pb2_grpc.WatchServiceServicer):
    """Answers the RPC of WatchService, ``watches_max`` times at once."""

    def __init__(self, watching: WatchService, paging: Paging, *, watches_max: int) -> None:
        self._watching = watching
        self._paging = paging
        self._watches_max = watches_max
        self._watches = 0

    async def Watch(
        self, request: api.WatchRequest, _context: object
    ) -> AsyncIterator[api.WatchResponse]:
        _require_valid(request)
        if self._watches >= self._watches_max:
            raise TooManyUploads(self._watches_max, retry_after_s=RETRY_AFTER_S, what="watches")
        self._watches += 1
        try:
            async with aclosing(self._responses(request, current_call())) as responses:
                async for response in responses:
                    try:
                        yield response
                    except StreamStalled:
                        raise WatchTooSlow(_resume_revision(response)) from None
        finally:
            self._watches -= 1

    async def _responses(
        self, request: api.WatchRequest, call: Call
    ) -> AsyncGenerator[api.WatchResponse, None]:
        place = self._place(request, call)
        state = InitialState(place, lambda at: self._token(at, request, call))
        async with aclosing(self._answers(request, call, place)) as answers:
            async for answer in answers:
                if isinstance(answer, Part):
                    for message in state.add(answer):
                        yield message
                    continue
                for message in state.rest():
                    yield message
                yield api.WatchResponse(
                    revision=answer.revision,
                    events=map(event.to_message, answer.events),
                    initial_state_complete=answer.completes_state,
                )

    def _answers(
        self, request: api.WatchRequest, call: Call, place: Place
    ) -> AsyncGenerator[Part | Batch, None]:
        prefix, start = request.name_prefix, request.start_revision
        if request.send_initial_state:
            return self._watching.watch_with_state(call, name_prefix=prefix, place=place)
        return self._watching.watch(call, name_prefix=prefix, start_revision=start)

    def _place(self, request: api.WatchRequest, call: Call) -> Place:
        if not request.initial_state_token:
            return Place()
        token = request.initial_state_token
        revision, first = self._paging.opened(token, request, call, field="initial_state_token")
        return Place(int(revision), str(first))

    def _token(self, place: Place, request: api.WatchRequest, call: Call) -> str:
        return self._paging.sealed((place.revision, place.first), request, call)


def _resume_revision(undelivered: api.WatchResponse) -> int | None:
    """Where to go on when this may not have come; None within the initial state."""
    if undelivered.initial_state_token:
        return None
    is_state = undelivered.initial_state_complete
    return None if is_state else undelivered.revision + (not undelivered.events)


def _require_valid(request: api.WatchRequest) -> None:
    if request.start_revision < 0:
        raise InvalidField("start_revision", "must not be negative")
    if request.send_initial_state and request.start_revision:
        raise InvalidField(
            "start_revision",
            "must be 0 with send_initial_state: the watch goes on behind the state",
        )
    if request.initial_state_token and not request.send_initial_state:
        raise InvalidField("initial_state_token", "must be empty without send_initial_state")
