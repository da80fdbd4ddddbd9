"""Who one is, who may do what, and who did."""

from collections.abc import Iterable

from rich.console import RenderableType
from rich.text import Text

from assay import names
from assay.cli import wording
from assay.cli.screens import tables
from assay.v1 import access_service_pb2, audit_entry_pb2, role_binding_pb2


def role(value: "role_binding_pb2.Role.ValueType") -> str:
    """``data-scientist``; the number of a role that this client does not know."""
    try:
        word = role_binding_pb2.Role.Name(value)
    except ValueError:
        return str(value)
    return word.removeprefix("ROLE_").lower().replace("_", "-")


def scope(binding_name: str) -> str:
    """Where a binding holds, as people type it."""
    where, found, _ = binding_name.rpartition("/roleBindings/")
    return names.short(where) if found else "everywhere"


def bindings(listed: Iterable[role_binding_pb2.RoleBinding]) -> RenderableType:
    """One line per binding, with the words that `role revoke` takes, whole."""
    made = tables.table(ROLE="fixed", MEMBER="name", WHERE="text", GIVEN_BY="text")
    shown = list(listed)
    people = wording.people(binding.created_by for binding in shown)
    for binding in shown:
        made.add_row(
            role(binding.role), binding.member, scope(binding.name), people[binding.created_by]
        )
    return made


def who(answer: access_service_pb2.WhoAmIResponse, *, target: str) -> list[RenderableType]:
    """The caller as the server sees it."""
    about = tables.facts(
        [
            ("server", f"{target}  assay {answer.server_version}"),
            ("certificate", answer.certificate_sha256 or "none: a plaintext connection"),
            ("expires", wording.moment(answer.certificate_expire_time)),
        ]
    )
    parts: list[RenderableType] = [Text(answer.principal, style="name"), Text(), about]
    if not answer.role_bindings:
        sentence = "No role is given to you; an admin can: assay role grant ROLE YOU [WHERE]"
        return [*parts, Text(), Text(sentence, style="warn")]
    made = tables.table(ROLE="name", WHERE="text", THROUGH="text")
    for binding in answer.role_bindings:
        through = "" if binding.member == answer.principal else binding.member
        made.add_row(role(binding.role), scope(binding.name), through)
    return [*parts, Text(), made]


def outcome(entry: audit_entry_pb2.AuditEntry) -> Text:
    """How a call ended, in the colour of it; how many did, where the entry stands for several."""
    if entry.entry_count > 1:
        return Text(f"{entry.reason} × {entry.entry_count}", style="bad")
    if entry.decision == audit_entry_pb2.AUDIT_DECISION_DENIED:
        return Text(entry.reason or "denied", style="bad")
    if entry.status not in {"", "OK"}:
        return Text(entry.reason or entry.status, style="warn")
    if entry.phase == audit_entry_pb2.AUDIT_PHASE_OPENED:
        return Text("opened", style="soft")
    return Text("ok", style="good")


def audit(entries: Iterable[audit_entry_pb2.AuditEntry]) -> RenderableType:
    """One line per entry."""
    made = tables.table(WHEN="fixed", WHO="text", CALL="fixed", ON="text", OUTCOME="fixed")
    shown = list(entries)
    people = wording.people(entry.principal for entry in shown)
    for entry in shown:
        made.add_row(
            wording.moment_in_list(entry.time),
            people[entry.principal],
            entry.method.rpartition("/")[2],
            wording.resource(entry.resource),
            outcome(entry),
        )
    return made
