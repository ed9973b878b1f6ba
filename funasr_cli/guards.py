"""What is wrong with this decode? Pure functions over tokens and lengths.

They only look at data, never at a clock: the same input is judged the same way every time.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from funasr_cli.characters import readings, toneless
from funasr_cli.protocols import Floats
from funasr_cli.spoken_numbers import find_numbers

HAN_LANGUAGES = ("中文", "粤语", "日文")
MAX_PERIOD = 20
"""Longest phrase, in tokens, whose repetition is looked for."""
LOOP_REPEATS = 4
LOOP_TOKENS = 24
"""A loop repeats at least this often and is at least this long: 哈哈哈哈 is speech."""
BANG_RUN = 8
"""Exclamation marks in a row that mean an overflow in the LLM, never speech."""
TOKENS_PER_SECOND = 11
"""More than the densest speech with one token a character; what the CTC head heard counts too."""
SPARE_TOKENS = 32
SILENCE_PEAK = 1e-4
"""Peak amplitude (of 1.0) below which a segment is digital silence (3 steps of 16 bits)."""

LEAST_SOUNDS = 12
"""Shorter texts (under six characters, two or three words) are never called wrong."""
SPARE_EDITS, EDITS_SHARE, EDITS_A_NUMBER = 4, 0.4, 2
"""Sounds that may differ: some, a share of the longer text, and some more for each number (its
unit may be a sign). Measured on synthetic speech: no alarm for 365 segments with no noise or
little; 25 for 360 with much of it, where 23 texts were wrong; 99 to 100 % for texts of other
segments and for invented ones."""
BROKEN_OFF, BROKEN_OFF_A_NUMBER = 10, 6
"""Sounds at the end of the CTC text, some five syllables, without which a text has broken off; and
some more for each number at the end of the text, whose unit may be a sign."""
BEGINNING_SHARE = 0.3
"""Edits that it may differ by from the beginning of what was heard, as a share of its sounds."""
SPARE_MISSING, MISSING_SHARE = 6, 0.3
"""Sounds of the CTC text that may be missing at least: hesitations and repetitions are left out.
Beyond it are the halves of all texts from 50 sounds on, and of 93 % from 36 on."""

_NUMBER: Final = "\x01"
"""Stands for any number."""
_DIGIT: Final = "[\\d零〇一二三四五六七八九十百千万亿两幺]"
_NUMBERS: Final = re.compile(f"{_DIGIT}+(?:[.:,/点]{_DIGIT}+)*")
_FIRST_CJK: Final = "\u2e80"
"""Nothing before it is Chinese."""


@dataclass(frozen=True)
class Loop:
    """A repetition at the end of a token sequence."""

    start: int
    """Index of its first token."""
    period: int
    """Tokens in one turn."""


def token_budget(seconds: float, ctc_tokens: int) -> int:
    """Most tokens that `seconds` of speech, heard as `ctc_tokens`, can honestly need."""
    return SPARE_TOKENS + max(int(seconds * TOKENS_PER_SECOND), 3 * ctc_tokens)


def is_silent(samples: Floats) -> bool:
    """Tell whether a waveform [S] holds no sound at all."""
    return not samples.size or float(np.abs(samples).max()) < SILENCE_PEAK


def find_loop(
    ids: Sequence[int], *, bangs: frozenset[int] = frozenset(), heard: int = 0
) -> Loop | None:
    """Find a repetition that `ids` ends with.

    Args:
        ids: tokens so far.
        bangs: ids of exclamation marks: a short run of them is enough.
        heard: CTC tokens of the segment: a text of at most twice as many may repeat itself, each
            with its comma.
    """
    run = 0
    while run < len(ids) and ids[-1 - run] in bangs:
        run += 1
    if run >= BANG_RUN:
        return Loop(len(ids) - run, 1)
    if len(ids) <= 2 * heard:  # each with its comma: 好，好，好，
        return None
    for period in range(1, MAX_PERIOD + 1):
        length = period
        while length < len(ids) and ids[-1 - length] == ids[-1 - length + period]:
            length += 1
        if length >= max(LOOP_TOKENS, LOOP_REPEATS * period):
            return Loop(len(ids) - length, period)
    return None


def disagreement(text: str, ctc_text: str) -> float:
    """Measure how differently two texts sound: 0 the same, 1 nothing in common.

    Case, punctuation, homophones and how numbers are written do not count.
    """
    written, heard = _sounds(text), _sounds(ctc_text)
    longest = max(len(written), len(heard))
    return _edits(written, heard) / longest if longest else 0.0


def disagrees(text: str, ctc_text: str) -> bool:
    """Tell whether a text cannot be what the CTC head heard: invented, or half of it missing.

    Never so of a few words, whatever they are.
    """
    written, heard = _sounds(text), _sounds(ctc_text)
    longest = max(len(written), len(heard))
    if longest < LEAST_SOUNDS:
        return False
    numbers = max(written.count(_NUMBER), heard.count(_NUMBER))
    if _breaks_off(written, heard):
        return True
    if len(heard) - len(written) > SPARE_MISSING + MISSING_SHARE * len(heard) + numbers:
        return True
    allowed = SPARE_EDITS + EDITS_SHARE * longest + EDITS_A_NUMBER * numbers
    return _edits(written, heard) > allowed


def is_translation(text: str, ctc_text: str, language: str | None) -> bool:
    """Whether a text is in the language that was asked for, and the speech in another.

    Args:
        text: what was written.
        ctc_text: what the CTC head heard.
        language: as the prompt names it; None: none was asked for.
    """
    if language is None:
        return False
    wanted = language in HAN_LANGUAGES
    return _has_han(text) == wanted != _has_han(ctc_text)


def _has_han(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def _sounds(text: str) -> list[str]:
    """Read a text without tones: initials and finals of Chinese, letters of everything else.

    Numbers that touch are one sound, the same for all: what is said for 2.5, 5'11" or 1/3 has too
    many forms to compare.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    for number in reversed(find_numbers(plain)):
        plain = plain[: number.begin] + number.written + plain[number.end :]
    sounds: list[str] = []
    for char in _NUMBERS.sub(_NUMBER, plain):
        if said := readings(char) if char >= _FIRST_CJK else ():
            sounds += _syllable(said[0])
        elif char.isalpha() or (char == _NUMBER and sounds[-1:] != [_NUMBER]):
            sounds.append(char)
    return sounds


