"""Watching: every committed change, as it happens."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from assay import names
from assay.errors import TooManyCalls, TooManyUploads, Unavailable
from assay.retries import Patience
from assay.v1.access_service_pb2 import ListNamespacesRequest
from assay.v1.watch_service_pb2 import WatchRequest, WatchResponse
from assay.verbs.session import Session

BOOKMARKS_MISSED_S = 90.0
"""Three times the longest pause of a healthy server: after that the connection is half dead."""


class WatchVerbs(Session):
    """Follow what happens."""

    async def watch(
        self,
        scope: str = "",
        *,
        start_revision: int = 0,
        initial_state: bool = False,
        bookmarks: bool = False,
    ) -> AsyncGenerator[WatchResponse, None]:
        """Follow the changes in a scope: all events of one revision at a time, in order.

        Breaks of the connection are survived: it goes on from the next revision, and no event
        comes twice. Leaving the loop ends the call soon; ``contextlib.aclosing`` ends it at once.

        With ``initial_state`` what is current comes first: answers whose revision is 0 and whose
        events are EVENT_TYPE_INITIAL, then one with ``initial_state_complete`` and the revision
        at which all of that was true, then what happens after it.

        Args:
            scope: ``vision``, ``vision/digits``, any resource name, or empty for everything
                that you may read.
            start_revision: The first revision wanted; 0 from now on. To resume: the last one
                seen plus one.
            initial_state: Begin with what is current, instead of at a revision.
            bookmarks: Also give answers without events, which only tell how far it is.

        Raises:
            RevisionCompacted: The history is gone; watch with ``initial_state``.
            Unavailable: The server could not be reached from the start.
        """
        request = WatchRequest(
            name_prefix=names.scope_name(scope),
            start_revision=start_revision,
            send_initial_state=initial_state,
        )
        patience = Patience(self._patience_s)
        was_connected = False
        while True:
            try:
                if not (initial_state or request.start_revision):
                    request.start_revision = await self._next_revision()
                call = self.stubs.watch.Watch(request)
                messages = self._calls.messages(call, silence_s=BOOKMARKS_MISSED_S)
                async with aclosing(messages):
                    async for change in messages:
                        was_connected = True
                        patience.renew()
                        _go_on_behind(request, change)
                        if change.events or change.initial_state_complete or bookmarks:
                            yield change
            except (Unavailable, TooManyCalls, TooManyUploads) as failure:
                # Who was connected once waits for ever: servers are restarted.
                if not await patience.pause(failure):
                    if not was_connected:
                        raise
                    patience.renew()

    async def _next_revision(self) -> int:
        """What "from now on" is: asked again after a break, it would be a later one."""
        listing = self.stubs.access.ListNamespaces
        answer = await self._calls.read(listing, ListNamespacesRequest(page_size=1))
        return answer.revision + 1


def _go_on_behind(request: WatchRequest, change: WatchResponse) -> None:
    """Make ``request`` ask for what comes after ``change``."""
    request.initial_state_token = change.initial_state_token
    if not change.initial_state_token:
        request.send_initial_state = False
        request.start_revision = change.revision + 1
