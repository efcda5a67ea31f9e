"""The wait before another try grows, is capped, and is spread by full jitter."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubber_duck.backoff import Backoff


def _whole() -> float:
    return 1.0


def test_delays_double_up_to_the_cap() -> None:
    delays = Backoff(first_s=1.0, factor=2.0, cap_s=10.0).delays_s(_whole)

    assert list(itertools.islice(delays, 6)) == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_the_first_retry_is_number_zero() -> None:
    assert Backoff(first_s=0.25).delay_s(0, _whole) == 0.25


def test_randomness_takes_its_part_of_the_whole_delay() -> None:
    assert Backoff(first_s=4.0).delay_s(1, lambda: 0.25) == 2.0


def test_each_delay_asks_for_its_own_randomness() -> None:
    thrown = iter([0.0, 0.5, 1.0])
    delays = Backoff(first_s=1.0, factor=1.0).delays_s(lambda: next(thrown))

    assert list(itertools.islice(delays, 3)) == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("attempt", [2_000, 10**9])
def test_a_hundred_thousand_tries_do_not_overflow(attempt: int) -> None:
    assert Backoff().delay_s(attempt, _whole) == 30.0


@given(
    attempt=st.integers(0, 10**6),
    thrown=st.floats(0, 1, exclude_max=True),
    first_s=st.floats(0.001, 100),
    factor=st.floats(1, 10),
    cap_s=st.floats(0.001, 1000),
)
def test_a_delay_is_never_negative_nor_above_the_cap(
    attempt: int, thrown: float, first_s: float, factor: float, cap_s: float
) -> None:
    assert 0 <= Backoff(first_s, factor, cap_s).delay_s(attempt, lambda: thrown) <= cap_s
