"""Events on the wire."""

from dataclasses import replace

from assay.v1 import event_pb2
from assay_server.domain.access import RoleBinding
from assay_server.domain.aliases import Alias
from assay_server.domain.evaluations import Evaluation
from assay_server.domain.events import Event
from assay_server.domain.gates import Gate
from assay_server.domain.models import Model, Namespace
from assay_server.domain.versions import Draft, Version
from assay_server.transport.messages import (
    alias,
    draft,
    evaluation,
    gate,
    model,
    namespace,
    role_binding,
    version,
)
from assay_server.transport.translating.enums import to_enum
from assay_server.transport.translating.timestamps import to_timestamp


def to_initial_message(event: Event) -> event_pb2.Event:
    """Translate for an initial state."""
    message = to_message(event)
    message.type = event_pb2.EVENT_TYPE_INITIAL
    return message


def to_message(event: Event) -> event_pb2.Event:
    """Translate for an answer."""
    message = event_pb2.Event(
        type=to_enum(event.event_type, event_pb2.EventType),
        name=event.name,
        action=event.action,
        actor=event.actor,
        time=to_timestamp(event.time),
    )
    match event.subject:
        case Namespace() as subject:
            message.namespace.CopyFrom(namespace.to_message(subject))
        case Model() as subject:
            message.model.CopyFrom(model.to_message(subject))
        case Draft() as subject:
            message.draft.CopyFrom(draft.to_message(subject))
        case Version() as subject:
            # The card may have 256 KiB, and one message carries all events of a revision.
            message.version.CopyFrom(version.to_message(replace(subject, card="")))
        case Alias() as subject:
            message.alias.CopyFrom(alias.to_message(subject))
        case Evaluation() as subject:
            message.evaluation.CopyFrom(evaluation.to_message(subject))
        case Gate() as subject:
            message.gate.CopyFrom(gate.to_message(subject))
        case RoleBinding() as subject:
            message.role_binding.CopyFrom(role_binding.to_message(subject))
    return message
