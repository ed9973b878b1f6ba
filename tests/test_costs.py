from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.costs import (
    MAX_SLOTS,
    MAX_WIDTH,
    TYPICAL_CPU,
    Acceptance,
    CostCurve,
    choose_slots,
    choose_width,
    monotone,
)

TWO_CORES = TYPICAL_CPU
EIGHT_THREADS = CostCurve((0.0126, 0.019, 0.021, 0.027, 0.038))
H100 = CostCurve((0.00204, 0.00247, 0.00277, 0.00326, 0.00465))
"""One row each of n sequences, from measured tokens per second."""


def test_between_two_points_a_straight_line() -> None:
    curve = CostCurve((1.0, 2.0, 3.0, 5.0, 9.0))
    assert [curve.of(n) for n in (1, 2, 3, 4, 6, 8, 12, 16)] == [1, 2, 2.5, 3, 4, 5, 7, 9]
    assert curve.of(32) == 17


@given(st.lists(st.floats(0.001, 1), min_size=5, max_size=5))
def test_more_rows_never_cost_less(seconds: list[float]) -> None:
    curve = monotone(seconds)
    costs = [curve.of(rows) for rows in range(1, 64)]
    assert all(b >= a - 1e-9 for a, b in pairwise(costs))
    assert min(curve.seconds) == seconds[0]


@pytest.mark.parametrize(("curve", "slots"), [(TWO_CORES, 12), (EIGHT_THREADS, 16), (H100, 16)])
def test_slots(curve: CostCurve, slots: int) -> None:
    assert choose_slots(curve, MAX_SLOTS) == slots
    assert choose_slots(curve, 3) <= 2
    assert choose_slots(curve, 1) == 1


def test_width() -> None:
    """Drafts pay on a GPU and on many cores, not on two."""
    assert choose_width(TWO_CORES, 1, 0.6) == 0
    assert choose_width(TWO_CORES, 8, 0.6) == 0
    assert 2 <= choose_width(EIGHT_THREADS, 1, 0.8) <= MAX_WIDTH
    assert 2 <= choose_width(H100, 1, 0.75) <= MAX_WIDTH
    assert choose_width(H100, 1, 0.1) == 0
    assert choose_width(H100, 1, 0.9) > choose_width(H100, 1, 0.6)


@given(st.floats(0, 1), st.integers(1, 16))
def test_a_width_is_chosen_only_where_it_gains(rate: float, slots: int) -> None:
    for curve in (TWO_CORES, EIGHT_THREADS, H100):
        k = choose_width(curve, slots, rate)
        expected = sum(rate**i for i in range(k + 1))
        assert expected * curve.of(slots) >= curve.of(slots * (1 + k))


def test_acceptance_follows_what_was_seen() -> None:
    seen = Acceptance()
    before = seen.rate
    for _ in range(50):
        seen.saw(0, 4)
    assert seen.rate < before / 2
    for _ in range(400):
        seen.saw(4, 4)
    assert seen.rate > 0.85


def test_what_stands_behind_the_first_miss_says_nothing() -> None:
    short, long = Acceptance(), Acceptance()
    short.saw(1, 2)
    long.saw(1, 16)
    assert short.rate == long.rate
