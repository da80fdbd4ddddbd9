"""Housekeeping goes on whatever happens to it, and ends with the server."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from assay_server.app.housekeeping import kept
from assay_server.app.rooms import Front, Stores
from assay_server.transport.deny_file import DenyFile
from assay_server.transport.interceptors.tallying import Tallied

NOBODY: Any = None


async def test_a_fault_in_tidying_is_logged_and_does_not_end_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    collected = asyncio.Event()

    class Broken:
        async def expire(self) -> int:
            raise RuntimeError("another bug")

    class Collecting:
        async def collect(self) -> int:
            collected.set()
            return 0

    async def keep(_now: datetime) -> int:
        raise RuntimeError("a bug")

    stores = Stores(
        facts=NOBODY,
        sink=NOBODY,
        trail=NOBODY,
        blobs=NOBODY,
        blob_keeping=NOBODY,
        ping=NOBODY,
        keep=keep,
    )

    tallied = Tallied(NOBODY, NOBODY, NOBODY)
    front = Front(NOBODY, DenyFile(None, CollectorRegistry(), NOBODY), tallied)
    broken: Any = Broken()
    collecting: Any = Collecting()
    async with kept(front, stores, broken, collecting):
        await collected.wait()

    assert "tidying up failed" in caplog.text
    assert "a bug" in caplog.text
    assert "another bug" in caplog.text
