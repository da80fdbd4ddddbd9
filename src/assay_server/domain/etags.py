"""Freshness tags: they guard what people edit, not the counters that grow on their own."""

from assay_server.domain.errors import EtagMismatch


def require_etag(name: str, *, expected: str, current: str) -> None:
    """Refuse a change that was decided on an older state; an empty ``expected`` asks nothing.

    Raises:
        EtagMismatch: The resource changed since its tag was read.
    """
    if expected and expected != current:
        raise EtagMismatch(name, current)
