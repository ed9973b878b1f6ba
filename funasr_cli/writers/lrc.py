"""Lyrics for music players: a time a line (LRC), or a time a word too (enhanced LRC, "A2").

Hundredths of a second; minutes go on counting after the first hour. There are no escapes: what
would be read as a tag gets full-width brackets.
"""

import re
from collections.abc import Callable, Iterator
from itertools import zip_longest

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import CENTI, clock
from funasr_cli.writers.spoken import Line, lines, one_row

CLEAR_S = 2.0
"""A line without text ends one that a pause of this length follows: players show a line until
the next one."""
_LINE_TAG = re.compile(r"\[([^\[\]]*:[^\[\]]*)\]")
_WORD_TAG = re.compile(r"<(\s*\d[^<>]*)>")


def to_lrc(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write a line a cue: `[MM:SS.cc]text`."""
    return _lyrics(transcript, captions, lambda line: _safe(line.text.strip()))


def to_elrc(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write a line a cue with a time before each word or CJK character, and one at its end.

    `[MM:SS.cc]<MM:SS.cc>word <MM:SS.cc>word<MM:SS.cc>`; a cue without times of its characters is
    written as in LRC.
    """
    return _lyrics(transcript, captions, _with_times)


def _lyrics(transcript: Transcript, captions: CaptionOptions, text: Callable[[Line], str]) -> str:
    head = f"[length:{_clock(transcript.start + transcript.duration)}]\n[re:funasr-cli]\n"
    return head + "".join(_rows(lines(transcript, captions), text))


def _rows(found: list[Line], text: Callable[[Line], str]) -> Iterator[str]:
    for line, after in zip_longest(found, found[1:]):
        yield f"[{_clock(line.start)}]{text(line)}\n"
        if after is None or after.start - line.end >= CLEAR_S:
            yield f"[{_clock(line.end)}]\n"


def _with_times(line: Line) -> str:
    if not line.words:
        return _safe(line.text.strip())
    text, now = "", line.start
    for at, word in enumerate(line.words):
        now = max(now, word.start)
        # the space stands before the tag, where players expect it
        lead = " " if at and word.text[:1].isspace() else ""
        text += f"{lead}<{_clock(now)}>{_safe(one_row(word.text))}"
    return f"{text}<{_clock(max(now, line.words[-1].end))}>"


def _safe(text: str) -> str:
    text = _WORD_TAG.sub(r"＜\1＞", _LINE_TAG.sub(r"［\1］", text))
    # FFmpeg takes any bracket behind the tag for the beginning of another one
    return f"［{text[1:]}" if text.startswith("[") else text


def _clock(seconds: float) -> str:
    at = clock(seconds, CENTI)
    return f"{at.hours * 60 + at.minutes:02}:{at.seconds:02}.{at.part:02}"
