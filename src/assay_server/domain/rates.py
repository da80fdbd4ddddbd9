"""How often one caller may call: a bucket of tokens, each call takes one.

A bucket holds ``burst`` tokens and gets ``per_s`` new ones a second. All that must be remembered of
it is the moment at which it will be full again; of a full one nothing.
"""

from dataclasses import dataclass

_ROUNDING = 1e-6
"""A token that is there but for the rounding of floats is there."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_s`` tokens a second, and at most ``burst`` saved up. 0 a second is no limit."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of the bucket, and of the call: one that has to wait took no token."""

    full_at_s: float
    wait_s: float


def take(rate: Rate, *, full_at_s: float, now_s: float) -> Taken:
    """Take one token from the bucket that will be full at ``full_at_s``."""
    if rate.per_s <= 0:
        return Taken(now_s, 0.0)
    filling_from_s = max(full_at_s, now_s)
    missing = (filling_from_s - now_s) * rate.per_s
    short = missing + 1 - max(rate.burst, 1)
    if short > _ROUNDING:
        return Taken(full_at_s, short / rate.per_s)
    return Taken(filling_from_s + 1 / rate.per_s, 0.0)
