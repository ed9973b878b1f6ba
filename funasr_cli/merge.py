"""Texts of consecutive segments -> one transcript.

Where speech was cut, two segments share a second or two: both have its words, and one of them may
have half a word at its edge. They are joined at a word that both have at the same time.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from funasr_cli.characters import graphemes
from funasr_cli.results import CharTime, Segment
from funasr_cli.script import UNSPACED, spaced_between

_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
SLACK_S = 0.4
"""How far apart two segments may place the same word, and how far over the shared sound we look."""


def join_texts(texts: Iterable[str]) -> str:
    """Join segment texts: a space between them unless their script has none."""
    joined = ""
    for text in filter(None, texts):
        joined += " " * spaced_between(joined, text) + text
    return joined


@dataclass(frozen=True)
class _Word:
    """A word, or a character of a script without words; punctuation is part of none."""

    key: str
    first: int
    last: int
    """Its characters in `Segment.chars`; `last` is behind it."""
    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


def join_segments(before: Segment, after: Segment) -> tuple[Segment, Segment]:
    """Give each word of the sound that two segments share to one of them.

    Args:
        before: a segment whose last second or two are the first of `after`.
        after: `after.start < before.end`.

    Returns:
        Both, where neither text nor times overlap any more.
    """
    low, high = after.start, before.end
    middle = (low + high) / 2
    ours = [word for word in _words(before) if word.end >= low - SLACK_S]
    theirs = [word for word in _words(after) if word.start <= high + SLACK_S]
    if not (ours and theirs):
        end = max([middle, *(char.end for char in before.chars)])
        return replace(before, end=end), _cut_start(after, 0, end)
    if seam := _seam(ours, theirs, middle):
        kept, same = seam
        drop = _behind(after, _number_end(after, same.last))
        one = _cut_end(before, kept.last, after.chars[same.last : drop])
    else:
        keep = max((word.last for word in ours if word.middle < middle), default=ours[0].first)
        drop = max((word.last for word in theirs if word.middle < middle), default=0)
        drop = _behind(after, drop) if drop else 0
        one = _cut_end(before, _behind(before, keep), ())
    return one, _cut_start(after, drop, one.end)


def _seam(
    ours: Sequence[_Word], theirs: Sequence[_Word], middle: float
) -> tuple[_Word, _Word] | None:
    """Find the word that both heard, in the longest run of such words, nearest to the middle."""
    runs: dict[tuple[int, int], float] = {}
    for i, one in enumerate(ours):
        for j, other in enumerate(theirs):
            apart = abs(one.middle - other.middle)
            if one.key == other.key and apart < SLACK_S:
                # of a word that is said twice, the pair at the same time
                runs[i, j] = runs.get((i - 1, j - 1), 0.0) + 1 - apart / SLACK_S
    if not runs:
        return None
    # the whole run counts, not only what of it lies before the word
    for i, j in sorted(runs, reverse=True):
        runs[i, j] = max(runs[i, j], runs.get((i + 1, j + 1), 0.0))
    best = max(runs, key=lambda pair: (runs[pair], -abs(ours[pair[0]].middle - middle)))
    return ours[best[0]], theirs[best[1]]


def _words(segment: Segment) -> list[_Word]:
    """Find the words of a segment: runs of letters, ideographs, kana, and each digit.

    Two segments may hold different parts of one long number.
    """
    found: list[_Word] = []
    at = 0
    for part in segment.text.split():
        first = at
        for at in range(first, first + len(graphemes(part))):
            text = segment.chars[at].text
            alone = text.isdigit() or bool(_UNSPACED.match(text))
            if first < at and (alone or not text[0].isalnum()):
                found.append(_word(segment.chars, first, at))
            if alone or not text[0].isalnum():
                first = at + 1
            if alone and text[0].isalnum():
                found.append(_word(segment.chars, at, at + 1))
        at += 1
        if first < at:
            found.append(_word(segment.chars, first, at))
    return found


def _number_end(segment: Segment, at: int) -> int:
    """Find where the number ends of which a digit stands before `at`: it goes to one side whole."""
    chars = segment.chars
    if not at or not chars[at - 1].text.isdigit():
        return at
    while at < len(chars) and (
        chars[at].text.isdigit()
        or (chars[at].text in ".:," and at + 1 < len(chars) and chars[at + 1].text.isdigit())
    ):
        at += 1
    return at


def _word(chars: Sequence[CharTime], first: int, last: int) -> _Word:
    key = "".join(char.text for char in chars[first:last]).casefold()
    return _Word(key, first, last, chars[first].start, chars[last - 1].end)


def _behind(segment: Segment, at: int) -> int:
    """Skip the punctuation that belongs to what stands before `at`."""
    while at < len(segment.chars) and _closes(segment.chars[at].text):
        at += 1
    return at


def _closes(text: str) -> bool:
    return not text[0].isalnum() and text[0] not in "《（“‘「『【([{<$€£¥￥#@"


def _cut_end(segment: Segment, keep: int, closing: Sequence[CharTime]) -> Segment:
    """Keep the first characters of a segment, and what of the other one belongs to the last."""
    chars = segment.chars[:keep]
    end = chars[-1].end if chars else segment.start
    added: list[CharTime] = []
    for char in closing:  # digits have times of their own
        start = max(end, char.start) if char.text.isdigit() else end
        end = max(start, char.end) if char.text.isdigit() else end
        added.append(replace(char, start=start, end=end))
    text = segment.text[: _place(segment, keep)].rstrip() + "".join(c.text for c in closing)
    return replace(segment, text=text, chars=(*chars, *added), end=end)


def _cut_start(segment: Segment, drop: int, floor: float) -> Segment:
    """Drop the first characters of a segment; the others begin at `floor` or later."""
    chars = tuple(
        char if char.start >= floor else replace(char, start=floor, end=max(char.end, floor))
        for char in segment.chars[drop:]
    )
    text = segment.text[_place(segment, drop) :].strip()
    start = chars[0].start if chars else segment.end
    return replace(segment, text=text, chars=chars, start=max(start, floor))


def _place(segment: Segment, count: int) -> int:
    """Find where in the text its first `count` characters end."""
    at = 0
    for char in segment.chars[:count]:
        at = segment.text.index(char.text, at) + len(char.text)
    return at
