"""Where words begin in scripts that do not put a space between them.

Chinese: the likeliest words by a list in the order of frequency (`words.txt`, which
tests/make_words.py takes from jieba: MIT licence, copyright (c) 2013 Sun Junyi). Japanese: a
phrase begins where an ideograph, katakana or a digit follows hiragana. Only spaces tell in Korean,
and nothing does in Thai, Lao, Khmer and Burmese.
"""

import re
from functools import cache
from math import inf, log
from pathlib import Path
from typing import Final

from funasr_cli.script import Script

WORDS: Final = Path(__file__).parent / "words.txt"
_LONGEST: Final = 4
"""Characters of the longest word in the list."""
_MOST: Final = 400
"""Characters that are cut into words at once: more without punctuation is no text."""

BREAKABLE: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3005-\u3007\u3041-\u3096\u3099-\u30fa"
    r"\u30fc-\u30ff\u31f0-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    r"\U00020000-\U0003ffff"
)
"""Inside [] of a pattern: what may be cut between any two characters, if it has to be."""
_RUN: Final = re.compile(f"[{BREAKABLE}]+")
_HAN_RUN: Final = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff]+")
_AFTER_HIRAGANA: Final = re.compile(r"(?<=[\u3041-\u309f])(?=[^\u3041-\u309f\u30fc\s])")


def inner_offsets(text: str, script: Script) -> set[int]:
    """Find the offsets at which a cut would go through a word of a script without spaces."""
    inner = {at for run in _RUN.finditer(text) for at in range(run.start() + 1, run.end())}
    if script == "zh":
        for run in _HAN_RUN.finditer(text):
            inner.difference_update(run.start() + at for at in word_starts(run.group()))
    elif script == "ja":
        inner.difference_update(match.start() for match in _AFTER_HIRAGANA.finditer(text))
    return inner


def word_starts(run: str) -> list[int]:
    """Cut Chinese characters into the likeliest words; where each begins.

    Its rank in the list tells how likely a word is (Zipf's law: the share of all words falls with
    one over the rank); the likeliest words are those with the highest product.
    """
    starts: list[int] = []
    for begin in range(0, len(run), _MOST):
        starts += [begin + at for at in _likeliest(run[begin : begin + _MOST])]
    return starts


def _likeliest(run: str) -> list[int]:
    costs = _costs()
    unknown = 2 * log(len(costs))  # rarer than any
    best = [0.0] + [inf] * len(run)
    origin = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        for begin in range(max(0, end - _LONGEST), end):
            cost = costs.get(run[begin:end], unknown if end - begin == 1 else inf)
            if best[begin] + cost < best[end]:
                best[end], origin[end] = best[begin] + cost, begin
    starts = []
    at = len(run)
    while at:
        at = origin[at]
        starts.append(at)
    return starts[::-1]


@cache
def _costs() -> dict[str, float]:
    """Minus the logarithm of each word's share of all words."""
    words = WORDS.read_text(encoding="utf-8").split()
    total = sum(1 / rank for rank in range(1, len(words) + 1))
    return {word: log(rank * total) for rank, word in enumerate(words, 1)}
