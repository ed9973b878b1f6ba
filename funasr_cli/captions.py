"""Segments with character times -> subtitle cues of one line each.

Widths and times: Netflix timed text style guides (16 full-width units a line for Chinese, 42
characters for Latin scripts, cues of 5/6 s to 7 s with two frames between them).
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from funasr_cli.results import CharTime, Segment

CJK_WIDTH = 16.0
LATIN_WIDTH = 21.0
"""Widths in full-width units: a Latin character is half a unit."""
MIN_S, MAX_S, GAP_S = 5 / 6, 7.0, 0.083
EPSILON_S = 1e-6
"""What adding and subtracting times may lose."""
PAUSE_S = 1.0
"""A pause of this length always ends a cue."""
SHORT_PAUSE_S, NEARLY_FULL = 0.3, 0.8
"""Weak punctuation ends a cue before such a pause, or when the line is this full."""
STRONG, WEAK = "。！？!?…", "，、；：,;:"

_OPENING = re.escape("《（“‘「『【([{<")
_LETTER = "[A-Za-z0-9À-ɏ]"
_UNIT = re.compile(
    rf"[{_OPENING}]*(?:{_LETTER}(?:(?:[A-Za-z0-9À-ɏ'’.,:%-])*{_LETTER})?%?|\S)(?:(?![{_OPENING}])[^\w\s])*"
)
"""What stays on one line: a Latin word or number, or one character; with the punctuation that
opens it and the punctuation that closes it."""


@dataclass(frozen=True)
class Cue:
    """One subtitle; times in seconds."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class _Unit:
    """A piece of text that is never split, with the space before it."""

    text: str
    start: float
    end: float
    spaced: bool


def cues(segments: Iterable[Segment]) -> list[Cue]:
    """Cut segments into cues: in order, without overlap, none empty.

    A segment without character times becomes one cue.
    """
    found: list[Cue] = []
    spoken = [s for s in segments if s.chars or s.text]
    for segment, following in zip_longest(spoken, spoken[1:]):
        if segment.chars:
            units = list(_units(segment.text, segment.chars))
            limit = _limit(units)
            lines = _lasting(list(_lines(units, limit)), limit, until=_start(following))
            found.extend(_cue(line) for line in lines)
        else:
            found.append(Cue(segment.start, segment.end, segment.text))
    return _evened(_settled(found))


def _start(segment: Segment | None) -> float:
    if segment is None:
        return math.inf
    return segment.chars[0].start if segment.chars else segment.start


def _units(text: str, chars: Sequence[CharTime]) -> Iterator[_Unit]:
    """Join characters to unsplittable units; `chars` are the non-space characters of `text`."""
    at = 0
    end = 0
    for match in _UNIT.finditer(text):
        size = len(re.sub(r"\s", "", match.group()))
        own = chars[at : at + size]
        at += size
        if own:
            spaced = match.start() > end and bool(text[end : match.start()].strip() == "")
            yield _Unit(match.group(), own[0].start, own[-1].end, spaced=spaced)
        end = match.end()


def _limit(units: Sequence[_Unit]) -> float:
    """Choose the width of a line by the script that fills most of it."""
    wide = sum(_width(u.text) for u in units if _is_wide(u.text[0]))
    return CJK_WIDTH if wide * 2 >= sum(_width(u.text) for u in units) else LATIN_WIDTH


def _lines(units: Sequence[_Unit], limit: float) -> Iterator[list[_Unit]]:
    """Group units to lines by width, punctuation, pauses and duration."""
    line: list[_Unit] = []
    for unit in units:
        if line and _breaks(line, unit, limit):
            yield line
            line = []
        line.append(unit)
    if line:
        yield line


def _breaks(line: Sequence[_Unit], unit: _Unit, limit: float) -> bool:
    if not _fits([*line, unit], limit) or _ends_sentence(line[-1], unit):
        return True
    weak, pause = line[-1].text[-1] in WEAK, unit.start - line[-1].end
    width = sum(_width(u.text) + u.spaced / 2 for u in line)
    return weak and (pause >= SHORT_PAUSE_S or width >= NEARLY_FULL * limit)


