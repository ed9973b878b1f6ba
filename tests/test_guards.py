import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.guards import (
    LOOP_REPEATS,
    LOOP_TOKENS,
    MAX_PERIOD,
    find_loop,
    is_silent,
    token_budget,
)

distinct = st.lists(st.integers(1000, 9999), unique=True, max_size=30)


@given(distinct, st.lists(st.integers(0, 999), min_size=1, max_size=MAX_PERIOD, unique=True))
def test_a_loop_of_any_period_is_found_where_it_begins(before: list[int], turn: list[int]) -> None:
    repeats = max(LOOP_REPEATS, -(-LOOP_TOKENS // len(turn)))
    loop = find_loop(before + turn * repeats)
    assert loop is not None
    assert (loop.start, loop.period) == (len(before), len(turn))


@given(st.lists(st.integers(0, 10**6), unique=True, max_size=80))
def test_text_without_repetition_is_no_loop(ids: list[int]) -> None:
    assert find_loop(ids) is None


def test_short_repetitions_are_speech() -> None:
    assert find_loop([5] * 10) is None  # a telephone number, 哈哈哈哈
    assert find_loop([1, 2, 3] * 3) is None  # 对不起对不起对不起


def test_a_repetition_that_was_heard_is_speech() -> None:
    assert find_loop([5] * 40) is not None
    assert find_loop([5] * 40, heard=45) is None
    assert find_loop([5, 6] * 12, heard=12) is None  # 好，好，好，
    assert find_loop([5, 6] * 30, heard=12) is not None


def test_a_short_run_of_exclamation_marks_is_an_overflow() -> None:
    assert find_loop([7, 8] + [3] * 8, bangs=frozenset({3}), heard=99) is not None
    assert find_loop([7, 8] + [3] * 7, bangs=frozenset({3}), heard=99) is None


def test_the_budget_grows_with_sound_and_with_what_was_heard() -> None:
    assert token_budget(1.0, 0) < token_budget(10.0, 0)
    assert token_budget(1.0, 100) > 300


def test_silence_is_the_absence_of_any_sound() -> None:
    assert is_silent(np.zeros(16000, np.float32))
    assert is_silent(np.full(16000, 1e-5, np.float32))
    assert not is_silent(np.full(16000, 1e-3, np.float32))
