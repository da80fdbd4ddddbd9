"""Values as people read them: sizes, times, digests, metrics, principals."""

import datetime as dt
import re
from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from assay import names
from assay.v1 import evaluation_pb2, version_pb2

_LONG_NAME = re.compile(
    r"namespaces/[a-z0-9-]+(?:/models/[a-z0-9-]+(?:/(?:versions|aliases)/[a-z0-9-]+)?)?\b"
)
_EVALUATION = re.compile(r" \(evaluation [0-9a-f-]{36}\)")
"""Said by every finding of a gate; which evaluation it was matters to programs."""

_VERSION = re.compile(r"(?:[^/@\s]+/)?[^/@\s]+/[1-9][0-9]*|namespaces/\S+/versions/[1-9][0-9]*")
TYPED_ID_MAX = 24
"""Ids that the server gives are UUIDs, which nobody reads."""

_UNITS = ("kB", "MB", "GB", "TB", "PB")


def size(size_bytes: int) -> str:
    """``1.2 MB``: decimal units, as disks and networks are sold (IEC 80000-13)."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    value = size_bytes / 1000
    units = iter(_UNITS)
    unit = next(units)
    while value >= 999.5 and unit != _UNITS[-1]:
        value /= 1000
        unit = next(units)
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def moment(timestamp: Timestamp) -> str:
    """``2026-01-31 14:05:09`` by the clock of this machine; empty where there is no time."""
    return f"{_local(timestamp):%Y-%m-%d %H:%M:%S}" if timestamp.seconds else ""


def moment_in_list(timestamp: Timestamp) -> str:
    """``14:05:09`` for a time of today, ``2026-01-31 14:05`` for an earlier one."""
    if not timestamp.seconds:
        return ""
    time = _local(timestamp)
    is_today = time.date() == dt.datetime.now().astimezone().date()
    return f"{time:%H:%M:%S}" if is_today else f"{time:%Y-%m-%d %H:%M}"


def span(duration: dt.timedelta) -> str:
    """``3 days``, ``20 min``: the greatest unit that is at least one."""
    seconds = abs(duration.total_seconds())
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return "1 day" if (unit, count) == ("days", 1) else f"{count} {unit}"
    return f"{seconds:.0f} s"


def digest(text: str) -> str:
    """The first 12 hex digits: enough to tell versions of one model apart by eye."""
    algorithm, found, hexadecimal = text.partition(":")
    return f"{algorithm}:{hexadecimal[:12]}" if found else text


def number(value: float) -> str:
    """A metric with four significant digits, and without needless zeros."""
    return f"{value:.4g}"


def metric(measured: evaluation_pb2.Metric) -> str:
    """A metric with its unit; a ratio has none that needs saying."""
    unit = "" if measured.unit in {"", "ratio"} else f" {measured.unit}"
    return number(measured.value) + unit


def state(value: "version_pb2.VersionState.ValueType") -> str:
    """``READY``; the number of a state that this client does not know."""
    try:
        return version_pb2.VersionState.Name(value).removeprefix("VERSION_STATE_")
    except ValueError:
        return str(value)


def person(principal: str) -> str:
    """A principal without its scheme, which says nothing in a column of principals."""
    return principal.removeprefix("spiffe://")


def people(principals: Iterable[str]) -> dict[str, str]:
    """The shortest ends of principals that still tell these apart, for a column of them."""
    known = {*principals}
    return {each: _shortest_end(each, known - {each}) for each in known}


def resource(name: str) -> str:
    """A resource as people type it; what nobody types, by its kind and the end of its id."""
    typed = names.short(name)
    if typed != name or not name.startswith("namespaces/") or name.count("/") < 3:
        return typed
    parent, kind, identity = name.rsplit("/", 2)
    told = f"…{identity[-6:]}" if len(identity) > TYPED_ID_MAX else identity
    return f"{resource(parent)} {kind.removesuffix('s')} {told}"


def shortened(sentence: str) -> str:
    """A sentence with the names of resources and principals as people say them."""
    sentence = _EVALUATION.sub("", sentence)
    return person_in(_LONG_NAME.sub(lambda found: names.short(found[0]), sentence))


def person_in(sentence: str) -> str:
    """A sentence with its principals without their scheme."""
    return sentence.replace("spiffe://", "")


def is_version(typed: str) -> bool:
    """Whether this refers to a version, as far as its shape tells."""
    return "@" in typed or bool(_VERSION.fullmatch(typed))


def within(model: str, typed: str) -> str:
    """A reference from what is typed where the model is known: ``3``, ``1.4.2``, ``@^1.4``."""
    if "/" in typed:
        return typed
    if typed.isdecimal():
        return f"{names.short(model)}/{typed}"
    return f"{names.short(model)}@{typed.removeprefix('@')}"


def counted(count: int, thing: str, things: str = "") -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {thing if count == 1 else things or thing + 's'}"


def _shortest_end(principal: str, others: set[str]) -> str:
    """``ada``, else ``team/ada``, else ``acme/team/ada``, else the whole."""
    parts = principal.split("/")
    for start in range(len(parts) - 1, 0, -1):
        end = "/".join(parts[start:])
        if end and not any(other.endswith(end) for other in others):
            return end
    return principal


def _local(timestamp: Timestamp) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp.seconds, dt.UTC).astimezone()
