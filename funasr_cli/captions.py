"""Segments with character times -> subtitle cues of one line each.

Widths and times: Netflix timed text style guides (16 full-width units a line for Chinese, 42
characters for Latin scripts, cues of 5/6 s to 7 s with two frames between them).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from funasr_cli.results import CharTime, Segment

CJK_WIDTH = 16.0
LATIN_WIDTH = 21.0
"""Widths in full-width units: a Latin character is half a unit."""
MIN_S, MAX_S, GAP_S = 5 / 6, 7.0, 0.083
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
    for segment in segments:
        if segment.chars:
            units = list(_units(segment.text, segment.chars))
            found.extend(_cue(line) for line in _lines(units))
        elif segment.text:
            found.append(Cue(segment.start, segment.end, segment.text))
    return _settled(found)


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


def _lines(units: Sequence[_Unit]) -> Iterator[list[_Unit]]:
    """Group units to lines by width, punctuation, pauses and duration."""
    wide = sum(_width(u.text) for u in units if _is_wide(u.text[0]))
    limit = CJK_WIDTH if wide * 2 >= sum(_width(u.text) for u in units) else LATIN_WIDTH
    line: list[_Unit] = []
    for unit in units:
        if line and _breaks(line, unit, limit):
            yield line
            line = []
        line.append(unit)
    if line:
        yield line


def _breaks(line: Sequence[_Unit], unit: _Unit, limit: float) -> bool:
    last, pause = line[-1], unit.start - line[-1].end
    width = sum(_width(u.text) + u.spaced / 2 for u in line)
    if width + _width(unit.text.rstrip(STRONG + WEAK)) + unit.spaced / 2 > limit:
        return True
    if unit.end - line[0].start > MAX_S or pause >= PAUSE_S or last.text[-1] in STRONG:
        return True
    if last.text[-1] == "." and unit.spaced:
        return True
    weak = last.text[-1] in WEAK
    return weak and (pause >= SHORT_PAUSE_S or width >= NEARLY_FULL * limit)


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


def _width(text: str) -> float:
    return sum(1.0 if _is_wide(c) else 0.5 for c in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
