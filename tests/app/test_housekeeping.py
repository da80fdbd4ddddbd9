"""Housekeeping goes on whatever happens to it, and ends with the server."""

import asyncio
from datetime import datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from assay_server.app.housekeeping import kept
from assay_server.app.rooms import Front, Stores
from assay_server.transport.deny_file import DenyFile

NOBODY: Any = None


async def test_a_fault_in_tidying_is_logged_and_does_not_end_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = asyncio.Event()

    async def keep(_now: datetime) -> int:
        tried.set()
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

    async with kept(
        Front(NOBODY, DenyFile(None, CollectorRegistry(), NOBODY)), stores, NOBODY, NOBODY
    ):
        await tried.wait()

    assert "tidying up failed" in caplog.text
    assert "a bug" in caplog.text
