"""Lists become tables, where pandas is installed."""

import subprocess
import sys

import pytest

from assay.listing import Listing
from assay.v1.model_pb2 import Model

WITHOUT_PANDAS = """
import sys
sys.modules["pandas"] = None
from assay.listing import Listing
try:
    Listing(iter([])).to_pandas()
except ImportError as error:
    print(error)
"""


def models() -> Listing[Model]:
    made = [
        Model(name="namespaces/vision/models/digits", keywords=["a", "b"], tags={"team": "x"}),
        Model(name="namespaces/vision/models/letters"),
    ]
    made[0].create_time.FromJsonString("2026-05-01T10:00:00.250Z")
    return Listing(model for model in made)


def test_a_listing_becomes_a_table_with_times_and_lists() -> None:
    pandas = pytest.importorskip("pandas", reason="install assay-registry[pandas]")

    frame = models().to_pandas()

    assert list(frame["name"]) == [
        "namespaces/vision/models/digits",
        "namespaces/vision/models/letters",
    ]
    assert frame["create_time"][0] == pandas.Timestamp("2026-05-01T10:00:00.250Z")
    assert pandas.isna(frame["create_time"][1])
    assert frame["keywords"][0] == ["a", "b"]
    assert frame["tags"][0] == {"team": "x"}


def test_a_listing_goes_on_as_an_iterator() -> None:
    listed = models()

    assert next(listed).name.endswith("digits")
    assert [model.name for model in listed] == ["namespaces/vision/models/letters"]


def test_an_empty_listing_is_an_empty_table() -> None:
    pytest.importorskip("pandas", reason="install assay-registry[pandas]")

    assert Listing(model for model in list[Model]()).to_pandas().empty


def test_without_pandas_the_extra_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS], capture_output=True, text=True, timeout=60
    )

    assert "pip install 'assay-registry[pandas]'" in done.stdout, done.stderr
