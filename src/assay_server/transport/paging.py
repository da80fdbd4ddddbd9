"""Pages of lists: sizes, and tokens that nobody can make, change or use for another query.

A token is base64url(key of the last item as JSON + HMAC-SHA-256 cut to 16 bytes). The HMAC
also covers the principal, the method and the request without page_size and page_token, so
that a token continues exactly the list it came from; or the initial state of a watch.
"""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Protocol, TypeVar

from google.protobuf.message import Message

from assay_server.domain.calls import Call, Page, Paged
from assay_server.domain.errors import InvalidField, InvalidPageToken

PAGE_SIZE_DEFAULT = 50
PAGE_SIZE_MAX = 1000
"""AIP-158: a larger wish is cut to this, not refused."""

KEY_BYTES = 32
_TAG_BYTES = 16

_OF_PAGES = {"page_size", "page_token", "initial_state_token"}
"""Fields that may differ from page to page of a query."""

T = TypeVar("T")


class PagedRequest(Protocol):
    """The fields that every List request has."""

    page_size: int
    page_token: str


class Paging:
    """Reads and makes page tokens. All servers of a registry need the same ``key``."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise ValueError(f"a key of page tokens has at least {KEY_BYTES} bytes")
        self._key = key

    def page_of(self, request: PagedRequest, call: Call) -> Page:
        """The page that ``request`` asks for.

        Raises:
            InvalidField: page_size is negative.
            InvalidPageToken: The token is not of this query, or was changed.
        """
        if request.page_size < 0:
            raise InvalidField("page_size", f"is {request.page_size}, but must not be negative")
        size = min(request.page_size or PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        if not request.page_token:
            return Page(size)
        return Page(size, after=self.opened(request.page_token, request, call))

    def token_for(self, paged: Paged[T], request: PagedRequest, call: Call) -> str:
        """The token that continues after ``paged``; empty on the last page."""
        if paged.next_after is None:
            return ""
        return self.sealed(paged.next_after, request, call)

    def sealed(self, place: tuple[str | int, ...], request: object, call: Call) -> str:
        """The token that continues the query of ``request`` at ``place``."""
        payload = json.dumps(place, separators=(",", ":")).encode()
        tag = self._tag(payload, self._query(request, call))
        return base64.urlsafe_b64encode(tag + payload).decode().rstrip("=")

    def opened(
        self, token: str, request: object, call: Call, *, field: str = "page_token"
    ) -> tuple[str | int, ...]:
        """The place that a token, which came as ``field``, continues at.

        Raises:
            InvalidPageToken: It is not of this query, or was changed.
        """
        try:
            sealed = base64.b64decode(
                token + "=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError):
            raise InvalidPageToken(field) from None
        tag, payload = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(payload, self._query(request, call))):
            raise InvalidPageToken(field)
        return tuple(json.loads(payload))

    def _tag(self, payload: bytes, query: bytes) -> bytes:
        return hmac.digest(self._key, query + payload, "sha256")[:_TAG_BYTES]

    def _query(self, request: object, call: Call) -> bytes:
        """A digest of fixed length of everything that must stay the same from page to page."""
        assert isinstance(request, Message)
        bare = type(request)()
        bare.CopyFrom(request)
        for field in _OF_PAGES.intersection(bare.DESCRIPTOR.fields_by_name):
            bare.ClearField(field)
        parts = (call.principal.encode(), call.method.encode(), _deterministic(bare))
        framed = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hashlib.sha256(framed).digest()


def _deterministic(message: Message) -> bytes:
    return message.SerializeToString(deterministic=True)
