"""After a refusal: the commands worth trying next, by reason."""

from collections.abc import Callable

from assay import names
from assay.cli.memory import Refusal

Steps = Callable[[Refusal], list[str]]

STEPS_MAX = 3
DRAFT_IS_OF_NO_USE = frozenset({"PERMISSION_MISSING", "DRAFT_NOT_OPEN"})


def next_steps(refusal: Refusal) -> list[str]:
    """At most three commands, the most likely first; none where nobody can know."""
    found = (
        _BY_REASON.get(refusal.reason) or _BY_KIND.get(refusal.kind) or _BY_CODE.get(refusal.code)
    )
    steps = [*_push_again(refusal), *(found(refusal) if found else [])]
    return [step for step in steps if step][:STEPS_MAX]


def _push_again(refusal: Refusal) -> list[str]:
    """What was sent is kept in a draft; what has no model can have one made."""
    if not refusal.command.startswith("assay push "):
        return []
    if refusal.reason == "RESOURCE_NOT_FOUND" and "--create" not in refusal.command:
        return [f"{refusal.command} --create"]
    draft = refusal.metadata.get("draft", "")
    if refusal.reason in DRAFT_IS_OF_NO_USE or not draft or "--draft" in refusal.command:
        return []
    # With a closed gate nothing is sealed; without --publish it can be sealed and measured.
    return [f"{refusal.command.replace(' --publish', '')} --draft {draft}"]


def _gate(_: Refusal) -> list[str]:
    return ["assay why"]


def _alias_moved(refusal: Refusal) -> list[str]:
    alias = names.short(refusal.metadata.get("resource", ""))
    now = refusal.metadata.get("current_version_number", "")
    again = f"assay alias set {alias} VERSION --expect {now}" if now else ""
    return [f"assay alias log {alias}", again] if alias else []


def _not_found(refusal: Refusal) -> list[str]:
    """The nearest thing that may be there: the model's siblings, or its versions."""
    typed = names.short(refusal.metadata.get("resource", ""))
    parts = typed.replace("@", "/").split("/")
    parent = "/".join(parts[:2] if len(parts) > 2 else parts[:-1])
    return [f"assay ls {parent}".rstrip(), "assay whoami"]


def _nothing_resolves(refusal: Refusal) -> list[str]:
    model = refusal.metadata.get("reference", "").partition("@")[0]
    parts = model.split("/")[:2]
    typed = "/".join(parts)
    return [f"assay ls {typed}", f"assay alias ls {typed}"] if len(parts) == 2 else ["assay ls"]


def _bump(refusal: Refusal) -> list[str]:
    if refusal.command.startswith("assay push "):
        return [f"{refusal.command} --bump patch"]
    version = names.short(refusal.metadata.get("version", "")) or "VERSION"
    return [f"assay publish {version} --bump patch"]


def _too_low(refusal: Refusal) -> list[str]:
    least = refusal.metadata.get("least", "")
    return (
        [f"assay publish VERSION --bump {least}"] if least.isalpha() else ["assay publish VERSION"]
    )


def _permission(refusal: Refusal) -> list[str]:
    role = refusal.metadata.get("roles", "").partition(",")[0].strip()
    resource = names.short(refusal.metadata.get("resource", ""))
    principal = refusal.metadata.get("principal", "")
    grant = f"assay role grant {role} {principal} {resource}".rstrip()
    return ["assay whoami", "assay context ls", grant if role and principal else ""]


def _in_use(refusal: Refusal) -> list[str]:
    model = names.short(refusal.metadata.get("version", "")).rpartition("/")[0]
    alias = refusal.metadata.get("aliases", "").partition(",")[0].strip()
    return [f"assay alias rm {model}@{alias}"] if model and alias else []


def _not_ready(refusal: Refusal) -> list[str]:
    version = names.short(refusal.metadata.get("version", "")) or "VERSION"
    return [f"assay publish {version}", f"assay why {version}"]


def _model_deleted(refusal: Refusal) -> list[str]:
    return [f"assay undelete {names.short(refusal.metadata.get('model', '')) or 'MODEL'}"]


def _exists(refusal: Refusal) -> list[str]:
    return [f"assay show {names.short(refusal.metadata.get('resource', ''))}".rstrip()]


def _doctor(_: Refusal) -> list[str]:
    return ["assay doctor"]


def _identity(_: Refusal) -> list[str]:
    return ["assay doctor", "assay context ls"]


_BY_REASON: dict[str, Steps] = {
    "GATE_CLOSED": _gate,
    "ALIAS_MOVED": _alias_moved,
    "RESOURCE_NOT_FOUND": _not_found,
    "NOTHING_RESOLVES": _nothing_resolves,
    "REFERENCE_INVALID": lambda _: ["assay help references"],
    "METRIC_INVALID": lambda _: ["assay help evaluations"],
    "RESOURCE_EXISTS": _exists,
    "BUMP_REQUIRED": _bump,
    "SEMVER_TOO_LOW": _too_low,
    "PERMISSION_MISSING": _permission,
    "VERSION_IN_USE": _in_use,
    "VERSION_NOT_READY": _not_ready,
    "MODEL_DELETED": _model_deleted,
    "IDENTITY_INVALID": _identity,
    "CERTIFICATE_DENIED": _identity,
    "CERTIFICATE_EXPIRED": _identity,
    "METHOD_UNKNOWN": _doctor,
}

_BY_KIND: dict[str, Steps] = {
    "ContextInvalid": lambda _: ["assay context ls", "assay context add --help"],
    "InvalidReference": lambda _: ["assay help references"],
    "TransferInterrupted": _doctor,
    "ContentMismatch": _doctor,
}
"""What the client itself refuses."""

_BY_CODE: dict[str, Steps] = {
    "UNAVAILABLE": _doctor,
    "DEADLINE_EXCEEDED": _doctor,
    "UNAUTHENTICATED": _identity,
    "UNIMPLEMENTED": _doctor,
}
