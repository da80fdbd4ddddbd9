"""A whole registry while it runs, and how it stops."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from assay_server.app.housekeeping import kept
from assay_server.app.rooms import VERSION, Stores, collecting, expiring, front
from assay_server.app.servable import tls_files
from assay_server.app.stores import open_stores
from assay_server.app.tracing import tracer_provider
from assay_server.config import Config, parse_address
from assay_server.transport.listening import CannotListen, reason_of
from assay_server.transport.server import GrpcServer
from assay_server.transport.tls import credentials
from assay_server.web.operations import OperationsPort

log = logging.getLogger("assay.server")

Prepare = Callable[[Stores], Awaitable[None]]
_LOOPBACKS = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Running:
    """Where a registry answers. ``operations_port`` is 0 when there is none."""

    server: GrpcServer
    target: str
    operations_port: int


@asynccontextmanager
async def running(config: Config, prepare: Prepare | None = None) -> AsyncIterator[Running]:
    """Serve inside the block; on leaving it, drain, then close everything.

    Before anyone can call, ``prepare`` may write to the stores.

    Raises:
        CannotListen: An address is taken.
        UnusableCertificate: The TLS files do not fit.
        UnusableDenyFile: The deny-list cannot be read.
        ExporterMissing: Traces are asked for without their exporter.
    """
    metrics = CollectorRegistry()
    for collect in (ProcessCollector, PlatformCollector, GCCollector):
        collect(registry=metrics)
    identity = None
    if not config.server.plaintext_for_development:
        identity = credentials(tls_files(config), metrics)
    tracers = tracer_provider(config.tracing, version=VERSION)
    async with open_stores(config, metrics) as stores:
        if prepare is not None:
            await prepare(stores)
        made = front(config, stores, metrics, tracers)
        server = made.server
        operations = OperationsPort(metrics, is_ready=lambda: server.is_serving)
        host, port = parse_address(config.server.listen)
        try:
            bound = await server.start(host, port, identity)
            target = f"{'localhost' if host in _LOOPBACKS else host}:{bound}"
            operations_port = await _start_operations(operations, config)
            async with kept(made, stores, expiring(stores), collecting(config, stores)):
                yield Running(server, target, operations_port)
        finally:
            await server.stop()
            await made.tallied.tell()
            await operations.stop()
            if tracers is not None:
                await asyncio.to_thread(tracers.shutdown)


async def serve(
    config: Config, on_ready: Callable[[Running], None], prepare: Prepare | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; a second one ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin_to_stop(number: signal.Signals) -> None:
        log.info("stopping on %s: calls in flight finish first", number.name)
        loop.remove_signal_handler(number)
        stop.set()

    async with running(config, prepare) as registry:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, begin_to_stop, number)
        on_ready(registry)
        await stop.wait()
    log.info("stopped")


async def _start_operations(operations: OperationsPort, config: Config) -> int:
    listen = config.operations.listen
    if not listen:
        return 0
    try:
        return await operations.start(*parse_address(listen))
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {listen} for metrics and health: {reason_of(error)}. Choose another "
            "address with operations.listen (--operations-port of `assay-server dev`)"
        ) from None
