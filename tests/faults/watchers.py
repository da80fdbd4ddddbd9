"""Watches that go on after each break, recorded so that what they promise can be asked of them."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from assay.v1 import watch_service_pb2 as api
from assay.v1 import watch_service_pb2_grpc
from assay_server.transport.interceptors.identifying import DEVELOPMENT_PRINCIPAL
from tests.faults.histories import channel_to
from tests.wire.watching import RecordedCall, Recording, RecordingStub


class Watcher:
    """Watches from the beginning, or from what is current, and goes on after each break."""

    def __init__(
        self,
        target: Callable[[], str],
        prefix: str,
        recordings: list[Recording],
        *,
        with_state: bool = False,
    ) -> None:
        self._target = target
        self._request = api.WatchRequest(
            name_prefix=prefix, start_revision=0 if with_state else 1, send_initial_state=with_state
        )
        self._recordings = recordings
        self._call: RecordedCall | None = None
        self.breaks = 0

    @property
    def last(self) -> int:
        """The revision up to which it received everything."""
        return self._call.recording.last if self._call else 0

    async def follow(self, is_enough: Callable[[int], bool]) -> None:
        while not is_enough(self.last):
            try:
                async with channel_to(self._target()) as channel:
                    await self._read_on(channel, is_enough)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                self.breaks += 1
                await asyncio.sleep(0.05)

    async def _read_on(self, channel: Any, is_enough: Callable[[int], bool]) -> None:
        raw = watch_service_pb2_grpc.WatchServiceStub(channel)
        stub = RecordingStub(raw, self._recordings, DEVELOPMENT_PRINCIPAL)
        call = stub.resume(self._call) if self._call else stub.Watch(self._request)
        self._call = call
        while not is_enough(call.recording.last):
            assert await call.read() is not grpc.aio.EOF
        call.cancel()
