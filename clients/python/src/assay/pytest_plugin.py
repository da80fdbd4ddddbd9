"""Fixtures for the tests of programs that use a registry: pytest finds them by itself.

::

    def test_the_model_is_registered(assay_registry):
        train_and_register(assay_registry)
        assert assay_registry.get_version("digits/1").file_count == 1

The distribution ``assay-registry-server`` must be installed beside this one.
"""

from collections.abc import Iterator

import pytest

from assay.local import LocalRegistry, local


@pytest.fixture
def assay_registry() -> Iterator[LocalRegistry]:
    """A registry for one test: a real server, empty, gone afterwards; starts in seconds."""
    with local() as registry:
        yield registry


@pytest.fixture(scope="session")
def assay_shared_registry() -> Iterator[LocalRegistry]:
    """A registry for all tests of a run, which see what the others left in it."""
    with local() as registry:
        yield registry
