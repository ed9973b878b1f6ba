"""How likely Chinese text is, by its words: where they begin, what they cost.

A leaf: captions are cut between words, and hotwords are weighed against them.

`chinese_words.txt` holds words in the order of their frequency (tests/make_words.py takes them
from jieba: MIT licence, copyright (c) 2013 Sun Junyi). Its rank tells how likely a word is (Zipf's
law: the share of all words falls with one over the rank). Costs are minus natural logarithms of
likelihoods; a text costs the sum of its words, cut in the cheapest way.
"""

from functools import cache
from math import inf, log
from pathlib import Path
from typing import Final

WORDS: Final = Path(__file__).parent / "chinese_words.txt"
ANOTHER_WORD: Final = 1.0
"""Costs every word on top of its own: words taken one by one make a row of short ones look likelier
than it is. Between 1 and 3, hotwords come out much the same."""
_LONGEST: Final = 4
"""Characters of the longest word in the list."""
_MOST: Final = 400
"""Characters that are cut into words at once: more without punctuation is no text."""


def word_starts(run: str) -> list[int]:
    """Cut Chinese characters into the likeliest words; where each begins."""
    starts: list[int] = []
    for begin in range(0, len(run), _MOST):
        starts += [begin + at for at in _likeliest(run[begin : begin + _MOST])]
    return starts


def costs_before(text: str) -> list[float]:
    """What the first 0, 1, 2 ... characters of a text cost: one more entry than characters."""
    return _cheapest(text)[0]


def costs_behind(text: str) -> list[float]:
    """What the text costs from its character 0, 1, 2 ... on, and 0 for its end."""
    words, unknown = _costs(), _unknown()
    costs = [inf] * len(text) + [0.0]
    for begin in range(len(text) - 1, -1, -1):
        costs[begin] = unknown + costs[begin + 1]
        for end in range(begin + 1, min(len(text), begin + _LONGEST) + 1):
            cost = words.get(text[begin:end])
            if cost is not None and cost + costs[end] < costs[begin]:
                costs[begin] = cost + costs[end]
    return costs


def _likeliest(run: str) -> list[int]:
    _, origin = _cheapest(run)
    starts = []
    at = len(run)
    while at:
        at = origin[at]
        starts.append(at)
    return starts[::-1]


def _cheapest(text: str) -> tuple[list[float], list[int]]:
    """Cost of each beginning of a text, and where its last word begins (Viterbi)."""
    words, unknown = _costs(), _unknown()
    costs = [0.0] + [inf] * len(text)
    origin = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        costs[end], origin[end] = costs[end - 1] + unknown, end - 1
        for begin in range(max(0, end - _LONGEST), end):
            cost = words.get(text[begin:end])
            if cost is not None and costs[begin] + cost < costs[end]:
                costs[end], origin[end] = costs[begin] + cost, begin
    return costs, origin


def _unknown() -> float:
    """What a character costs that is no word: more than any that is."""
    return 2 * log(len(_costs())) + ANOTHER_WORD


@cache
def _costs() -> dict[str, float]:
    """What each word costs."""
    words = WORDS.read_text(encoding="utf-8").split()
    total = sum(1 / rank for rank in range(1, len(words) + 1))
    return {word: log(rank * total) + ANOTHER_WORD for rank, word in enumerate(words, 1)}
