"""Events: committed changes of fact, in revision order."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from assay_server.domain.access import RoleBinding
from assay_server.domain.aliases import Alias
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.gates import Gate
from assay_server.domain.models import Model, Namespace
from assay_server.domain.versions import Draft, DraftState, Version

Subject = Namespace | Model | Draft | Version | Alias | Evaluation | Gate | RoleBinding


class EventType(StrEnum):
    """What happened to the subject."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Event:
    """``subject`` is the state after the change; for DELETED, the last state before it.

    ``action`` names what was done in the words of the API ("PublishVersion").
    """

    revision: int
    event_type: EventType
    name: str
    namespace_id: str
    action: str
    actor: str
    time: datetime
    subject: Subject


def is_over(event: Event) -> bool:
    """Whether lists leave out, after ``event``, what it is about."""
    match event.subject:
        case Draft(state=state):
            return state is not DraftState.OPEN
    return event.event_type is EventType.DELETED
