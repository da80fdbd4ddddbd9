"""A registry for tests of the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.pki import Authority
from tests.wire.registry import Registry, open_registry, settings


@pytest_asyncio.fixture
async def registry(tmp_path: Path, authority: Authority) -> AsyncIterator[Registry]:
    """A registry of this test's own."""
    async with open_registry(settings(tmp_path, authority), authority) as running:
        yield running
