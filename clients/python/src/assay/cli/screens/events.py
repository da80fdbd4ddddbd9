"""What a watch delivers, line by line."""

from rich.text import Text

from assay.cli import wording
from assay.v1 import event_pb2, watch_service_pb2

WORD = {
    event_pb2.EVENT_TYPE_CREATED: ("+", "good"),
    event_pb2.EVENT_TYPE_UPDATED: ("~", "warn"),
    event_pb2.EVENT_TYPE_DELETED: ("-", "bad"),
    event_pb2.EVENT_TYPE_INITIAL: ("=", "soft"),
}


def line(revision: int, event: event_pb2.Event) -> Text:
    """One event on one line, as far as the terminal is wide; no revision in an initial state."""
    sign, style = WORD.get(event.type, ("?", ""))
    return Text.assemble(
        (f"{revision or '':>6}  ", "soft"),
        (f"{wording.moment(event.time)[11:]}  ", "soft"),
        (f"{sign} ", style),
        (wording.resource(event.name), "name"),
        f"  {event.action}",
        (f"  {wording.person(event.actor)}", "soft"),
    )


def lines(answer: watch_service_pb2.WatchResponse) -> list[Text]:
    """All events of a revision; none for a bookmark."""
    return [line(answer.revision, event) for event in answer.events]
