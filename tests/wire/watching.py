"""What a watch promises, a function for each promise, run over every watch that a test recorded.

A recording is what one client received, message by message. The truth is the events that the
store holds when the test is over. Each function raises ``Broken`` and says what was wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import grpc

from assay.v1 import event_pb2
from assay.v1 import watch_service_pb2 as api
from assay_server.access.deciding import granted_at
from assay_server.access.watching import may_see
from assay_server.domain.access import RoleBinding
from assay_server.domain.events import Event, EventType, is_over
from assay_server.domain.names import enclosing_scope
from assay_server.ports.metadata import MetadataStore
from assay_server.sqlstore.times import to_us

Fact = tuple[int, str, str, str]
"""Revision, name, type and action: enough to tell one event from every other."""

State = tuple[str, str, int]
"""Name, action and microseconds of the last change of what was current."""


class Broken(AssertionError):
    """A watch broke a promise."""


@dataclass
class Recording:
    """One watch of one client, from its request to where it ended.

    ``principal`` is empty where a test did not say who watches; then ``authorized`` and
    ``reliable``, which depend on it, are not asked.
    """

    request: api.WatchRequest
    principal: str = ""
    messages: list[api.WatchResponse] = field(default_factory=list)
    resumes: "Recording | None" = None
    """The watch that this one goes on with, where a test resumed one that had received anything."""

    @property
    def last(self) -> int:
        """The revision up to which everything was received; -1 before the first message."""
        return self.messages[-1].revision if self.messages else -1

    @property
    def facts(self) -> list[Fact]:
        """What happened and was received, one by one."""
        return [
            (message.revision, event.name, event_pb2.EventType.Name(event.type)[11:], event.action)
            for message in self.messages
            for event in message.events
            if not message.initial_state_token
        ]

    @property
    def state(self) -> list[State]:
        """What was received of an initial state."""
        return [
            (event.name, event.action, event.time.ToMicroseconds())
            for message in self.messages
            for event in message.events
            if message.initial_state_token
        ]

    @property
    def chain(self) -> "list[Recording]":
        """The watches that this one resumes, and itself."""
        return [*(self.resumes.chain if self.resumes else ()), self]

    @property
    def complete_at(self) -> int | None:
        """The revision of the initial state, once all of it was received."""
        told = (m for watch in self.chain for m in watch.messages if m.initial_state_complete)
        return next((message.revision for message in told), None)


class RecordedCall:
    """A call of Watch that writes down what is read from it."""

    def __init__(self, call: Any, recording: Recording) -> None:
        self._call = call
        self.recording = recording

    async def read(self) -> Any:
        message = await self._call.read()
        if message is not grpc.aio.EOF:
            self.recording.messages.append(message)
        return message

    async def __aiter__(self) -> AsyncIterator[api.WatchResponse]:
        while (message := await self.read()) is not grpc.aio.EOF:
            yield message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class RecordingStub:
    """The stub of WatchService whose every watch is recorded in ``recordings``."""

    def __init__(self, stub: Any, recordings: list[Recording], principal: str) -> None:
        self._stub = stub
        self._recordings = recordings
        self._principal = principal

    def Watch(self, request: api.WatchRequest, **options: Any) -> RecordedCall:
        recording = Recording(request, self._principal)
        self._recordings.append(recording)
        return RecordedCall(self._stub.Watch(request, **options), recording)

    def resume(self, earlier: RecordedCall) -> RecordedCall:
        """Go on where ``earlier`` ended."""
        request = api.WatchRequest()
        request.CopyFrom(earlier.recording.request)
        if messages := earlier.recording.messages:
            request.initial_state_token = messages[-1].initial_state_token
            if not request.initial_state_token:
                request.send_initial_state = False
                request.start_revision = earlier.recording.last + 1
        call = self.Watch(request)
        came = earlier.recording.messages
        call.recording.resumes = earlier.recording if came else earlier.recording.resumes
        return call


async def history(store: MetadataStore) -> tuple[Event, ...]:
    """Every event that the store still holds."""
    async with store.read() as reader:
        oldest = await reader.events.oldest()
        found, _ = await reader.events.since(oldest, name_prefix="", among=None, limit=2**31)
    return found


def ordered(recording: Recording, _truth: Sequence[Event]) -> None:
    """Messages come in revision order; before them an initial state, by name, and its end."""
    revisions = [message.revision for message in recording.messages]
    if revisions != sorted(revisions):
        raise Broken(f"not ordered: {revisions}")
    names = [name for name, *_ in recording.state]
    if names != sorted(names):
        raise Broken(f"not ordered: {names}")
    if any(message.revision and message.initial_state_token for message in recording.messages):
        raise Broken("not ordered: a part of the initial state has a revision")
    begun = [place for place, revision in enumerate(revisions) if revision]
    ends = [n for n, message in enumerate(recording.messages) if message.initial_state_complete]
    if begun and ends != begun[: recording.request.send_initial_state]:
        raise Broken("not ordered: the first revision is not the end of the initial state")


def unique(recording: Recording, _truth: Sequence[Event]) -> None:
    """No event comes twice on one watch, resumed or not; nor does what is current."""
    for facts in (whole(recording), [name for name, *_ in state_of(recording)]):
        if len(facts) != len(set(facts)):
            twice = sorted({fact for fact in facts if facts.count(fact) > 1})
            raise Broken(f"not unique: {twice[:5]}")


def atomic(recording: Recording, _truth: Sequence[Event]) -> None:
    """All events of a revision come in one message."""
    revisions = [
        message.revision
        for message in recording.messages
        if message.events and not message.initial_state_token
    ]
    if len(revisions) != len(set(revisions)):
        raise Broken(f"not atomic: a revision came in parts, of {revisions}")


def reliable(recording: Recording, truth: Sequence[Event]) -> None:
    """Between two events that came, every matching one came; and none that never was.

    An initial state is all that was current at its revision, and no more.
    """
    start = _start(recording)
    if start is None or not _is_whole(truth, recording):
        return
    below = [e for e in truth if _is_below(e.name, recording.request.name_prefix)]
    seen = may_be_seen(truth, recording.principal)
    happened = [event for event in below if start <= event.revision <= recording.last]
    _require_all(
        whole(recording),
        [_fact(event) for event in happened],
        {_fact(event) for event in happened if seen(event, always=True)},
    )
    if (revision := recording.complete_at) is not None:
        current = _current(below, revision)
        _require_all(
            state_of(recording),
            [_state(event) for event in current],
            {_state(e) for e in current if seen(replace(e, revision=revision), always=True)},
        )


def _require_all(
    received: Sequence[Any], expected: Sequence[Any], visible: Collection[Any]
) -> None:
    if invented := sorted(set(received) - set(expected)):
        raise Broken(f"not reliable: {invented[:5]} never happened, or not under the prefix")
    if lost := [fact for fact in expected if fact in visible and fact not in set(received)]:
        raise Broken(f"not reliable: {lost[:5]} were lost ({len(lost)} of {len(expected)})")


def resumable(recording: Recording, _truth: Sequence[Event]) -> None:
    """A resumed watch begins after what was received, however that ended."""
    earlier = recording.resumes
    if earlier is None or not recording.messages:
        return
    if recording.messages[0].revision < earlier.last:
        raise Broken(
            f"not resumable: at {earlier.last}, and it goes on at {recording.messages[0].revision}"
        )
    if earlier.state and recording.state and recording.state[0] <= earlier.state[-1]:
        raise Broken(f"not resumable: after {earlier.state[-1]} comes {recording.state[0]}")


def bookmarkable(recording: Recording, _truth: Sequence[Event]) -> None:
    """After a message at a revision nothing of that one or an earlier one comes."""
    told = recording.request.start_revision - 1
    for message in recording.messages:
        if message.initial_state_token:
            continue
        if message.events and message.revision <= told:
            raise Broken(f"not bookmarkable: {message.revision} came after {told} was told")
        told = max(told, message.revision)


def authorized(recording: Recording, truth: Sequence[Event]) -> None:
    """What came was for the caller to read at its revision, or at a later one."""
    if not _is_whole(truth, recording):
        return
    seen = may_be_seen(truth, recording.principal)
    of = {_fact(event): event for event in truth}
    for fact in recording.facts:
        if fact in of and not seen(of[fact], always=False):
            raise Broken(f"not authorized: {recording.principal} was told of {fact}")
    revision = recording.complete_at or 0
    states = {
        _state(event): replace(event, revision=revision) for event in _current(truth, revision)
    }
    for state in recording.state:
        if state in states and not seen(states[state], always=False):
            raise Broken(f"not authorized: {recording.principal} was told of {state}")


PROMISES: tuple[Callable[[Recording, Sequence[Event]], None], ...] = (
    ordered,
    unique,
    atomic,
    reliable,
    resumable,
    bookmarkable,
    authorized,
)


def require_promises(recordings: Iterable[Recording], truth: Sequence[Event]) -> int:
    """Ask every promise of every recording; returns how many events they hold together."""
    count = 0
    for recording in recordings:
        for promise in PROMISES:
            promise(recording, truth)
        count += len(recording.facts) + len(recording.state)
    return count


class Sees(Protocol):
    """Whether a principal may see an event."""

    def __call__(self, event: Event, *, always: bool) -> bool: ...


def may_be_seen(truth: Sequence[Event], principal: str) -> Sees:
    """What the bindings of the history allow: from the event's revision on, always or ever."""
    states: list[tuple[int, frozenset[RoleBinding]]] = [(0, frozenset())]
    for event in truth:
        if isinstance(event.subject, RoleBinding):
            bound = states[-1][1]
            is_gone = event.event_type is EventType.DELETED
            bound = bound - {event.subject} if is_gone else bound | {event.subject}
            states.append((event.revision, bound))

    def seen(event: Event, *, always: bool) -> bool:
        scope = enclosing_scope(event.name)
        at = max(place for place, state in enumerate(states) if state[0] <= event.revision)
        answers = (
            may_see(event, granted_at(bound, principal, scope), principal)
            for _, bound in states[at:]
        )
        return all(answers) if always else any(answers)

    return seen


