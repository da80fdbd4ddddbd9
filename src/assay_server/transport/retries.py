"""What makes a retry the same call: its request id, and a digest of all else it says."""

import hashlib
import re
from typing import Any

from assay_server.domain.errors import InvalidField

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def request_id_of(request: Any) -> str:
    """The request id in lower case; empty when there is none.

    Raises:
        InvalidField: It is not a UUID.
    """
    text: str = getattr(request, "request_id", "").lower()
    if text and not _UUID.fullmatch(text):
        raise InvalidField(
            "request_id", "must be a UUID, such as 6f1d1d5e-6c1c-4d6f-9f1b-0e4a5c8f0a11"
        )
    return text


def payload_sha256(request: Any) -> str:
    """Digest of our own deterministic encoding: clients may encode a retry in another order."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("request_id")
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
