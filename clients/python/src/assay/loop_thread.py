"""One thread with one event loop, for all synchronous clients of a process.

gRPC's asynchronous engine has one queue per process: event loops that share it take each
other's wake-ups (grpc/grpc#25364). So there is one loop, however many clients there are.
"""

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import AsyncGenerator, Coroutine
from typing import Any, ClassVar, TypeVar

from assay.connection import Connection
from assay.errors import ClientClosed, ForeignLoop, ForkedClient

Result = TypeVar("Result")

CLEAN_UP_S = 5.0
"""How long an interrupted verb may take to clean up, for example to remove half a download."""


class LoopThread:
    """Runs coroutines for other threads. Made by ``shared``; ends with its last user."""

    _current: ClassVar["LoopThread | None"] = None
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self._users = 0
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="assay-client", daemon=True)
        self._thread.start()

    @classmethod
    def shared(cls) -> "LoopThread":
        """The thread of this process, started if need be; give it back with ``release``.

        Raises:
            ForkedClient: This process is a fork of one that used gRPC.
        """
        Connection.require_own_process()
        with cls._lock:
            if cls._current is None:
                cls._current = cls()
                atexit.register(cls._current._stop)
            cls._current._users += 1
            return cls._current

    def release(self) -> None:
        """One user less; the last one stops the thread."""
        cls = type(self)
        with cls._lock:
            self._users -= 1
            is_last = self._users == 0
            if is_last:
                cls._current = None
        if is_last:
            atexit.unregister(self._stop)
            self._stop()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run ``coroutine`` to its end and give its result to the calling thread.

        Interrupted (Ctrl-C), it cancels the coroutine and waits until that has cleaned up.

        Raises:
            ForkedClient: This process is a fork of the one that started the thread.
            ForeignLoop: Called from the thread itself, which would wait for itself.
            ClientClosed: The client was closed, perhaps meanwhile.
        """
        try:
            self._require_use()
        except BaseException:
            coroutine.close()
            raise
        ended = threading.Event()
        future = asyncio.run_coroutine_threadsafe(_marking(coroutine, ended), self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise ClientClosed("The client was closed while a verb was at work.") from None
        except BaseException:
            if future.cancel():
                ended.wait(CLEAN_UP_S)
            raise

    def end(self, items: AsyncGenerator[Any, None]) -> None:
        """Close ``items``, whoever asks: also the garbage collector, which runs in any thread.

        Other threads wait until they are closed, at most ``CLEAN_UP_S``; the thread itself leaves
        that to its loop. Where the loop is closed, or stayed in the parent process of a fork,
        there is nothing left to end.
        """
        closing = _closed(items)
        try:
            Connection.require_own_process()
            future = asyncio.run_coroutine_threadsafe(closing, self._loop)
        except (ForkedClient, RuntimeError):  # RuntimeError: the loop is closed
            closing.close()
            return
        if threading.current_thread() is not self._thread:
            concurrent.futures.wait([future], CLEAN_UP_S)

    def _require_use(self) -> None:
        Connection.require_own_process()
        if threading.current_thread() is self._thread:
            raise ForeignLoop(
                "A verb of Client was called from a callback of the same client, such as "
                "on_progress; it would wait for itself for ever."
            )
        if self._loop.is_closed():
            raise ClientClosed("The client is closed; make a new one.")

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _stop(self) -> None:
        """End what still runs, then the loop, then the thread.

        What cannot be stopped, such as a model that is being saved, is waited for as long as
        ``CLEAN_UP_S``; later it ends the thread without anybody waiting.
        """
        if self._loop.is_closed() or self._process != os.getpid():
            return  # a fork has a copy of the loop, and no thread that runs it
        ending = asyncio.run_coroutine_threadsafe(_end_everything(), self._loop)
        ending.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._loop.stop))
        self._thread.join(CLEAN_UP_S)


async def _marking(coroutine: Coroutine[Any, Any, Result], ended: threading.Event) -> Result:
    try:
        return await coroutine
    finally:
        ended.set()


async def _closed(items: AsyncGenerator[Any, None]) -> None:
    await items.aclose()


async def _end_everything() -> None:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


class Seat:
    """A place of one client in the shared thread: taken on first use, left once."""

    def __init__(self) -> None:
        self._thread: LoopThread | None = None
        self._is_left = False
        self._lock = threading.Lock()

    @property
    def is_taken(self) -> bool:
        """Whether the client has used the thread, and still may."""
        return self._thread is not None

    @property
    def thread(self) -> LoopThread:
        """The shared thread.

        Raises:
            ClientClosed: The seat was left.
        """
        with self._lock:
            if self._is_left:
                raise ClientClosed("The client is closed; make a new one.")
            if self._thread is None:
                self._thread = LoopThread.shared()
            return self._thread

    def leave(self) -> None:
        """Give the thread back; a second time does nothing."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._is_left = True
        if thread is not None:
            thread.release()
