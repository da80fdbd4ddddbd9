"""A bucket of tokens: bursts pass, floods wait, time heals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay_server.domain.rates import Rate, take

RATE = Rate(per_s=10, burst=5)


def calls(rate: Rate, *times_s: float) -> list[float]:
    """How long each of the calls at these times has to wait."""
    full_at_s, waits = times_s[0], []
    for now_s in times_s:
        taken = take(rate, full_at_s=full_at_s, now_s=now_s)
        full_at_s = taken.full_at_s
        waits.append(taken.wait_s)
    return waits


def test_a_burst_passes_and_the_next_waits_for_one_token() -> None:
    assert calls(RATE, *[7.0] * 6) == [0, 0, 0, 0, 0, pytest.approx(0.1)]


def test_after_the_wait_exactly_one_more_passes() -> None:
    assert calls(RATE, *[7.0] * 5, 7.1, 7.1)[-2:] == [0, pytest.approx(0.1)]


def test_a_quiet_hour_saves_up_no_more_than_the_burst() -> None:
    waits = calls(RATE, 0.0, *[3600.0] * 6)

    assert [wait > 0 for wait in waits] == [False] * 6 + [True]


def test_a_refused_call_takes_nothing() -> None:
    waits = calls(RATE, *[0.0] * 5, *[0.05] * 100, 0.1)

    assert waits[-1] == 0


def test_no_rate_is_no_limit() -> None:
    assert not any(calls(Rate(per_s=0, burst=1), *[1.0] * 1000))


@given(
    st.floats(0.5, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 0.1), min_size=1, max_size=200),
)
def test_in_no_stretch_of_time_do_more_pass_than_the_burst_and_its_refill(
    per_s: float, burst: int, pauses_s: list[float]
) -> None:
    times_s = [sum(pauses_s[: end + 1]) for end in range(len(pauses_s))]
    passed = [
        at
        for at, wait in zip(times_s, calls(Rate(per_s, burst), *times_s), strict=True)
        if wait == 0
    ]
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            stretch_s = passed[last] - passed[first]
            assert last - first + 1 <= burst + stretch_s * per_s + 0.01
