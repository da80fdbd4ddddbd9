"""What each change asks of its database: statements in SQLite, round trips to PostgreSQL.

Counts, not times: they are the same on every machine. After a deliberate change,
``ASSAY_REVIEW=1 .venv/bin/python -m pytest`` on this file writes them anew; the diff is what a
reviewer reads. ``make statements`` shows the statements themselves.
"""

import asyncio
import os
import re
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import grpc
import pytest

from assay.v1 import artifact_service_pb2 as artifact
from assay.v1 import registry_service_pb2 as registry_api
from assay.v1 import upload_pb2, version_pb2
from assay_server.app import housekeeping
from assay_server.config.settings import StoreSection
from tests.pki import Authority
from tests.wire.calling import hear
from tests.wire.mutations import MUTATIONS, Case, Workshop, of_content
from tests.wire.publication import Team
from tests.wire.registry import Registry, Stubs, open_registry, settings
from tests.wire.transfers import Transfers, digest

REVIEWED: Final = Path(__file__).with_name("statements.txt")
SHOWN: Final = bool(os.environ.get("ASSAY_STATEMENTS"))
LEGEND: Final = """\
# What the transaction of each change asks of its database, as a running server asked it: statements
# in SQLite, with those that begin and end it, and messages to PostgreSQL, each a round trip.
"""


async def _known_upload(shop: Workshop) -> Any:
    await shop.team.ready("known")
    draft = await shop.team.draft("")
    upload = upload_pb2.Upload(
        name=f"{draft}/uploads/{uuid.uuid4()}",
        path="model.bin",
        size_bytes=len(b"known"),
        digest=digest(b"known"),
    )
    return artifact.BeginUploadRequest(upload=upload)


async def _aborted_upload(shop: Workshop) -> Any:
    draft = await shop.team.draft("")
    upload = await shop.team.files.begin(draft, b"given up")
    return artifact.AbortUploadRequest(name=upload.name)


async def _sealed_and_published(shop: Workshop) -> Any:
    await shop.team.ready("before")
    name = await shop.team.draft("after")
    patch = version_pb2.BUMP_PATCH
    return registry_api.SealDraftRequest(name=name, publish=True, bump=patch)


async def _created_and_published(shop: Workshop) -> Any:
    await shop.team.ready("of old")
    request = of_content(b"of old")
    request.publish, request.bump = True, version_pb2.BUMP_MAJOR
    return request


CASES: Final[Mapping[str, Case]] = {
    **MUTATIONS,
    "BeginUpload": _known_upload,
    "AbortUpload": _aborted_upload,
    "SealDraft with publication": _sealed_and_published,
    "CreateVersion with publication": _created_and_published,
}


@pytest.fixture(autouse=True)
def only_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Housekeeping would be counted too."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(housekeeping, "_tidy", never)


async def test_every_change_asks_what_was_reviewed(
    tmp_path: Path, authority: Authority, registry_url: str
) -> None:
    config = settings(tmp_path, authority)
    async with open_registry(config, authority) as registry:
        statements = await _counts(registry, _traced_sqlite)
    config = replace(config, store=StoreSection(url=registry_url))
    async with open_registry(config, authority) as registry:
        round_trips = await _counts(registry, _traced_postgres)

    seen = _written(statements, round_trips)

    if os.environ.get("ASSAY_REVIEW"):
        REVIEWED.write_text(seen)
    assert seen == REVIEWED.read_text()


def _traced_sqlite(facts: Any, heard: Callable[[str], None]) -> None:
    facts._writer._connection.set_trace_callback(heard)


def _traced_postgres(facts: Any, heard: Callable[[str], None]) -> None:
    """Statements that are prepared are so once in the life of a connection."""
    connect = facts._writers._connect

    async def traced() -> Any:
        connection = await connect()
        connection.add_query_logger(lambda record: heard(record.query))
        return connection

    facts._writers._connect = traced
    while facts._writers._idle:
        facts._writers._idle.pop().terminate()


async def _counts(
    registry: Registry, traced: Callable[[Any, Callable[[str], None]], None]
) -> dict[str, int]:
    found: dict[str, int] = {}
    async with registry.channel() as channel:
        files, stubs = Transfers(channel), Stubs(channel)
        await files.found()
        heard: list[str] = []
        traced(registry.stores.facts, heard.append)
        shop = Workshop(stubs, Team(stubs, stubs, stubs, files))
        for row, case in CASES.items():
            request = await case(shop)
            if hasattr(request, "request_id"):
                request.request_id = str(uuid.uuid4())
            heard.clear()
            answer = await hear(channel, row.partition(" ")[0], request)
            assert answer.code is grpc.StatusCode.OK, (row, answer)
            asked = [text for text in heard if not _PASSING.match(text)]
            found[row] = len(asked)
            if SHOWN:
                sys.stdout.write("\n  ".join((f"\n{row}", *map(_brief, asked))))
    return found


_PASSING = re.compile(r"PREPARE |BEGIN ISOLATION|ROLLBACK AND CHAIN")
"""What opens a connection, and what happens after the answer."""


def _brief(text: str) -> str:
    return re.sub(r"convert_from\('[^']*', 'UTF8'\)", "…", " ".join(text.split()))[:600]


def _written(statements: Mapping[str, int], round_trips: Mapping[str, int]) -> str:
    width = max(map(len, CASES))
    lines = [f"{LEGEND}\n{'':{width}}  SQLite  PostgreSQL"]
    lines += [f"{row:{width}}  {statements[row]:6}  {round_trips[row]:10}" for row in CASES]
    return "\n".join(lines) + "\n"
