from itertools import combinations, pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.chinese_words import WORDS, costs_before, costs_behind, word_starts

TEXTS = st.text(st.sampled_from("我们今天下午开会的是不一样囧x 阳光"), max_size=9)


def slow_cost(text: str) -> float:
    """Every way to cut a text, tried."""
    best = inf
    for count in range(len(text)):
        for inner in combinations(range(1, len(text)), count):
            ends = (0, *inner, len(text))
            words = [text[a:b] for a, b in pairwise(ends)]
            # a word longer than one character that is not in the list cannot be taken whole
            if all(len(word) == 1 or word_starts(word) == [0] for word in words):
                best = min(best, sum(costs_before(word)[-1] for word in words))
    return best if text else 0.0


@settings(deadline=None)
@given(TEXTS)
def test_the_cost_of_a_text_is_that_of_its_cheapest_words(text: str) -> None:
    assert costs_before(text)[-1] == pytest.approx(slow_cost(text))


@given(TEXTS)
def test_both_directions_agree(text: str) -> None:
    before, behind = costs_before(text), costs_behind(text)
    assert behind[0] == pytest.approx(before[-1])
    assert [before[0], behind[-1]] == [0, 0]
    starts = [*word_starts(text), len(text)]
    # a cut of the cheapest way costs nothing, any other something
    assert all(before[at] + behind[at] == pytest.approx(before[-1]) for at in starts)
    assert all(before[at] + behind[at] >= before[-1] - 1e-9 for at in range(len(text) + 1))


def test_frequent_words_cost_less_and_nonsense_costs_most() -> None:
    cost = {text: costs_before(text)[-1] for text in ("我们", "房间", "坊间", "囧囧")}
    assert cost["我们"] < cost["房间"] < cost["坊间"] < cost["囧囧"]


def test_everyday_words_that_are_names_too_are_known() -> None:
    words = set(WORDS.read_text(encoding="utf-8").split())
    assert words >= {"阳光", "智慧", "明白", "静音"}
    assert max(map(len, words)) == 4
