"""``assay-server health``: a probe for machines that have no other."""

import urllib.error
import urllib.request

from assay_server.config import parse_address

TIMEOUT_S = 3.0
_REACHED_BY = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Who listens on every address is asked on the loopback one."""


class Unhealthy(Exception):
    """The server does not take calls; the text says how that shows."""


def ask(listen: str) -> str:
    """What the operations port at ``listen`` says.

    Raises:
        Unhealthy: Nobody answers, or the server takes no calls.
    """
    if not listen:
        raise Unhealthy("operations.listen is empty, so there is nobody to ask")
    host, port = parse_address(listen)
    host = _REACHED_BY.get(host, host)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        with urllib.request.urlopen(f"http://{place}/readyz", timeout=TIMEOUT_S) as answer:
            said: bytes = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            raise Unhealthy("the server takes no calls now") from None
    except OSError as error:
        raise Unhealthy(f"no answer from {place}: {error}") from None
    return said.decode().strip()
