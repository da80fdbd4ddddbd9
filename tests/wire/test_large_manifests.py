"""What can be made can be read: by a client that takes 4 MiB in a message, as all do by default."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from assay.v1 import registry_service_pb2 as api
from assay.v1 import version_pb2
from assay_server.domain.limits import CARD_BYTES_MAX
from assay_server.domain.manifest import MANIFEST_BYTES_MAX
from tests.wire.publication import Team, team_on
from tests.wire.registry import Registry
from tests.wire.transfers import DIGITS, digest

EACH_BYTES = 200
"""What a file here weighs: its path is made as long as that takes."""

_MEDIA_TYPE = "application/octet-stream"
_PATH = "f{:05}" + "x" * (EACH_BYTES - 100 - len(_MEDIA_TYPE) - len("f00000"))


def of_files(count: int) -> api.CreateVersionRequest:
    version = version_pb2.ModelVersion(card="c" * CARD_BYTES_MAX)
    for number in range(count):
        version.files.add(path=_PATH.format(number), size_bytes=5, digest=digest(b"known"))
    return api.CreateVersionRequest(parent=DIGITS, version=version, publish=True)


@pytest_asyncio.fixture
async def team(registry: Registry) -> AsyncIterator[Team]:
    async with team_on(registry) as team:
        yield team


async def test_the_largest_version_that_is_made_resolves_and_a_larger_one_is_refused(
    team: Team,
) -> None:
    await team.sealed("known")
    most = MANIFEST_BYTES_MAX // EACH_BYTES

    made = await team.scientist.registry.CreateVersion(of_files(most))
    resolved = await team.scientist.registry.ResolveVersion(
        api.ResolveVersionRequest(reference="vision/digits@latest")
    )
    whole = await team.get(made.version.name)
    with pytest.raises(grpc.aio.AioRpcError, match="pack some together") as refused:
        await team.scientist.registry.CreateVersion(of_files(most + 1))

    assert resolved.version.name == made.version.name
    assert (len(whole.files), len(whole.card)) == (most, CARD_BYTES_MAX)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
