"""Uploads through kill -9 and through a full disk: what was acknowledged stays."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from assay_server.config.settings import BlobsSection
from tests.absence import absent
from tests.pki import Authority
from tests.wire.registry import open_registry, settings
from tests.wire.scripted import info_of, refusal
from tests.wire.transfers import MIB, Transfers, each, messages_of

COMMAND = Path(sys.executable).with_name("assay-server")
MODEL = "namespaces/main/models/digits"


class Server:
    """``assay-server dev`` in a process of its own, which can be killed."""

    def __init__(self, directory: Path) -> None:
        arguments = ("dev", "--plaintext", "--no-context", "--port=0", f"--directory={directory}")
        with (directory.parent / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout
        line = ""
        while not line.startswith("ready "):
            line = self._process.stdout.readline()
            assert line, "the server stopped before it was ready"
        self.target = line.split()[1]

    @asynccontextmanager
    async def transfers(self) -> AsyncIterator[Transfers]:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self.target, options=options) as channel:
            yield Transfers(channel)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Start a server over the same directory again and again."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server(tmp_path / "registry"))
        return started[-1]

    yield start
    for server in started:
        server.kill()


async def test_an_upload_survives_kill_9_and_goes_on_from_what_was_durable(
    serve: Callable[[], Server],
) -> None:
    content = os.urandom(9 * MIB + 77)
    server = serve()
    async with server.transfers() as ann:
        await ann.add_model(MODEL)
        draft = await ann.draft(MODEL)
        upload = await ann.begin(draft, content)
    for _ in range(2):
        async with server.transfers() as ann:
            upload = await ann.begin(draft, content, name=upload.name)
            some = messages_of(upload, content)[:3]
            stream = refusal(ann.artifacts.WriteUpload(each(some, then_hang=True)))
            streaming = asyncio.ensure_future(stream)
            durable_bytes = await ann.some_durable(upload, over=upload.durable_bytes)
            server.kill()
            assert (await streaming).code() is grpc.StatusCode.UNAVAILABLE
        server = serve()

    async with server.transfers() as ann:
        found = await ann.get(upload)
        resumed = await ann.begin(draft, content, name=upload.name)
        assert found.durable_bytes == resumed.durable_bytes >= durable_bytes > MIB
        await ann.write(resumed, content)
        await ann.commit(resumed, content)

        assert await ann.read(draft) == content
        assert (await ann.seal(draft)).endswith("/versions/1")


@pytest.mark.parametrize("pause_s", [0.0, 0.005])
async def test_a_commit_that_is_killed_is_repeated(
    serve: Callable[[], Server], pause_s: float
) -> None:
    content = os.urandom(2 * MIB + 1)
    server = serve()
    async with server.transfers() as ann:
        await ann.add_model(MODEL)
        draft = await ann.draft(MODEL)
        upload = await ann.begin(draft, content)
        await ann.write(upload, content)
        commit = asyncio.ensure_future(ann.commit(upload, content))
        await asyncio.sleep(pause_s)
        server.kill()
        await asyncio.wait((commit,))
        commit.exception()

    async with serve().transfers() as ann:
        await ann.commit(upload, content)

        assert await ann.read(draft) == content


@contextmanager
def small_disk(directory: Path, size_mib: int) -> Iterator[Callable[[int], None]]:
    """A file system of a few MiB, and a function that makes it larger."""
    directory.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", directory],
        capture_output=True,
    )
    if mounted.returncode:
        absent("the right to mount a small tmpfs", "run the tests as root")

    def grow(size_mib: int) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size_mib}m", directory], check=True)

    try:
        yield grow
    finally:
        subprocess.run(["umount", directory], check=True)


async def test_a_disk_that_fills_up_in_mid_upload_loses_nothing(
    tmp_path: Path, authority: Authority
) -> None:
    small, content = os.urandom(MIB), os.urandom(24 * MIB)
    directory = tmp_path / "small"
    config = replace(settings(tmp_path, authority), blobs=BlobsSection(directory=directory))
    with small_disk(directory, size_mib=12) as grow:
        async with open_registry(config, authority) as registry, registry.channel() as channel:
            admin = Transfers(channel)
            await admin.found()
            draft = await admin.draft()
            await admin.put(draft, small, path="small.bin")
            upload = await admin.begin(draft, content)
            durable = await admin.write(upload, content[: 4 * MIB])

            error = await refusal(admin.write(durable, content))

            assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert info_of(error).reason == "STORAGE_FULL"
            assert (await admin.get(upload)).durable_bytes >= 4 * MIB
            assert await admin.read(draft, "small.bin") == small
            grow(64)
            resumed = await admin.begin(draft, content, name=upload.name)
            await admin.write(resumed, content)
            await admin.commit(resumed, content)
            assert await admin.read(draft) == content
