"""The one byte string that stands for a value: what digests are taken of.

The form is RFC 8785 (JSON Canonicalization Scheme), of which only strings, integers, booleans,
null, arrays and objects are used, so that a library for any language can make it:

- UTF-8, no white space; members of an object sorted by the UTF-16 code units of their names;
- strings escape only the quotation mark, the backslash and control characters (the short
  escapes b, t, n, f and r where there is one, else u00xx in lower case);
- integers lie within ±(2^53 - 1); there are no floats.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence

INTEGER_MAX = 2**53 - 1
"""The largest integer that every JSON library reads back unchanged (RFC 7493 §2.2)."""

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical_bytes(value: Json) -> bytes:
    """Encode ``value`` in the canonical form."""
    text = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def canonical_digest(value: Json) -> str:
    """SHA-256 of the canonical form, as ``sha256:<hex>``."""
    return "sha256:" + hashlib.sha256(canonical_bytes(value)).hexdigest()


def as_set(values: Sequence[Json]) -> list[Json]:
    """An array whose order carries no meaning: sorted by the canonical bytes of its elements."""
    return sorted(values, key=canonical_bytes)


def _ordered(value: Json) -> Json:
    if isinstance(value, str) or value is None or isinstance(value, int):
        assert not isinstance(value, int) or abs(value) <= INTEGER_MAX, "not an I-JSON integer"
        return value
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    return [_ordered(element) for element in value]
