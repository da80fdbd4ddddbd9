"""Every RPC, asked by every role held in every place, over mTLS: the answers are a reviewed file.

After a deliberate change, ``ASSAY_REVIEW=1 .venv/bin/python -m pytest`` on this file writes the
answers anew; the diff is what a reviewer reads.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import grpc

from assay.v1 import registry_service_pb2 as api
from assay.v1 import role_binding_pb2
from assay_server.domain.access import Role
from assay_server.domain.audit import AuditEntry, AuditFilter, Decision, Phase
from assay_server.domain.calls import Page
from assay_server.transport.api import METHODS
from tests.wire.calling import Heard, hear
from tests.wire.probes import DIGITS, PROBES, VISION
from tests.wire.registry import Registry, principal

REVIEWED: Final = Path(__file__).with_name("permission_matrix.txt")
PLACES: Final[Mapping[str, str]] = {
    "everywhere": "",
    "vision": VISION,
    "digits": DIGITS,
    "sound": "namespaces/sound",
}
NOBODY: Final = "nobody"
AT_ONCE: Final = 8
LISTS_OF_ALL: Final = {"ListNamespaces": "namespaces", "ListModels everywhere": "models"}
"""Rows that everyone may ask, and the field that shows what there is for them."""

LEGEND: Final = """\
# Who may call what, as a running server answered it. Every request is about the namespace vision,
# or about its model digits. A column has four marks: the role held everywhere, in vision, on
# digits only, and in another namespace only.
#
#   +  let in        o  let in, but the list over all that is readable is empty
#   -  PERMISSION_DENIED with the roles that suffice
#   .  NOT_FOUND, as if there were no such thing
"""


async def test_every_answer_is_the_reviewed_one(registry: Registry) -> None:
    async with registry.stubs() as admin:
        for namespace_id in ("vision", "sound"):
            await admin.create_namespace(namespace_id)
        await admin.registry.CreateModel(api.CreateModelRequest(parent=VISION, model_id="digits"))
        for who, role, place in _holders():
            await admin.bind(role, principal(who), PLACES[place])
    marks = await _all_marks(registry)

    seen = _written(marks)

    if os.environ.get("ASSAY_REVIEW"):
        REVIEWED.write_text(seen)
    assert seen == REVIEWED.read_text()


def test_every_rpc_has_a_row() -> None:
    asked = {row.partition(" ")[0] for row in PROBES}

    assert asked == {method.name for method in METHODS.values()}


def test_who_has_no_role_is_let_in_to_nothing_about_vision() -> None:
    lines = REVIEWED.read_text().removeprefix(LEGEND).splitlines()
    let_in = {row for row in PROBES for line in lines if re.match(rf"{row}  +[+]", line)}

    assert let_in == {"WhoAmI", "TestPermissions", "GetTransferLimits", "Watch everywhere"}


def _holders() -> Iterator[tuple[str, "role_binding_pb2.Role.ValueType", str]]:
    for role in Role:
        for place in PLACES:
            yield f"{role}-{place}", role_binding_pb2.Role.Value(f"ROLE_{role.name}"), place


async def _all_marks(registry: Registry) -> dict[str, dict[str, str]]:
    """By row and holder."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def asked(who: str) -> dict[str, str]:
        async with turns, registry.channel(who) as channel:
            heard = [await hear(channel, row.partition(" ")[0], PROBES[row]) for row in PROBES]
        entries = await _entries(registry, who)
        assert len(entries) == len(heard)
        return {
            row: _mark(row, *answered)
            for row, *answered in zip(PROBES, heard, entries, strict=True)
        }

    holders = [NOBODY, *(who for who, _, _ in _holders())]
    of_holder = dict(zip(holders, await asyncio.gather(*map(asked, holders)), strict=True))
    return {row: {who: of_holder[who][row] for who in holders} for row in PROBES}


async def _entries(registry: Registry, who: str) -> list[AuditEntry]:
    """What the trail says of the calls of ``who``, in their order."""
    found = await registry.stores.trail.list(AuditFilter(principal=principal(who)), Page(1000))
    return [entry for entry in reversed(found.items) if entry.phase is not Phase.CLOSED]


def _mark(row: str, heard: Heard, entry: AuditEntry) -> str:
    """What answer and trail say, which must be the same."""
    assert entry.method.endswith(f"/{row.partition(' ')[0]}")
    assert entry.decision is not Decision.UNDECIDED, f"{row} was refused before it was decided"
    is_denied = entry.decision is Decision.DENIED
    match heard.code:
        case grpc.StatusCode.PERMISSION_DENIED:
            assert (is_denied, heard.reason) == (True, "PERMISSION_MISSING"), row
            return "-"
        case grpc.StatusCode.NOT_FOUND if is_denied:
            assert heard.reason == "RESOURCE_NOT_FOUND", row
            return "."
    assert not is_denied, f"{row}: the trail says denied, the caller heard {heard}"
    is_empty = row in LISTS_OF_ALL and not getattr(heard.answer, LISTS_OF_ALL[row])
    return "o" if is_empty else "+"


def _written(marks: Mapping[str, Mapping[str, str]]) -> str:
    """The file: a line for each row, a column for each role."""
    width = max(map(len, marks))
    head = f"{'':{width}}  none  " + "  ".join(f"{role:{_width(role)}}" for role in Role)
    lines = [LEGEND, head.rstrip()]
    for row, of_holder in marks.items():
        cells = [
            f"{''.join(of_holder[f'{role}-{place}'] for place in PLACES):{_width(role)}}"
            for role in Role
        ]
        lines.append(f"{row:{width}}  {of_holder[NOBODY]:4}  {'  '.join(cells)}".rstrip())
    return "\n".join(lines) + "\n"


def _width(role: Role) -> int:
    return max(len(role), len(PLACES))
