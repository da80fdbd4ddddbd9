"""What a watch promises, a function for each promise, run over every watch that a test recorded.

A recording is what one client received, message by message. The truth is the events that the
store holds when the test is over. Each function raises ``Broken`` and says what was wrong.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc

from assay.v1 import event_pb2
from assay.v1 import watch_service_pb2 as api
from assay_server.access.deciding import granted_at
from assay_server.access.watching import may_see
from assay_server.domain.access import RoleBinding
from assay_server.domain.events import Event, EventType
from assay_server.domain.names import enclosing_scope
from assay_server.ports.metadata import MetadataStore

Fact = tuple[int, str, str, str]
"""Revision, name, type and action: enough to tell one event from every other."""


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
        """What was received, one by one."""
        return [
            (message.revision, event.name, event_pb2.EventType.Name(event.type)[11:], event.action)
            for message in self.messages
            for event in message.events
        ]


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
        if earlier.recording.messages:
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
    """Messages come in revision order."""
    revisions = [message.revision for message in recording.messages]
    if revisions != sorted(revisions):
        raise Broken(f"not ordered: {revisions}")


def unique(recording: Recording, _truth: Sequence[Event]) -> None:
    """No event comes twice on one watch, resumed or not."""
    facts = whole(recording)
    if len(facts) != len(set(facts)):
        twice = sorted({fact for fact in facts if facts.count(fact) > 1})
        raise Broken(f"not unique: {twice[:5]}")


def atomic(recording: Recording, _truth: Sequence[Event]) -> None:
    """All events of a revision come in one message."""
    revisions = [message.revision for message in recording.messages if message.events]
    if len(revisions) != len(set(revisions)):
        raise Broken(f"not atomic: a revision came in parts, of {revisions}")


def reliable(recording: Recording, truth: Sequence[Event]) -> None:
    """Between two events that came, every matching one came; and none that never was."""
    if not recording.messages or not _is_whole(truth, recording):
        return
    start = _start(recording)
    seen = may_be_seen(truth, recording.principal)
    expected = [
        _fact(event)
        for event in truth
        if start <= event.revision <= recording.last
        and _is_below(event.name, recording.request.name_prefix)
    ]
    received = whole(recording)
    if invented := sorted(set(received) - set(expected)):
        raise Broken(f"not reliable: {invented[:5]} never happened, or not under the prefix")
    visible = {_fact(event) for event in truth if seen(event, always=True)}
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


def bookmarkable(recording: Recording, _truth: Sequence[Event]) -> None:
    """After a message at a revision nothing of that one or an earlier one comes."""
    told = recording.request.start_revision - 1
    for message in recording.messages:
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
        count += len(recording.facts)
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
    """What was received by a watch and by those that it resumes."""
    return [*(whole(recording.resumes) if recording.resumes else ()), *recording.facts]


async def until(call: RecordedCall, revision: int, *, timeout_s: float = 60) -> None:
    """Read until everything up to ``revision`` was received."""
    async with asyncio.timeout(timeout_s):
        while call.recording.last < revision:
            assert await call.read() is not grpc.aio.EOF


def _start(recording: Recording) -> int:
    """The first revision that the client wanted, of the first watch where this one resumes."""
    if recording.resumes is not None:
        return _start(recording.resumes)
    first = recording.messages[0]
    now = first.revision if first.events else first.revision + 1
    return recording.request.start_revision or now


def _is_whole(truth: Sequence[Event], recording: Recording) -> bool:
    """Whether it is known who watches and, from the first event on, who had which rights."""
    return bool(recording.principal and truth and truth[0].revision == 1)


def _is_below(name: str, prefix: str) -> bool:
    return not prefix or name == prefix or name.startswith(f"{prefix}/")


def _fact(event: Event) -> Fact:
    return (event.revision, event.name, event.event_type.value, event.action)
