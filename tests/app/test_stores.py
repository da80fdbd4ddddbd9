"""What monitors are told of the stores."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from assay_server.app.stores import open_stores
from assay_server.config import Config
from assay_server.config.settings import BlobsSection, StoreSection
from assay_server.sqlstore.reserve import STEP_BYTES

MORE_THAN_ANY_DISK_BYTES = 1 << 60


@pytest.mark.parametrize(
    ("wanted_bytes", "left_bytes", "is_whole"),
    [(3 * STEP_BYTES, 3 * STEP_BYTES, 1), (MORE_THAN_ANY_DISK_BYTES, 0, 0), (0, 0, 1)],
)
async def test_the_reserve_of_the_trail_is_shown(
    tmp_path: Path, wanted_bytes: int, left_bytes: int, is_whole: int
) -> None:
    metrics = CollectorRegistry()
    config = Config(
        store=StoreSection(
            url=f"sqlite:///{tmp_path / 'assay.db'}", audit_reserve_bytes=wanted_bytes
        ),
        blobs=BlobsSection(directory=tmp_path / "blobs"),
    )

    async with open_stores(config, metrics):
        assert metrics.get_sample_value("assay_audit_reserve_bytes") == left_bytes
        assert metrics.get_sample_value("assay_audit_reserve_is_whole") == is_whole
