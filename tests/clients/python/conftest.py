"""Fixtures for the tests of the Python client."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from assay import TLS, AsyncClient
from tests.clients.python.serving import Handler, client_tls, serving
from tests.pki import Authority


@pytest.fixture
def tls(authority: Authority, tmp_path: Path) -> TLS:
    """Certificates that the test server accepts."""
    return client_tls(authority, tmp_path / "pki")


@pytest.fixture
async def connected(authority: Authority, tls: TLS) -> AsyncIterator[Callable[..., Any]]:
    """A function that makes a client of a server with these handlers."""
    async with AsyncExitStack() as stack:

        async def connect(handlers: dict[str, Handler], **options: Any) -> AsyncClient:
            target = await stack.enter_async_context(serving(handlers, authority))
            client = AsyncClient(target, tls=tls, **options)
            return await stack.enter_async_context(client)

        yield connect