def whole(recording: Recording) -> list[Fact]:
    """What happened and was received by a watch and by those that it resumes."""
    return [fact for watch in recording.chain for fact in watch.facts]


def state_of(recording: Recording) -> list[State]:
    """The initial state that was received by a watch and by those that it resumes."""
    return [state for watch in recording.chain for state in watch.state]


async def until(call: RecordedCall, revision: int, *, timeout_s: float = 60) -> None:
    """Read until everything up to ``revision`` was received."""
    async with asyncio.timeout(timeout_s):
        while call.recording.last < revision:
            assert await call.read() is not grpc.aio.EOF


def _start(recording: Recording) -> int | None:
    """The first revision that the client wanted, of the first watch where this one resumes.

    None while it is not known: nothing came, or not yet all of an initial state.
    """
    first = recording.chain[0]
    if first.request.send_initial_state:
        return None if recording.complete_at is None else recording.complete_at + 1
    if not recording.messages or not first.messages:
        return None
    now = first.messages[0].revision + (not first.messages[0].events)
    return first.request.start_revision or now


def _current(truth: Sequence[Event], revision: int) -> list[Event]:
    """The last event, up to the revision, of all that was current then."""
    newest = {event.name: event for event in truth if event.revision <= revision}
    return [event for event in newest.values() if not is_over(event)]


def _state(event: Event) -> State:
    return (event.name, event.action, to_us(event.time))


def _is_whole(truth: Sequence[Event], recording: Recording) -> bool:
    """Whether it is known who watches and, from the first event on, who had which rights."""
    return bool(recording.principal and truth and truth[0].revision == 1)


def _is_below(name: str, prefix: str) -> bool:
    return not prefix or name == prefix or name.startswith(f"{prefix}/")


def _fact(event: Event) -> Fact:
    return (event.revision, event.name, event.event_type.value, event.action)
