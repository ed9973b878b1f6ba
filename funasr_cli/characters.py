"""Characters: what CTC tokens spell and when, how a text splits, how a character sounds.

A leaf: alignment and hotword recall both start from here.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from math import inf
from pathlib import Path
from typing import Final, NamedTuple

from funasr_cli.results import CtcToken

MAX_CHAR_S: Final = 0.4
"""CTC spikes are shorter than sounds: a character lasts until the next one starts, but never
longer than this (slow Mandarin: about 2.5 syllables a second)."""
MAX_LETTER_S: Final = 0.08
"""The same for each letter of a token that holds several (150 words a minute)."""
_FIRST_READ: Final = "\u3007"
"""The first character that has a reading: 〇."""

_ZERO_WIDTH_JOINER: Final = "\u200d"
_REPLACEMENT: Final = "\ufffd"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})


class HeardChar(NamedTuple):
    """One character that the CTC head wrote; times in seconds.

    A tuple, not a dataclass: an hour of speech makes twenty thousand of them.
    """

    text: str
    start: float
    end: float
    confidence: float
    """Least posterior of the tokens it was spread over."""
    alternatives: tuple[tuple[str, float], ...] = ()
    """Characters that may have been said instead, with their posteriors."""
    tokens: tuple[int, int] = (0, 0)
    """The first of the tokens it was spread over, and the one behind the last."""


def heard_characters(tokens: Sequence[CtcToken]) -> list[HeardChar]:
    """Read the tokens' joined bytes as UTF-8 (undecodable bytes: U+FFFD) and time each character.

    Spaces are kept. Starts never decrease; an end never lies behind the next start.
    """
    groups: list[list[_Piece]] = []  # of characters that begin in the same token
    for piece in _pieces(tokens):
        if groups and groups[-1][0].first == piece.first:
            groups[-1].append(piece)
        else:
            groups.append([piece])

    heard: list[HeardChar] = []
    floor = tokens[0].start if tokens else 0.0
    for at, group in enumerate(groups):
        token = tokens[group[0].first]
        ceiling = tokens[groups[at + 1][0].first].start if at + 1 < len(groups) else inf
        floor = max(floor, token.start)
        sounded = len(group) - [piece.char.isspace() for piece in group].count(True)
        longest = floor + max(MAX_CHAR_S, MAX_LETTER_S * sounded)
        limit = max(floor, min(ceiling, max(token.end, longest)))
        step = (limit - floor) / max(1, sounded)
        others = _other_characters(token) if len(token.piece) > 1 else ()
        done = 0
        for char, first, last in group:
            start = floor + step * done
            done += not char.isspace()
            end = limit if 0 < done == sounded else floor + step * done
            doubt = token.confidence
            if last > first + 1:
                doubt = min(token.confidence for token in tokens[first:last])
            heard.append(HeardChar(char, start, end, doubt, others, (first, last)))
    return heard


class _Piece(NamedTuple):
    """One character, the token it begins in and the one behind its last."""

    char: str
    first: int
    last: int


def _pieces(tokens: Sequence[CtcToken]) -> list[_Piece]:
    stops = list(accumulate(len(token.piece) for token in tokens))
    pieces: list[_Piece] = []
    first = 0
    for char, begin, stop in _decode(b"".join(token.piece for token in tokens)):
        while stops[first] <= begin:
            first += 1
        last = first
        while stops[last] < stop:
            last += 1
        pieces.append(_Piece(char, first, last + 1))
    return pieces


def _other_characters(token: CtcToken) -> tuple[tuple[str, float], ...]:
    """Other readings of a token that is one character; only such as are one, too."""
    if not token.alternatives or _one_character(token.piece) is None:
        return ()
    found = ((_one_character(piece), posterior) for piece, posterior in token.alternatives)
    return tuple((char, posterior) for char, posterior in found if char is not None)


def _one_character(piece: bytes) -> str | None:
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return None
    return text if len(text) == 1 else None


def _decode(data: bytes) -> list[tuple[str, int, int]]:
    """Decode like `errors="replace"`, keeping the byte range of each character."""
    spans: list[tuple[str, int, int]] = []
    at = 0
    while at < len(data):
        try:
            good, bad = data[at:].decode(), None
        except UnicodeDecodeError as error:
            good, bad = data[at : at + error.start].decode(), (at + error.start, at + error.end)
        for char in good:
            width = len(char.encode())
            spans.append((char, at, at + width))
            at += width
        if bad is not None:
            spans.append((_REPLACEMENT, *bad))
            at = bad[1]
    return spans


def graphemes(text: str) -> list[str]:
    """Split into characters as a reader counts them, spaces left out.

    Combining marks, variation selectors and joined emoji stay with their base.
    """
    clusters: list[str] = []
    open_cluster = joined = False
    for char in text:
        mark = char == _ZERO_WIDTH_JOINER or unicodedata.category(char) in _MARKS
        if char.isspace():
            open_cluster = False
        elif open_cluster and (mark or joined):
            clusters[-1] += char
        else:
            clusters.append(char)
            open_cluster = True
        joined = char == _ZERO_WIDTH_JOINER
    return clusters


@cache
def readings(char: str) -> tuple[str, ...]:
    """Look up how one Chinese character is read in Mandarin, commonest first.

    From `readings.txt`, which tests/make_readings.py writes: pypinyin's dictionaries without their
    archaic readings. They are 60 MB in memory and half a second to load; this is one string.

    Returns:
        Syllables with their tone digit (`zhang3`, `lv4`, neutral `de`); empty for anything else.
    """
    if char < _FIRST_READ:
        return ()
    table = _table()
    at = table.find(f"\n{char}")
    return tuple(table[at + 2 : table.index("\n", at + 1)].split(" ")) if at >= 0 else ()


@cache
def syllables() -> dict[str, tuple[str, str]]:
    """Initial and final of each syllable without its tone, in pypinyin's strict spelling."""
    table = _table()
    parts = (entry.split(",") for entry in table[1 : table.index("\n", 1)].split(" "))
    return {syllable: (initial, final) for syllable, initial, final in parts}


@cache
def _table() -> str:
    """All syllables in one line, then lines of a character and its readings: `长chang2 zhang3`."""
    text = (Path(__file__).parent / "readings.txt").read_text(encoding="utf-8")
    return f"\n{text}"


def toneless(reading: str) -> str:
    """Drop the tone digit."""
    return reading.rstrip("12345")
