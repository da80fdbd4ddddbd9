"""Calls of any RPC by its name, so that a test can go through all that the contract has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from assay_server.transport.api import METHODS
from tests.wire.scripted import details_of, info_of

BY_SHORT_NAME: Final[Mapping[str, MethodDescriptor]] = {
    method.name: method for method in METHODS.values()
}
"""No two services have a method of the same name."""

CALL_S: Final = 60.0
"""Until a call counts as hanging."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a call ended: with an answer (the first message of a stream) or with a refusal."""

    code: grpc.StatusCode
    answer: Any = None
    message: str = ""
    details: bytes = b""
    reason: str = ""


async def hear(
    channel: grpc.aio.Channel, method: str, request: Any, *, within_s: float = CALL_S
) -> Heard:
    """Call ``method`` with one message, whatever the kind of the RPC."""
    try:
        answer = await _answer(channel, BY_SHORT_NAME[method], request, within_s)
        return Heard(grpc.StatusCode.OK, answer)
    except grpc.aio.AioRpcError as error:
        message = error.details() or ""
        if not any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ()):
            return Heard(error.code(), message=message)  # said by the network
        details = details_of(error).SerializeToString()
        return Heard(error.code(), None, message, details, info_of(error).reason)


async def _answer(
    channel: grpc.aio.Channel, method: MethodDescriptor, request: Any, within_s: float
) -> Any:
    response = GetMessageClass(method.output_type)
    coding: dict[str, Any] = {
        "request_serializer": GetMessageClass(method.input_type).SerializeToString,
        "response_deserializer": response.FromString,
    }
    path = f"/{method.containing_service.full_name}/{method.name}"
    if method.client_streaming:
        return await channel.stream_unary(path, **coding)(iter((request,)), timeout=within_s)
    if method.server_streaming:
        call = channel.unary_stream(path, **coding)(request, timeout=within_s)
        first = await call.read()
        call.cancel()
        return None if first is grpc.aio.EOF else first
    return await channel.unary_unary(path, **coding)(request, timeout=within_s)
