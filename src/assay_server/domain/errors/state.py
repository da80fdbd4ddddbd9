"""Refusals that depend on what the registry holds: absence, races, states, gates."""

from assay_server.domain.errors.families import (
    Exists,
    Missing,
    NotPossibleNow,
    Raced,
    listed,
)
from assay_server.domain.gates import Verdict


class NotFound(Missing):
    """Absent or hidden: name and text are the same for both, so that they tell nothing."""

    def __init__(self, name: str) -> None:
        step = _first_step(name)
        remedy = f": check the name, {step}, or ask for a role" if step else ""
        super().__init__(f"{name} does not exist, or you may not read it{remedy}", resource=name)


class AlreadyExists(Exists):
    """The name is taken, by a live or a deleted thing."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} exists already; a name is never given twice, even after deletion. "
            "Choose another one",
            resource=name,
        )


class EtagMismatch(Raced):
    """The resource changed since the caller read it."""

    def __init__(self, name: str, current_etag: str) -> None:
        super().__init__(
            f"{name} has changed since you read it; read it again, then repeat the change",
            resource=name,
            current_etag=current_etag,
        )


class AliasMoved(Raced):
    """The alias does not point to where the caller expected; 0 stands for nowhere."""

    def __init__(self, name: str, *, expected_number: int, current_number: int) -> None:
        super().__init__(
            f"{name} points to {_version(current_number)}, not to {_version(expected_number)} as "
            "you expected: someone moved it first. Look at its history, then decide again",
            resource=name,
            current_version_number=str(current_number),
        )


class Conflict(Raced):
    """A concurrent change won; nothing was written."""

    def __init__(self) -> None:
        super().__init__("a concurrent change won and yours was not written; send it again")


class GateClosed(NotPossibleNow):
    """At least one rule of the gate is unmet; the message names every one."""

    def __init__(self, name: str, verdict: Verdict) -> None:
        unmet = verdict.unmet
        super().__init__(
            f"the gate {verdict.gate_id} is closed for {name}: "
            + listed((finding.why for finding in unmet), "; "),
            version=name,
            gate_id=verdict.gate_id,
        )
        self.verdict = verdict


class ModelIsDeleted(NotPossibleNow):
    """The model was deleted; it can be restored."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is deleted; undelete it first", model=name)


class NotDeleted(NotPossibleNow):
    """There is nothing to restore."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not deleted, so there is nothing to undelete", resource=name)


class LastAdmin(NotPossibleNow):
    """Removing the binding would leave nobody who could repair anything."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the last binding of admin everywhere; bind another admin first"
        )


class RevisionInFuture(NotPossibleNow):
    """The registry has not reached the revision: it is of another registry, or was restored."""

    def __init__(self, asked: int, current: int) -> None:
        super().__init__(
            f"revision {asked} is in the future: this registry is at {current}. Was it restored "
            "from a backup, or is the revision of another registry? List again, or watch with "
            "send_initial_state",
            current_revision=str(current),
        )


def _first_step(name: str) -> str:
    """How there comes to be what is named so; empty where that is more than one call."""
    match name.split("/"):
        case ["namespaces", _]:
            return "create it first (CreateNamespace)"
        case ["namespaces", _, "models", _]:
            return "create it first (CreateModel)"
        case ["namespaces", _, "models", _, "aliases", _]:
            return "set it first (SetAlias)"
    return ""


def _version(number: int) -> str:
    return f"version {number}" if number else "no version"
