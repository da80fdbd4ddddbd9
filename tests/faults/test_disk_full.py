"""The disk is full: writes are refused, reads go on, and it works again when there is room."""

import asyncio
import sqlite3
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import google_crc32c
import grpc
import pytest

from assay.v1 import artifact_service_pb2 as artifact_api
from assay.v1 import draft_pb2, upload_pb2, version_pb2
from assay.v1 import registry_service_pb2 as api
from assay_server.sqlstore.places import SqlitePlace
from tests.absence import absent
from tests.faults.checking import problems
from tests.faults.evidence import gather
from tests.faults.histories import Outcome, Stubs, channel_to, report
from tests.faults.serving import Nursery, Place
from tests.faults.workload import MODELS, Crowd

DISK_MIB = 24
CLIENTS = 4
CARD = "All work and no play. " * 9_000
RECOVERY_S = 60.0


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few MiB for facts and bytes."""
    directory = Path(tempfile.mkdtemp(prefix="assay-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", directory],
        capture_output=True,
    )
    if mounted.returncode:
        directory.rmdir()
        absent("the right to mount a small tmpfs", "run the tests as root")
    yield directory
    subprocess.run(["umount", directory], check=True)
    directory.rmdir()


async def test_on_a_full_disk_writes_are_refused_reads_go_on_and_it_recovers_by_itself(
    nursery: Nursery, small_disk: Path, tmp_path: Path
) -> None:
    # The trail has a disk of its own.
    place, elsewhere = Place.below(small_disk), tmp_path / "trail"
    trail = SqlitePlace(small_disk / "assay.db").trail
    elsewhere.mkdir()
    trail.symlink_to(elsewhere / trail.name)
    crowd = Crowd(size=CLIENTS, seed=1)
    ballast = small_disk / "ballast"
    server = nursery.start(place, tmp_path / "server.log")
    try:
        await crowd.found(server.target)
        await _work_for(crowd, server.target, 0.5)
        async with channel_to(server.target) as channel:
            stubs = Stubs(channel)
            _fill(ballast)
            statuses = [await _write(stubs) for _ in range(20)]
            read = [await _read(stubs) for _ in range(50)]
            ballast.unlink()
            waited = await _until_written(stubs)
        await _work_for(crowd, server.target, 0.5)
        found = await gather(server.target)
    finally:
        server.kill()
    report(
        f"{statuses.count(grpc.StatusCode.RESOURCE_EXHAUSTED)} of {len(statuses)} writes refused "
        f"on a full disk, {len(read)} reads answered, writing again after {waited} attempts"
    )
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in statuses
    assert set(statuses) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert set(read) == {grpc.StatusCode.OK}
    wrong = problems(crowd.history, crowd.known, found)
    assert not wrong, "\n".join(wrong)


async def test_with_the_trail_on_the_full_disk_reads_go_on_from_its_reserve(
    nursery: Nursery, small_disk: Path, tmp_path: Path
) -> None:
    place, ballast = Place.below(small_disk), small_disk / "ballast"
    crowd = Crowd(size=CLIENTS, seed=2)
    server = nursery.start(place, tmp_path / "server.log")
    try:
        await crowd.found(server.target)
        await _work_for(crowd, server.target, 0.5)
        async with channel_to(server.target) as channel:
            stubs = Stubs(channel)
            begun = await _begun(stubs)
            before, staged = _entries(small_disk), set((place.blobs / "staging").iterdir())
            _fill(ballast)
            read, statuses = [], []
            for _ in range(100):
                read.append(await _read(stubs))
                statuses.append(await _write(stubs))
            sent = [await _send(stubs, begun) for _ in range(5)]
            after = _entries(small_disk)
            taken = set((place.blobs / "staging").iterdir()) - staged
            ballast.unlink()
            waited = await _until_written(stubs)
            assert await _send(stubs, begun) is grpc.StatusCode.OK
        await _work_for(crowd, server.target, 0.5)
        found = await gather(server.target)
    finally:
        server.kill()
    refused = statuses.count(grpc.StatusCode.RESOURCE_EXHAUSTED)
    report(
        f"the trail on the full disk: {len(read)} reads answered and on record, {refused} of "
        f"{len(statuses)} writes refused, writing again after {waited} attempts"
    )
    assert set(read) == {grpc.StatusCode.OK}
    assert set(statuses[-50:]) == set(sent) == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert not taken, "what is left is for the trail"
    assert set(statuses) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert after - before == {"ListVersions": len(read), "CreateDraft": refused, "WriteUpload": 10}
    wrong = problems(crowd.history, crowd.known, found)
    assert not wrong, "\n".join(wrong)


def _entries(disk: Path) -> Counter[str]:
    """Those that no transaction wrote, by method."""
    with closing(sqlite3.connect(disk / SqlitePlace(disk / "assay.db").trail.name)) as trail:
        methods = trail.execute("SELECT method FROM audit_entries").fetchall()
    return Counter(method.rpartition("/")[2] for (method,) in methods)


async def _begun(stubs: Stubs) -> upload_pb2.Upload:
    """An upload that takes bytes."""
    parent = api.CreateDraftRequest(parent=MODELS[0], request_id=str(uuid.uuid4()))
    draft = (await stubs.registry.CreateDraft(parent)).draft.name
    wanted = upload_pb2.Upload(
        name=f"{draft}/uploads/{uuid.uuid4()}", path="model.bin", size_bytes=-1
    )
    return (
        await stubs.artifacts.BeginUpload(artifact_api.BeginUploadRequest(upload=wanted))
    ).upload


async def _send(stubs: Stubs, upload: upload_pb2.Upload) -> grpc.StatusCode:
    data = b"no room for these"
    message = artifact_api.WriteUploadRequest(
        upload=upload.name, epoch=upload.epoch, data=data, crc32c=google_crc32c.value(data)
    )

    async def each() -> AsyncIterator[artifact_api.WriteUploadRequest]:
        yield message

    return await _status(stubs.artifacts.WriteUpload(each(), timeout=60))


async def _work_for(crowd: Crowd, target: str, seconds: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    await crowd.work([target], stop)
    assert all(one.outcome is not Outcome.UNKNOWN for one in crowd.history.operations)


def _fill(ballast: Path) -> None:
    """Take every byte that is left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


async def _write(stubs: Stubs) -> grpc.StatusCode:
    request = api.CreateDraftRequest(
        parent=MODELS[0], draft=draft_pb2.Draft(card=CARD), request_id=str(uuid.uuid4())
    )
    return await _status(stubs.registry.CreateDraft(request, timeout=60))


async def _read(stubs: Stubs) -> grpc.StatusCode:
    ready = version_pb2.VERSION_STATE_READY
    request = api.ListVersionsRequest(parent=MODELS[0], states=[ready])
    return await _status(stubs.registry.ListVersions(request, timeout=60))


async def _status(call: grpc.aio.UnaryUnaryCall) -> grpc.StatusCode:
    return grpc.StatusCode(await call.code())


async def _until_written(stubs: Stubs) -> int:
    """How many attempts it took until a write was granted again."""
    async with asyncio.timeout(RECOVERY_S):
        attempts = 1
        while await _write(stubs) is not grpc.StatusCode.OK:
            attempts += 1
            await asyncio.sleep(0.1)
    return attempts
