"""A real gRPC server with real TLS, whose methods answer as a test says."""

import inspect
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from assay import TLS, retries
from assay.statuses import ERROR_DOMAIN
from tests.pki import Authority

Handler = Callable[..., Any]
"""``async def (request, context)``, or an asynchronous generator for a stream of answers."""

SPIFFE_ID = "spiffe://assay.test/trainer"


@asynccontextmanager
async def serving(
    handlers: Mapping[str, Handler],
    authority: Authority | None = None,
    port: int = 0,
    *,
    credentials: grpc.ServerCredentials | None = None,
    options: Sequence[tuple[str, int]] = (("grpc.so_reuseport", 0),),
) -> AsyncIterator[str]:
    """Serve ``{"GetModel": handler}`` on loopback, with mTLS if there is an authority."""
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers(_generic_handlers(handlers))
    address = f"127.0.0.1:{port}"
    if authority is not None:
        credentials = _credentials(authority)
    if credentials is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, credentials)
    await server.start()
    try:
        yield f"localhost:{port}"
    finally:
        await server.stop(None)


def client_tls(authority: Authority, directory: Path, uri: str = SPIFFE_ID) -> TLS:
    """Certificates of a client, as files."""
    cert, key = authority.issue_client(uri).write(directory, "client")
    ca = directory / "ca.crt"
    ca.write_bytes(authority.certificate)
    return TLS(ca=ca, cert=cert, key=key)


async def refuse(
    context: Any,
    code: grpc.StatusCode,
    reason: str = "",
    message: str = "no",
    *,
    details: tuple[Any, ...] = (),
    **metadata: str,
) -> NoReturn:
    """Abort as the server does, with an ErrorInfo."""
    info = error_details_pb2.ErrorInfo(reason=reason, domain=ERROR_DOMAIN, metadata=metadata)
    status = status_pb2.Status(code=code.value[0], message=message)
    for detail in ((info,) if reason else ()) + details:
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort raises")


def _credentials(authority: Authority) -> grpc.ServerCredentials:
    leaf = authority.issue_server()
    return grpc.ssl_server_credentials(
        [(leaf.private_key, leaf.certificate)], authority.certificate, True
    )


def _generic_handlers(handlers: Mapping[str, Handler]) -> list[grpc.GenericRpcHandler]:
    services: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
    for method in retries.methods():
        if method.name in handlers:
            service = services.setdefault(method.containing_service.full_name, {})
            service[method.name] = _method_handler(method, handlers[method.name])
    return [
        grpc.method_handlers_generic_handler(name, methods) for name, methods in services.items()
    ]


def _method_handler(method: Any, handler: Handler) -> grpc.RpcMethodHandler:
    shape = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
    }[method.client_streaming, method.server_streaming]
    if not inspect.iscoroutinefunction(handler) and not inspect.isasyncgenfunction(handler):
        handler = handler.__call__  # gRPC looks only at functions
    return shape(
        handler,
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=GetMessageClass(method.output_type).SerializeToString,
    )
