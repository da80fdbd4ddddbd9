"""Files over the registry of a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from assay_server.domain.names import DraftName
from assay_server.domain.uploading import TransferLimits
from tests.services.registry import Registry
from tests.services.transfer.uploading import Files


@pytest.fixture
async def files(registry: Registry, tmp_path: Path) -> AsyncIterator[Files]:
    """Uploads and downloads on a disk of this test's own."""
    made = Files(registry, tmp_path / "blobs", TransferLimits())
    yield made
    await made.blobs.close()


@pytest.fixture
async def draft(registry: Registry) -> DraftName:
    """An open draft of Ann's without files."""
    return await registry.draft("")
