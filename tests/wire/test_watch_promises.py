"""The functions that ask for the promises of a watch: each finds what breaks its own."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest

from assay.v1 import event_pb2
from assay.v1 import watch_service_pb2 as api
from assay_server.domain.access import Role, RoleBinding
from assay_server.domain.events import Event, EventType
from tests.contract.store.registries import make_namespace
from tests.wire import watching
from tests.wire.watching import PROMISES, Broken, Recording

ANN, OPS = "spiffe://lab/ann", "spiffe://lab/ops"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVERYWHERE = RoleBinding("", "b1", Role.ADMIN, ANN, ANN, NOON)
HERE = RoleBinding("namespaces/vision", "b2", Role.DEPLOYER, OPS, ANN, NOON)


def happened(revision: int, name: str, subject: object = None, **changes: object) -> Event:
    values = {"event_type": EventType.UPDATED, "action": "Do", **changes}
    values |= {"namespace_id": "", "actor": ANN, "time": NOON}
    values["subject"] = subject or make_namespace("vision")
    return Event(revision, name=name, **values)  # type: ignore[arg-type]


def bound(revision: int, binding: RoleBinding, *, is_gone: bool = False) -> Event:
    kind = EventType.DELETED if is_gone else EventType.CREATED
    name = f"{binding.scope}/roleBindings/{binding.binding_id}".removeprefix("/")
    return happened(revision, name, binding, event_type=kind)


TRUTH = (
    bound(1, EVERYWHERE),
    bound(2, HERE),
    happened(3, "namespaces/vision"),
    happened(4, "namespaces/vision"),
    happened(4, "namespaces/speech"),
    bound(5, HERE, is_gone=True),
    happened(6, "namespaces/vision"),
)
V, S = "namespaces/vision", "namespaces/speech"
B1, B2 = "roleBindings/b1", "namespaces/vision/roleBindings/b2"


def received(
    *messages: tuple[int, list[str]], principal: str = ANN, **request: object
) -> Recording:
    """What a client got: revisions with the names of their events, none in a bookmark."""
    asked = api.WatchRequest(**{"start_revision": 3, **request})  # type: ignore[arg-type]
    updated = event_pb2.EVENT_TYPE_UPDATED
    return Recording(
        asked,
        principal,
        [
            api.WatchResponse(
                revision=revision,
                events=[event_pb2.Event(type=updated, name=name, action="Do") for name in names],
            )
            for revision, names in messages
        ],
    )


def stated(
    names: list[str],
    at: int,
    *messages: tuple[int, list[str]],
    principal: str = ANN,
    **asked: object,
) -> Recording:
    """A watch that got an initial state, then what happened."""
    recording = received(
        *messages, principal=principal, start_revision=0, send_initial_state=True, **asked
    )
    parts = [
        api.WatchResponse(events=[initial(name)], initial_state_token=f"after {name}")
        for name in names
    ]
    end = [api.WatchResponse(revision=at, initial_state_complete=True)] if at else []
    recording.messages[:0] = [*parts, *end]
    return recording


def initial(name: str) -> event_pb2.Event:
    event = event_pb2.Event(type=event_pb2.EVENT_TYPE_INITIAL, name=name, action="Do")
    event.time.FromDatetime(NOON)
    return event


def going_on(earlier: Recording, later: Recording) -> Recording:
    later.resumes = earlier
    return later


WHOLE = received((3, [V]), (4, [V, S]), (4, []))


def test_a_whole_watch_breaks_nothing() -> None:
    resumed = going_on(received((3, [V])), received((4, [V, S]), start_revision=4))
    of_ops = received((3, [V]), (4, [V]), principal=OPS, name_prefix=V)

    state = stated([S, V, B1], 5, (6, [V]))
    halves = going_on(stated([S, V], 0), stated([B2, B1], 4))
    ops_state = stated([V], 4, principal=OPS)

    assert watching.require_promises([WHOLE, resumed, of_ops], TRUTH) == 7
    assert watching.require_promises([halves, ops_state, state], TRUTH) == 7


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        (watching.ordered, received((4, [V, S]), (3, [V]))),
        (watching.unique, received((3, [V]), (3, [V]))),
        (watching.unique, going_on(received((3, [V])), received((3, [V]), (4, [V, S])))),
        (watching.atomic, received((3, [V]), (4, [V]), (4, [S]))),
        (watching.reliable, received((3, [V]), (4, [V]))),
        (watching.reliable, received((4, [V, S]))),
        (watching.reliable, received((3, [V]), (4, []))),
        (watching.reliable, received((3, [V]), (4, [V, S, "namespaces/none"]))),
        (watching.reliable, received((3, [V]), (4, [V, S]), name_prefix=V)),
        (watching.reliable, going_on(received((3, [])), received((4, [V, S]), start_revision=4))),
        (watching.resumable, going_on(WHOLE, received((3, [V])))),
        (watching.bookmarkable, received((3, []), (3, [V]))),
        (watching.bookmarkable, received((2, [V]))),
        (watching.authorized, received((6, [V]), principal=OPS)),
        (watching.authorized, stated([S, V], 4, principal=OPS)),
        (watching.ordered, stated([V, S], 4)),
        (watching.ordered, stated([V], 0, (6, [V]))),
        (watching.unique, stated([S, S], 4)),
        (watching.unique, going_on(stated([S, V], 0), stated([V, B1], 4))),
        (watching.reliable, stated([V, B2, B1], 4)),
        (watching.reliable, stated([S, V, B2, B1], 2)),
        (watching.reliable, stated([S, V, B2, B1], 4, (6, [V]))),
        (watching.reliable, stated([S, V, B2], 4, name_prefix=V)),
        (watching.resumable, going_on(stated([V], 0), stated([S], 4))),
        (watching.bookmarkable, stated([S], 4, (4, [V, S]))),
        (watching.authorized, received((4, [V, S]), principal=OPS)),
    ],
)
def test_what_breaks_a_promise_is_found(
    promise: Callable[[Recording, Sequence[Event]], None], broken: Recording
) -> None:
    with pytest.raises(Broken, match=f"not {promise.__name__}"):
        promise(broken, TRUTH)


def test_every_promise_is_tried() -> None:
    assert [promise.__name__ for promise in PROMISES] == [
        "ordered", "unique", "atomic", "reliable", "resumable", "bookmarkable", "authorized",
    ]  # fmt: skip
