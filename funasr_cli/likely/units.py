"""CTC tokens -> the units that are written as wholes: words, characters, numbers, hotwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from unicodedata import name

from funasr_cli.characters import HeardChar, heard_characters
from funasr_cli.results import CtcToken, HotwordHit
from funasr_cli.spoken_numbers import find_numbers

LIKELY_HIT: Final = 0.8
"""A hotword that sounds like what was heard to this degree is usually what gets written."""


@cache
def is_ideograph(char: str) -> bool:
    """Whether the script needs no spaces: Chinese characters and kana."""
    return name(char or " ", "").startswith(("CJK", "HIRAGANA", "KATAKANA"))


def is_letter(char: str) -> bool:
    """Whether it makes words together with its neighbours."""
    return char.isalpha() and not is_ideograph(char)


@dataclass(frozen=True)
class Unit:
    """Something that is written as a whole."""

    spoken: str
    """As CTC spells it."""
    written: str
    """The same, unless it is a number or a hotword."""
    start: float
    confidence: float
    """Of its least certain character."""
    pace: int
    """Its length in time: characters, or letters with a space."""


@dataclass(frozen=True)
class _Other:
    """Something else is written for the characters [begin, end)."""

    begin: int
    end: int
    written: str


def find_units(
    tokens: Sequence[CtcToken], *, itn: bool, hits: Sequence[HotwordHit] = ()
) -> list[Unit]:
    """Group what was heard; the spaces between the units are dropped."""
    heard = heard_characters(tokens)
    text = "".join(char.text for char in heard)
    others = {other.begin: other for other in _others(text, heard, itn=itn, hits=hits)}
    units: list[Unit] = []
    at = 0
    while at < len(heard):
        other = others.get(at)
        stop = other.end if other else _word_end(text, at, others)
        if other or not text[at].isspace():
            units.append(_unit(heard[at:stop], other.written if other else None))
        at = stop
    return units


def _word_end(text: str, begin: int, others: dict[int, _Other]) -> int:
    if not is_letter(text[begin]):
        return begin + 1
    end = begin + 1
    while end < len(text) and end not in others and (is_letter(text[end]) or text[end] in "'’-"):
        end += 1
    return end


def _unit(chars: Sequence[HeardChar], written: str | None) -> Unit:
    spoken = "".join(char.text for char in chars)
    ideographs = sum(map(is_ideograph, spoken))
    return Unit(
        spoken=spoken,
        written=spoken if written is None else written,
        start=chars[0].start,
        confidence=min(char.confidence for char in chars),
        pace=ideographs or len(spoken) + 1,
    )


def _others(
    text: str, heard: Sequence[HeardChar], *, itn: bool, hits: Sequence[HotwordHit]
) -> list[_Other]:
    """Choose hotwords and numbers that do not overlap; the most similar hotwords first."""
    found = [_heard_word(text, heard, hit) for hit in sorted(hits, key=lambda hit: -hit.similarity)]
    lowered = text.lower()
    if itn and len(lowered) == len(text):
        found += [_Other(*number) for number in find_numbers(lowered)]
    taken = [False] * len(text)
    chosen: list[_Other] = []
    for other in found:
        if other and not any(taken[other.begin : other.end]):
            taken[other.begin : other.end] = [True] * (other.end - other.begin)
            chosen.append(other)
    return chosen


def _heard_word(text: str, heard: Sequence[HeardChar], hit: HotwordHit) -> _Other | None:
    """Place a hotword over the characters that it was heard in."""
    if hit.similarity < LIKELY_HIT or hit.start is None or hit.end is None or not hit.word:
        return None
    inside = [
        at
        for at, char in enumerate(heard)
        if hit.start <= (char.start + char.end) / 2 < hit.end and not text[at].isspace()
    ]
    return _Other(inside[0], inside[-1] + 1, hit.word) if inside else None