def _fits(line: Sequence[_Unit], limit: float) -> bool:
    """Tell whether one cue can hold a line: its width, its duration, no pause inside."""
    width = sum(_width(u.text) + u.spaced / 2 for u in line[:-1])
    width += _width(line[-1].text.rstrip(STRONG + WEAK)) + line[-1].spaced / 2
    pause = max((after.start - u.end for u, after in pairwise(line)), default=0.0)
    return width <= limit and line[-1].end - line[0].start <= MAX_S and pause < PAUSE_S


def _ends_sentence(last: _Unit, following: _Unit) -> bool:
    return last.text[-1] in STRONG or (last.text[-1] == "." and following.spaced)


def _lasting(lines: list[list[_Unit]], limit: float, *, until: float) -> list[list[_Unit]]:
    """Join a line that could not stay for `MIN_S` to a neighbour, or give it units of the last.

    Args:
        lines: lines of one segment.
        limit: width of a line.
        until: when the next segment begins.
    """
    kept: list[list[_Unit]] = []
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else []
        end = following[0].start if following else until
        if _room(line, end) >= MIN_S:
            kept.append(line)
        elif kept and _fits([*kept[-1], *line], limit):
            kept[-1] = [*kept[-1], *line]
        elif kept and (split := _split(kept[-1], line, limit, end)):
            kept[-1:] = kept[-1][:split], [*kept[-1][split:], *line]
        elif following and _fits([*line, *following], limit):
            lines[at + 1] = [*line, *following]
        else:
            kept.append(line)
    return kept


def _split(line: list[_Unit], short: list[_Unit], limit: float, end: float) -> int:
    """Find where to cut a line so that its rest and the short one behind it both stay; 0: nowhere.

    The fewest units move, and only within a sentence.
    """
    for at in range(len(line) - 1, 0, -1):
        rest = [*line[at:], *short]
        if _ends_sentence(rest[0], rest[1]) or not _fits(rest, limit):
            break
        if _room(line[:at], rest[0].start) >= MIN_S and _room(rest, end) >= MIN_S:
            return at
    return 0


def _room(line: Sequence[_Unit], end: float) -> float:
    """Return how long a line can stay when the next one begins at `end`."""
    return end - GAP_S - line[0].start


def _cue(line: Sequence[_Unit]) -> Cue:
    text = "".join(" " * u.spaced + u.text for u in line).strip()
    return Cue(line[0].start, line[-1].end, text)


def _settled(found: Sequence[Cue]) -> list[Cue]:
    """Give each cue its minimum time where the next one leaves room; never overlap."""
    settled: list[Cue] = []
    for at, cue in enumerate(found):
        start = max(cue.start, settled[-1].end) if settled else cue.start
        end = max(cue.end, start + MIN_S)
        if at + 1 < len(found):
            end = min(end, found[at + 1].start - GAP_S)
        # characters without a time of their own still get a visible cue
        settled.append(replace(cue, start=start, end=max(end, start + GAP_S)))
    return settled


def _evened(found: Sequence[Cue]) -> list[Cue]:
    """Give time from a cue to a short neighbour, where both can have their minimum."""
    evened = list(found)
    moved = True
    while moved:  # each move leaves fewer short cues and may make room for another one
        moved = False
        for at in range(1, len(evened)):
            one, two = evened[at - 1 : at + 1]
            gap = min(GAP_S, two.start - one.end)
            if two.end - one.start - gap < 2 * MIN_S or not (_short(one) or _short(two)):
                continue
            if _short(one):
                one = replace(one, end=one.start + MIN_S)
                two = replace(two, start=max(two.start, one.end + gap))
            else:
                two = replace(two, start=two.end - MIN_S)
                one = replace(one, end=min(one.end, two.start - gap))
            evened[at - 1 : at + 1] = one, two
            moved = True
    return evened


def _short(cue: Cue) -> bool:
    return cue.end - cue.start < MIN_S - EPSILON_S


def _width(text: str) -> float:
    return sum(1.0 if _is_wide(c) else 0.5 for c in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
