"""What must hold of a history and of the registry that it left behind.

The revision is the witness of the order: a change has exactly one, a read says at which it was
taken. A history is linearizable when that order gives every answer that was given, and agrees
with real time. So each check is one pass over sorted operations instead of a search.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from assay.v1 import version_pb2
from tests.faults.evidence import Evidence
from tests.faults.histories import History, Operation, Outcome
from tests.faults.workload import MODELS, Known

UNKNOWN = Outcome.UNKNOWN
MAKERS = ("RegistryService/SealDraft", "RegistryService/CreateVersion")
"""What gives a version its number."""

PUBLISHED = (version_pb2.VERSION_STATE_READY, version_pb2.VERSION_STATE_DEPRECATED)


def problems(history: History, known: Known, found: Evidence) -> list[str]:
    """Everything that is wrong, as sentences."""
    return [
        *lies(known),
        *(f"the bytes are not those of the digest: {one}" for one in found.damaged),
        *revisions(found),
        *order(history.acknowledged()),
        *numbers(found),
        *seals(history.acknowledged(*MAKERS), found),
        *publications(history, found),
        *moves(found),
        *alias_changes(history.acknowledged("RegistryService/SetAlias"), found),
        *alias_reads(history.acknowledged("RegistryService/GetAlias"), found),
        *phantoms(history, found),
        *entries(history, found),
        *on_record(found),
    ]


def lies(known: Known) -> Iterator[str]:
    """Bytes are what was announced, or they are refused."""
    if known.lies_taken:
        yield f"{known.lies_taken} uploads were taken that were not what they said"


def revisions(found: Evidence) -> Iterator[str]:
    """They count from 1 without a gap, and every watch tells each, once and in order."""
    yield from told_all(found.events, found.revision)
    for watch in found.watches:
        yield from told_all(watch, found.revision)


def told_all(told: Iterable[int], newest: int) -> Iterator[str]:
    """A watch from the beginning tells each revision, counting from 1."""
    told = list(told)
    if told != sorted(set(told)):
        yield "a watch told revisions out of order, or twice"
    if missing := set(range(1, newest + 1)) - set(told):
        yield f"a watch did not tell the revisions {sorted(missing)[:10]}"


def order(operations: Iterable[Operation]) -> Iterator[str]:
    """Who began after another was answered sees its revision, or made a later one."""
    stamped = sorted(
        (one for one in operations if one.revision),
        key=lambda one: (one.revision, not made_revision(one), one.called),
    )
    later: Operation | None = None
    for one in reversed(stamped):
        if later is not None and later.returned < one.called:
            yield (
                f"{one.method} has revision {one.revision}, but began after {later.method} "
                f"was answered with {later.revision}"
            )
        if later is None or one.returned < later.returned:
            later = one
    made = Counter(one.revision for one in stamped if made_revision(one))
    for revision, count in made.items():
        if count > 1:
            yield f"{count} changes have the revision {revision}"


def numbers(found: Evidence) -> Iterator[str]:
    """Versions count from 1 without a gap, in the order of their revisions."""
    for model, versions in found.versions.items():
        if [version.number for version in versions] != list(range(1, len(versions) + 1)):
            yield f"the versions of {model} are {[version.number for version in versions]}"
    for model in MODELS:
        given = [
            event.version.number
            for _, events in sorted(found.events.items())
            for event in events
            if event.HasField("version")
            and event.version.name.startswith(f"{model}/")
            and event.action in ("SealDraft", "CreateVersion")
            and event.type == 1
        ]
        if given != sorted(set(given)):
            yield f"the versions of {model} were made in the order {given}"


def seals(operations: Sequence[Operation], found: Evidence) -> Iterator[str]:
    """What was acknowledged is there as it was said; no number was given twice."""
    there = {version.name: version for some in found.versions.values() for version in some}
    given = Counter(one.answer.version.name for one in operations if not one.answer.existed)
    yield from (f"{name} was given {count} times" for name, count in given.items() if count > 1)
    for one in operations:
        said = one.answer.version
        version = there.get(said.name)
        if version is None:
            yield f"{said.name} was acknowledged and is not there"
        elif (version.uid, version.manifest_digest, version.record_digest) != (
            said.uid,
            said.manifest_digest,
            said.record_digest,
        ):
            yield f"{said.name} is not what was acknowledged"


def publications(history: History, found: Evidence) -> Iterator[str]:
    """A version that was published is, under the same semantic version; none has one twice."""
    there = {version.name: version for some in found.versions.values() for version in some}
    for one in history.acknowledged("RegistryService/PublishVersion", *MAKERS):
        said = one.answer.version
        if said.state not in PUBLISHED:
            continue
        version = there.get(said.name)
        if version is None or version.state not in PUBLISHED or version.semver != said.semver:
            yield f"{said.name} was published as {said.semver}, and is not"
    for model, versions in found.versions.items():
        given = Counter(version.semver for version in versions if version.semver)
        yield from (f"{model} has {n} versions {semver}" for semver, n in given.items() if n > 1)


def moves(found: Evidence) -> Iterator[str]:
    """Each move begins where the one before it ended, and the last is where the alias points."""
    for name, steps in found.moves.items():
        at, revision = 0, 0
        for step in steps:
            if step.previous_version_number != at or step.revision <= revision:
                yield f"{name} moved from {step.previous_version_number} when it was at {at}"
            at, revision = step.version_number, step.revision
        if found.aliases.get(name, 0) != at:
            yield f"{name} points to {found.aliases.get(name, 0)}, its history ends at {at}"


def alias_changes(operations: Sequence[Operation], found: Evidence) -> Iterator[str]:
    """An acknowledged move is in the history once, where its compare-and-set held."""
    for one in operations:
        if not made_revision(one):
            continue
        request = one.request
        steps = [s for s in found.moves[request.name] if s.revision == one.revision]
        expected = request.expected_version_number
        if [(s.previous_version_number, s.version_number) for s in steps] != [
            (expected, request.version_number)
        ]:
            yield f"{request.name}: revision {one.revision} was acknowledged, and is not its move"


def alias_reads(operations: Sequence[Operation], found: Evidence) -> Iterator[str]:
    """A read gives what the last move up to its revision left."""
    for one in operations:
        steps = [s for s in found.moves[one.request.name] if s.revision <= one.revision]
        left = steps[-1].version_number if steps else 0
        if one.answer.alias.version_number != left:
            yield (
                f"{one.request.name} read as {one.answer.alias.version_number} at revision "
                f"{one.revision}, where it was {left}"
            )


def phantoms(history: History, found: Evidence) -> Iterator[str]:
    """Nothing is there that nobody was told of: each lost answer was given when asked again."""
    told = {one.answer.version.name for one in history.acknowledged(*MAKERS)}
    for versions in found.versions.values():
        yield from (f"nobody made {one.name}" for one in versions if one.name not in told)
    made = {one.revision for one in history.acknowledged("RegistryService/SetAlias")}
    for name, steps in found.moves.items():
        lost = [step.revision for step in steps if step.revision not in made]
        if lost:
            yield f"nobody moved {name} at {lost[:10]}"


def entries(history: History, found: Evidence) -> Iterator[str]:
    """Each acknowledged call has its entry, a change under its revision; no change has two."""
    audited = Counter(
        (entry.method.rpartition(".")[2], entry.request_id, entry.revision)
        for entry in found.entries
        if entry.status == "OK" and entry.request_id and entry.revision
    )
    for one in history.mutations():
        count = audited[one.method, one.request.request_id, one.revision]
        if made_revision(one) and count != 1:
            yield f"{one.method} of revision {one.revision} has {count} entries"
    calls = Counter(entry.method.rpartition(".")[2] for entry in found.entries)
    answered = Counter(one.method for one in history.operations if one.outcome is not UNKNOWN)
    for method, count in answered.items():
        if calls[method] < count:
            yield f"{count} calls of {method} were answered, {calls[method]} are audited"


def on_record(found: Evidence) -> Iterator[str]:
    """Each revision has one entry, of the call that its events name, whoever was told of it."""
    audited: dict[int, list[str]] = {}
    for entry in found.entries:
        if entry.revision:
            audited.setdefault(entry.revision, []).append(entry.method.rpartition("/")[2])
    for revision, events in found.events.items():
        made, entered = events[0].action, audited.get(revision, [])
        if entered != [made]:
            yield f"{made} made revision {revision}, and on record is {entered}"


def made_revision(one: Operation) -> bool:
    """Whether it changed something: an alias set to where it points changes nothing.

    Nor does a version that was there already: if it was published so, it is held for a read here,
    and ``on_record`` asks for its entry.
    """
    if not one.is_mutation or (one.method == MAKERS[1] and one.answer.existed):
        return False
    request = one.request
    is_same = getattr(request, "version_number", 0) == getattr(
        request, "expected_version_number", -1
    )
    return not is_same
