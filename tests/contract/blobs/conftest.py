"""The backends that the suite of blob stores runs against: a new one adds a line here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from assay_server.blobstore.direct_io import takes_direct_io
from assay_server.blobstore.metered import Metered
from assay_server.ports.blobs import BlobStore
from tests.absence import absent
from tests.contract.blobs.backends import DiskBackend

BACKENDS = ("disk", "disk, direct I/O", "disk, metered")


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[DiskBackend]:
    direct_io = request.param == "disk, direct I/O"
    if direct_io and not takes_direct_io(tmp_path):
        absent("direct I/O", f"point TMPDIR to a disk whose file system takes it, not {tmp_path}")
    made = DiskBackend(tmp_path / "store", direct_io=direct_io)
    yield made
    await made.close()


@pytest.fixture
def store(request: pytest.FixtureRequest, backend: DiskBackend) -> BlobStore:
    if request.node.callspec.params["backend"] == "disk, metered":
        return Metered(backend.open(), CollectorRegistry())
    return backend.open()
