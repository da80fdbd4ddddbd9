"""Times: aware UTC datetimes inside, ``google.protobuf.Timestamp`` on the wire."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from assay_server.domain.errors import InvalidField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_FIRST_SECOND = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _SECOND
_LAST_SECOND = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // _SECOND


def to_timestamp(time: datetime | None) -> Timestamp | None:
    """Translate; None stays None, which leaves a message field absent."""
    if time is None:
        return None
    return Timestamp(seconds=(time - _EPOCH) // _SECOND, nanos=time.microsecond * 1000)


def from_timestamp(timestamp: Timestamp, *, field: str) -> datetime:
    """Translate, rounding down to microseconds.

    Raises:
        InvalidField: It lies outside the years 1 to 9999.
    """
    in_range = _FIRST_SECOND <= timestamp.seconds <= _LAST_SECOND
    if not in_range or not 0 <= timestamp.nanos < 1_000_000_000:
        raise InvalidField(field, "must be a time in the years 1 to 9999")
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)
