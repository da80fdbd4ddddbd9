"""Times as the database keeps them: whole microseconds, which compare like the times they are."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US


def to_us(time: datetime) -> int:
    """Microseconds since 1970 UTC; exact, which ``datetime.timestamp`` is not."""
    since = time - EPOCH
    return since.days * _DAY_US + since.seconds * _SECOND_US + since.microseconds


def to_us_or_null(time: datetime | None) -> int | None:
    """``to_us``, or None for never."""
    return None if time is None else to_us(time)


def from_us(time_us: int) -> datetime:
    """The time, aware, in UTC."""
    return EPOCH + timedelta(microseconds=time_us)


def from_us_or_null(time_us: int | None) -> datetime | None:
    """``from_us``, or None for never."""
    return None if time_us is None else from_us(time_us)