@cache
def _syllable(reading: str) -> tuple[str, ...]:
    """Split into initial and final: zhang3 -> zh ang."""
    syllable = toneless(reading)
    final = syllable.lstrip("bpmfdtnlgkhjqxzcsryw")
    return tuple(filter(None, (syllable[: len(syllable) - len(final)], final)))


def _breaks_off(written: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether a text fits best to a beginning of what was heard, and much was heard behind that."""
    edits = list(_edits_by_prefix(written, heard))
    fitting = min(range(len(edits)), key=lambda size: (edits[size], -size))
    limit = BROKEN_OFF + BROKEN_OFF_A_NUMBER * written[-BROKEN_OFF:].count(_NUMBER)
    fits = edits[fitting] <= BEGINNING_SHARE * len(written)
    return bool(written) and fits and len(heard) - fitting >= limit


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    """Count insertions, deletions and replacements between two sequences (Levenshtein)."""
    *_, last = _edits_by_prefix(one, other)
    return last


def _edits_by_prefix(one: Sequence[str], other: Sequence[str]) -> Iterator[int]:
    """Count the edits between `one` and each beginning of `other`, the empty one first.

    A column of the usual table is two numbers with one bit a row, which says where it rises and
    falls (Myers 1999, Hyyrö 2003): 0.1 ms for 300 sounds instead of 20.
    """
    yield len(one)
    if not one:
        yield from range(1, len(other) + 1)
        return
    where: dict[str, int] = {}
    for at, sound in enumerate(one):
        where[sound] = where.get(sound, 0) | 1 << at
    everywhere, last, edits = (1 << len(one)) - 1, 1 << (len(one) - 1), len(one)
    rises, falls = everywhere, 0
    for sound in other:
        same = where.get(sound, 0)
        flat = (((same & rises) + rises) ^ rises) | same
        grows = falls | (everywhere & ~(flat | rises))
        shrinks = flat & rises
        edits += bool(grows & last) - bool(shrinks & last)
        grows, shrinks = (grows << 1 | 1) & everywhere, (shrinks << 1) & everywhere
        same |= falls
        rises, falls = shrinks | (everywhere & ~(same | grows)), grows & same
        yield edits
