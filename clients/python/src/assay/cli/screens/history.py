"""What happened to a model: its versions and the moves of its aliases, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.v1 import alias_pb2, version_pb2


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a model."""

    time: Timestamp
    subject: str
    action: str
    actor: str
    reason: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """Sorts by time."""
        return (self.time.seconds, self.time.nanos)


def steps_of_version(version: version_pb2.ModelVersion) -> Iterable[Step]:
    """What is known to have happened to a version."""
    subject = str(version.number)
    yield Step(version.create_time, subject, "sealed", version.created_by, version.description)
    if version.HasField("publish_time"):
        published = f"published {version.semver}"
        yield Step(version.publish_time, subject, published, version.published_by)
    word = wording.state(version.state)
    if word in {"DEPRECATED", "YANKED", "DELETED"}:
        yield Step(version.update_time, subject, word.lower(), "", version.state_reason)


def step_of_move(alias: alias_pb2.Alias, move: alias_pb2.AliasMove) -> Step:
    """One move of an alias."""
    label = f"@{alias.name.rpartition('/')[2]}"
    return Step(move.move_time, label, moved(move), move.moved_by, move.reason)


def moved(move: alias_pb2.AliasMove) -> str:
    """``1 → 3``; ``→ 1`` when it was new, ``3 →`` when it was removed."""
    before = str(move.previous_version_number or "")
    after = str(move.version_number or "gone")
    return f"{before} → {after}".strip()


def listed(steps: Iterable[Step]) -> RenderableType:
    """One line per step, newest first."""
    made = tables.table(WHEN="fixed", WHAT="name", HAPPENED="text", BY="text", WHY="text")
    shown = sorted(steps, key=lambda each: each.order, reverse=True)
    people = wording.people(step.actor for step in shown)
    for step in shown:
        made.add_row(
            wording.moment_in_list(step.time),
            step.subject,
            step.action,
            people[step.actor],
            step.reason,
        )
    return made


def aliases(listed_aliases: Iterable[alias_pb2.Alias]) -> RenderableType:
    """One line per alias."""
    made = tables.table(
        ALIAS="name", VERSION="number", GUARDED="fixed", MOVED_BY="text", MOVED="fixed"
    )
    for alias in listed_aliases:
        made.add_row(
            names.short(alias.name),
            str(alias.version_number),
            Text("by a gate", style="good") if alias.protected else Text("no", style="soft"),
            wording.person(alias.moved_by),
            wording.moment_in_list(alias.move_time),
        )
    return made


def moves(listed_moves: Iterable[alias_pb2.AliasMove]) -> RenderableType:
    """One line per move of one alias, newest first."""
    made = tables.table(
        WHEN="fixed", REVISION="number", MOVED="fixed", GATE="fixed", BY="text", WHY="text"
    )
    shown = list(listed_moves)
    people = wording.people(move.moved_by for move in shown)
    for move in shown:
        has_gate = move.HasField("verdict")
        made.add_row(
            wording.moment_in_list(move.move_time),
            str(move.revision),
            moved(move),
            Text("open", style="good") if has_gate else Text("none", style="soft"),
            people[move.moved_by],
            move.reason,
        )
    return made
