"""The messages of an initial state: as many events in one as fit, by what the caller may see.

Where one message ends and what its token names depends on nothing that the caller may not read.
"""

from collections.abc import Callable, Iterator

from assay.v1 import watch_service_pb2 as api
from assay_server.services.initial_state import Part, Place
from assay_server.transport.messages import event

EVENTS_MAX = 200
BYTES_MAX = 1024 * 1024
"""Of one message, unless its only event is larger: gRPC clients take 4 MiB by default."""


class InitialState:
    """Packs parts into messages; ``token`` makes what a client goes on with."""

    def __init__(self, place: Place, token: Callable[[Place], str]) -> None:
        self._place = place
        self._token = token
        self._message = api.WatchResponse()
        self._bytes = 0

    def add(self, part: Part) -> Iterator[api.WatchResponse]:
        """Take ``part`` and give the messages that are full; one at least for a part of none."""
        for one in part.events:
            translated = event.to_initial_message(one)
            size_bytes = translated.ByteSize()
            if self._bytes + size_bytes > BYTES_MAX or len(self._message.events) == EVENTS_MAX:
                yield from self.rest()
            self._message.events.append(translated)
            self._bytes += size_bytes
            self._place = Place(part.revision).behind(one)
        if not part.events:
            self._place = Place(part.revision, self._place.first)
            yield self._taken()

    def rest(self) -> Iterator[api.WatchResponse]:
        """Give the message that is not full, if it has anything."""
        if self._message.events:
            yield self._taken()

    def _taken(self) -> api.WatchResponse:
        message, self._message, self._bytes = self._message, api.WatchResponse(), 0
        message.initial_state_token = self._token(self._place)
        return message
