"""Every kind of call that a client can make, well-formed or not, and what becomes of it."""

import gzip
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from assay.v1 import access_service_pb2 as access
from assay.v1 import artifact_service_pb2 as artifacts
from assay.v1 import registry_service_pb2 as registry
from assay.v1 import watch_service_pb2 as watch
from assay_server.domain.access import Role
from tests.wire.raw_http2 import Header, RawCall, RawConnection, framed
from tests.wire.registry import principal

GET = "/assay.v1.AccessService/GetNamespace"
CREATE = "/assay.v1.AccessService/CreateNamespace"
CREATE_MODEL = "/assay.v1.RegistryService/CreateModel"
WATCH = "/assay.v1.WatchService/Watch"
WRITE = "/assay.v1.ArtifactService/WriteUpload"

NAMESPACE = access.GetNamespaceRequest(name="namespaces/vision").SerializeToString()
ABSENT = access.GetNamespaceRequest(name="namespaces/nowhere").SerializeToString()
WATCHED = watch.WatchRequest(name_prefix="namespaces/vision").SerializeToString()
UPLOAD = artifacts.WriteUploadRequest(
    upload=f"namespaces/vision/models/digits/drafts/{uuid.UUID(int=7)}/uploads/{uuid.UUID(int=8)}",
    data=b"x",
).SerializeToString()

MIB = 1024 * 1024
NEVER = None

ADMIN = principal(Role.ADMIN)
CONSUMER = principal(Role.CONSUMER)
NOBODY = principal("mallory")

Act = Callable[[RawConnection], Awaitable[RawCall]]


@dataclass(frozen=True)
class Kind:
    """One kind of call.

    Attributes:
        answered: The status that the client gets; ``NEVER`` when it hung up before.
        recorded: The status in the trail, where that is another one.
        opened: The status in the opening entry of a stream that was refused before it began.
        is_stream: It has an opening and a closing entry.
        caller: Whose certificate it is made with.
    """

    name: str
    path: str
    act: Act
    answered: str | None
    recorded: str = ""
    opened: str = ""
    is_stream: bool = False
    caller: str = ADMIN

    @property
    def entries(self) -> list[tuple[str, str, str, str]]:
        """Principal, method, phase and status of each entry that such a call leaves."""
        status = self.recorded or self.answered or "CANCELLED"
        phases = [("CALL", status)]
        if self.is_stream:
            phases = [("OPENED", self.opened or "OK"), ("CLOSED", status)]
        return [(self.caller, self.path.removeprefix("/"), *phase) for phase in phases]


def asked(path: str, message: bytes, *headers: Header) -> Act:
    return lambda connection: connection.ask(path, message, *headers)


def sent(path: str, data: bytes, *headers: Header) -> Act:
    """Bytes that the test framed itself."""

    async def act(connection: RawConnection) -> RawCall:
        call = await connection.begin(path, *headers)
        await connection.send(call, data, end=True)
        return call

    return act


def begun(path: str, *headers: Header, data: bytes = b"", end: bool = False) -> Act:
    """A call that does not go on."""

    async def act(connection: RawConnection) -> RawCall:
        call = await connection.begin(path, *headers, end=end)
        await connection.send(call, data)
        return call

    return act


async def created(connection: RawConnection) -> RawCall:
    request = registry.CreateModelRequest(
        parent="namespaces/vision", model_id=f"m{uuid.uuid4().hex}"
    )
    return await connection.ask(CREATE_MODEL, request.SerializeToString())


SOON: Header = ("grpc-timeout", "2S")
OVER: Header = ("grpc-timeout", "1n")
GZIP: Header = ("grpc-encoding", "gzip")
UNDECODABLE = b"\x0a\xff\xff\xff\xff\x0fnonsense"

ORDINARY = (
    Kind("read", GET, asked(GET, NAMESPACE), "OK"),
    Kind("compressed read", GET, sent(GET, framed(gzip.compress(NAMESPACE), flag=1), GZIP), "OK"),
    Kind("change", CREATE_MODEL, created, "OK"),
    Kind("absent", GET, asked(GET, ABSENT), "NOT_FOUND"),
    Kind("watch until its deadline", WATCH, asked(WATCH, WATCHED, SOON), "DEADLINE_EXCEEDED",
         is_stream=True),
    Kind("refused upload", WRITE, asked(WRITE, UPLOAD), "NOT_FOUND", is_stream=True),
)  # fmt: skip
DENIED = (
    Kind("hidden", GET, asked(GET, NAMESPACE), "NOT_FOUND", caller=NOBODY),
    Kind("hidden watch", WATCH, asked(WATCH, WATCHED), "NOT_FOUND", opened="NOT_FOUND",
         is_stream=True, caller=NOBODY),
    Kind("not allowed", CREATE_MODEL, created, "PERMISSION_DENIED", caller=CONSUMER),
)  # fmt: skip
MALFORMED = (
    Kind("undecodable", GET, asked(GET, UNDECODABLE), "INVALID_ARGUMENT"),
    Kind("undecodable stream", WRITE, asked(WRITE, UNDECODABLE), "INVALID_ARGUMENT",
         opened="INVALID_ARGUMENT", is_stream=True),
    Kind("two messages", GET, sent(GET, framed(NAMESPACE) * 2), "OK"),
    Kind("no message", GET, begun(GET, end=True), "INVALID_ARGUMENT"),
    Kind("truncated", GET, sent(GET, framed(NAMESPACE, says=999)), "INVALID_ARGUMENT"),
    Kind("over our limit", GET, asked(GET, bytes(5 * MIB)), "RESOURCE_EXHAUSTED"),
)  # fmt: skip
ODD_PATHS = tuple(
    Kind(f"path {path!r}", path, asked(path, NAMESPACE), "UNIMPLEMENTED")
    for path in (
        GET[1:],
        f"/{GET}",
        f"{GET}/",
        f"{GET}?x=1",
        GET.lower(),
        GET.replace("/Get", "//Get"),
        GET.replace("Get", "%47et"),
        f"/x/..{GET}",
        f"http://localhost{GET}",
        "/grpc.health.v1.Health/Nope",
        "grpc.health.v1.Health/Check",
        "/",
        "",
        "*",
    )
)
GONE = (
    Kind("cancelled before its message", GET, begun(GET), NEVER),
    Kind("cancelled watch", WATCH, begun(WATCH, data=framed(WATCHED)), NEVER, is_stream=True),
    Kind("deadline before its message", GET, begun(GET, SOON), "DEADLINE_EXCEEDED"),
    Kind("deadline passed on arrival", GET, asked(GET, NAMESPACE, OVER), "DEADLINE_EXCEEDED"),
)
REFUSED_BY_THE_TRANSPORT = (
    Kind("over its limit", GET, sent(GET, framed(b"", says=64 * MIB)), "RESOURCE_EXHAUSTED",
         "CANCELLED"),
    Kind("decompressed over its limit", GET,
         sent(GET, framed(gzip.compress(bytes(20 * MIB)), flag=1), GZIP), "RESOURCE_EXHAUSTED",
         "CANCELLED"),
    Kind("not what it says", GET, sent(GET, framed(b"no gzip", flag=1), GZIP), "INTERNAL",
         "CANCELLED"),
    Kind("unreadable timeout", GET, asked(GET, NAMESPACE, ("grpc-timeout", "-1S")), "INTERNAL",
         "CANCELLED", caller=NOBODY),  # the core refuses later timeouts of the connection too
)  # fmt: skip
KINDS = (*ORDINARY, *DENIED, *MALFORMED, *ODD_PATHS, *GONE, *REFUSED_BY_THE_TRANSPORT)
