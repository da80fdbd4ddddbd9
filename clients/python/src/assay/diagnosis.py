"""Why there is no connection, in words that lead to the cause, as far as gRPC lets it be told."""

import datetime as dt

from assay.tls import TLS, named

_RESOLVER = (
    "The name in {target} cannot be resolved. Check its spelling; on some private networks "
    "GRPC_DNS_RESOLVER=native in the environment helps."
)

_OTHER_NAME = (
    "The certificate of the server at {target} is for another name. Give the name it has as "
    "server_name."
)

_CAUSES_WITH_TLS: tuple[tuple[str, str], ...] = (
    ("Connection refused", "Nothing listens at {target}. Is the server running there?"),
    (
        "WRONG_VERSION_NUMBER",
        "{target} does not speak TLS: it is a plaintext port. Use the server's TLS port, or, on "
        "this machine only, connect without TLS.",
    ),
    (
        "certificate has expired",
        "The certificate of the server at {target} has expired; it must be renewed there.",
    ),
    (
        "certificate is not yet valid",
        "The certificate of the server at {target} is not valid yet: compare the clocks of the "
        "two machines.",
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "The certificate of the server at {target} is not from the authority in {ca}. Is this "
        "the right server, and the right authority?",
    ),
    (
        "Failed to create security handshaker",
        "gRPC cannot use your certificates: {key} is not the key of {cert}, or one of them or {ca} "
        "is damaged.",
    ),
    ("Hostname Verification Check failed", _OTHER_NAME),
    ("is not in peer certificate", _OTHER_NAME),  # gRPC before 1.75
)

_CAUSES_WITHOUT_TLS: tuple[tuple[str, str], ...] = (
    ("Connection refused", "Nothing listens at {target}. Is the server running there?"),
    (
        "Socket closed",
        "The server at {target} closed the connection at once: it is probably a TLS port. "
        "Connect with certificates.",
    ),
)

_CAUSES_EITHER_WAY: tuple[tuple[str, str], ...] = (
    ("errors resolving", _RESOLVER),
    ("DNS resolution failed", _RESOLVER),
    (
        "imed out",
        "{target} does not answer. A firewall may drop the packets; an http_proxy in the "
        "environment may catch them.",
    ),
    (
        "Too many pings",
        "The server at {target} ended the connection because of too many keepalive pings; a "
        "proxy in between may have its own limit.",
    ),
)

_NEVER_MADE = ("failed to connect", "errors resolving", "DNS resolution", "imed out")
_HUNG_UP = ("Socket closed", "Connection reset", "Broken pipe", "EOF")


def was_never_made(text: str) -> bool:
    """Whether gRPC's ``text`` tells of a connection that was not there, not of one that broke."""
    return any(sign in text for sign in _NEVER_MADE)


def why_no_connection(target: str, tls: TLS | None, text: str, *, shown: TLS | None = None) -> str:
    """A sentence that explains gRPC's ``text`` of a failed call to ``target``.

    Args:
        shown: ``tls`` as it was read: what lies at its paths may be something else by now.
    """
    if not was_never_made(text):
        return f"The connection to {target} broke ({text or 'no cause given'}). Try again."
    causes = _CAUSES_WITH_TLS if tls else _CAUSES_WITHOUT_TLS
    for needle, sentence in (*causes, *_CAUSES_EITHER_WAY):
        if needle in text:
            names = (
                {"ca": named(tls.ca), "cert": named(tls.cert), "key": named(tls.key)} if tls else {}
            )
            return sentence.format(target=target, **names)
    if tls and any(sign in text for sign in _HUNG_UP):
        return _why_hung_up(target, tls, (shown or tls).expire_time())
    return f"There is no connection to {target}: {text}."


def _why_hung_up(target: str, tls: TLS, expired: dt.datetime | None) -> str:
    """The server hangs up without a word when it does not accept the client's certificate."""
    if expired is not None and expired <= dt.datetime.now(dt.UTC):
        return (
            f"Your certificate {named(tls.cert)} expired at {expired:%Y-%m-%d %H:%M} UTC, and the "
            f"server at {target} refuses it. Get a new one, and make a new client with it."
        )
    return (
        f"The server at {target} hung up during the handshake: it does not accept the certificate "
        f"{named(tls.cert)}. Was it issued by the authority that this server trusts?"
    )
