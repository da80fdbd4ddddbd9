"""Whether a restored registry is what the other one was at one revision."""

import hashlib

from assay_server.app.checking import check
from assay_server.domain.backups import Backup
from assay_server.domain.checking import Level
from assay_server.domain.versions import VersionState
from tests.backup.busy import EVERYTHING, Place, Working, quiet
from tests.services.registry import DIGITS

READ_MAX = 20
"""Versions that are read through the store; the bytes of all were hashed by the check."""


async def require_prefix(working: Working, place: Place, copy: Working, *, backup: Backup) -> None:
    """``copy``, open at ``place``, is ``working`` when ``backup`` was made, and goes on."""
    revision = backup.facts.revision
    events = {}
    for each in (working, copy):
        async with each.store.metadata.read() as reader:
            found, through = await reader.events.since(
                1, name_prefix="", among=None, limit=1_000_000
            )
        events[each is copy] = [event for event in found if event.revision <= revision]
        assert through == revision or each is working
        assert through > revision or each is copy
    assert events[True] == events[False]

    numbers = await numbers_of(copy)
    assert numbers == list(range(len(numbers), 0, -1))
    assert backup.facts.rows["versions"] == len(numbers)
    checked = await check(place.config, quiet, is_hashed=True)
    assert [one for one in checked.discoveries if one.level is Level.PROBLEM] == []
    assert checked.revision == revision
    for number in numbers[:READ_MAX]:
        await require_readable(copy, number)
    assert await copy.publish("the first after the restore") == len(numbers) + 1


async def numbers_of(working: Working) -> list[int]:
    async with working.store.metadata.read() as reader:
        found = await reader.versions.list(*DIGITS, EVERYTHING, states=frozenset(VersionState))
    return [version.number for version in found.items]


async def require_readable(working: Working, number: int) -> None:
    async with working.store.metadata.read() as reader:
        version = await reader.versions.get(*DIGITS, number)
    for file in version.manifest.files:
        pieces = working.blobs.read(file.sha256, offset=0, length=file.size_bytes)
        content = b"".join([piece async for piece in pieces])
        assert hashlib.sha256(content).hexdigest() == file.sha256
