"""Whether an address can be listened on, in a sentence; the core tells only its own log."""

import errno
import socket

_REASONS = {
    errno.EADDRINUSE: "another program listens there (`ss -ltnp` shows which)",
    errno.EADDRNOTAVAIL: "it is no address of this machine",
    errno.EACCES: "this user lacks the right to take so low a port",
}


class CannotListen(Exception):
    """The address cannot be bound; the text says why and what to do."""


def require_free(host: str, port: int) -> None:
    """Bind for a moment what the core is about to bind.

    Raises:
        CannotListen: It cannot be bound. A name with several addresses needs one that can, and
            none that is taken.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise CannotListen(f"cannot listen on {address}: the name {host} is unknown") from None
    failures = [error for place in places if (error := _failure(place[0], place[4])) is not None]
    taken = [error for error in failures if error.errno == errno.EADDRINUSE]
    if taken or len(failures) == len(places):
        raise CannotListen(
            f"cannot listen on {address}: {reason_of((taken or failures)[0])}. Choose another "
            "address with server.listen (--port of `assay-server dev`; 0 takes a free one)"
        )


def reason_of(error: OSError) -> str:
    """Why an address cannot be bound."""
    return _REASONS.get(error.errno or 0, error.strerror or "the system refuses")


def _failure(family: int, place: tuple[object, ...]) -> OSError | None:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As servers do: connections of one that has ended do not count, listeners do.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(place)
    except OSError as error:
        return error
    return None
