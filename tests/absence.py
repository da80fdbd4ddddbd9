"""What a test does when a tool it needs is not on this machine."""

import os
from typing import NoReturn

import pytest

EVERYTHING_REQUIRED = os.environ.get("ASSAY_REQUIRE_ALL") == "1"


def absent(what: str, remedy: str) -> NoReturn:
    """Skip with a sentence that names what is missing; fail where everything is required."""
    sentence = f"{what} is missing on this machine: {remedy}."
    if EVERYTHING_REQUIRED:
        pytest.fail(f"ASSAY_REQUIRE_ALL=1, but {sentence}", pytrace=False)
    pytest.skip(sentence)
