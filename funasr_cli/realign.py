"""A text that was corrected by hand + its transcript -> a transcript with times again.

No model is needed: characters that stayed keep their times exactly, and those that are new share
the time of what stood in their place.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final

from funasr_cli.characters import graphemes
from funasr_cli.edits import kept
from funasr_cli.hotwords.report import occurs
from funasr_cli.results import CharTime, Segment, Transcript
from funasr_cli.script import half_widths, spaced_between

INSERTED_S: Final = 0.2
"""Longest time of a character that was put where nothing stood (a Mandarin syllable)."""
LEAST_FIT: Final = 0.25
"""Two texts that share less than this are not of one recording."""
_RUN: Final = 6
"""Width of the shortest run of equal characters that counts for it: three Chinese characters or
six Latin letters; shorter ones are equal by chance."""
_STAMP: Final = re.compile(r"\s*\[\d+(?::\d+)+(?:[.,]\d+)?(?:\s*-->\s*\d+(?::\d+)+(?:[.,]\d+)?)?\]")
"""The times that begin each line of a text with times."""
_SPOKEN_SIGNS: Final = frozenset("%‰&@#/")


@dataclass(frozen=True)
class Realigned:
    """A corrected transcript, and what became of its characters."""

    transcript: Transcript
    kept: int
    """Characters that stayed, with their times."""
    changed: int
    """Characters that are new."""
    removed: int
    """Characters that are gone."""
    fit: float
    """Share of the shorter text that stands in runs which both texts have, 0..1."""


def lines_of(edited: str) -> list[str]:
    """Take the lines of a text file that say something, without the times that begin them."""
    found = (" ".join(_STAMP.sub("", line, count=1).split()) for line in edited.splitlines())
    return [line for line in found if line]


def realign(transcript: Transcript, lines: Sequence[str]) -> Realigned:
    """Give a corrected text the times of the transcript.

    Args:
        transcript: with character times.
        lines: the corrected text, as `lines_of` makes it; where lines end does not matter.

    Returns:
        The transcript with the new text in its segments. What CTC heard, the tokens and the
        timings are still those of the model.
    """
    old = [char for segment in transcript.segments for char in segment.chars]
    home = [at for at, segment in enumerate(transcript.segments) for _ in segment.chars]
    new = graphemes("\n".join(lines))
    pairs = kept([_key(char.text) for char in old], [_key(char) for char in new])
    ends = [segment.end for segment in transcript.segments]
    timed: list[CharTime] = []
    homes: list[int] = []
    for block in _blocks(pairs, len(old), len(new)):
        chars = new[block.begin : block.end]
        if block.is_kept:
            timed.append(replace(old[block.old_begin], text=chars[0]))
            homes.append(home[block.old_begin])
        elif chars:
            places = [home[at] for at in block.places(len(old))]
            shared = _shared(chars, old, block, ends[-1])
            if len(set(home[block.old_begin : block.old_end])) > 1:
                shared = _at_home(shared, places, transcript.segments)
            timed += shared
            homes += places
    text = _joined(lines, pairs, transcript.text)
    segments = _segments(transcript, text, timed, homes)
    return Realigned(
        # whether all speech has a text was asked of the model, not of who corrected it
        replace(transcript, text=text, segments=segments, coverage=None, failure=None),
        kept=len(pairs),
        changed=len(new) - len(pairs),
        removed=len(old) - len(pairs),
        fit=_fit(old, new, pairs),
    )


def _at_home(
    timed: Sequence[CharTime], homes: Sequence[int], segments: Sequence[Segment]
) -> list[CharTime]:
    """Keep new characters inside their segments: what they replace may lie in two of them."""
    bounds = [(segments[home].start, segments[home].end) for home in homes]
    return [
        char
        if low <= char.start and char.end <= high
        else replace(char, start=min(max(char.start, low), high), end=min(max(char.end, low), high))
        for char, (low, high) in zip(timed, bounds, strict=True)
    ]


@dataclass(frozen=True)
class _Block:
    """A kept character, or what stands between two of them: [begin, end) of each side."""

    old_begin: int
    old_end: int
    begin: int
    end: int
    is_kept: bool = False

    def places(self, count: int) -> list[int]:
        """Name the old character that each new one takes the place of, or stands beside."""
        many, few = self.end - self.begin, self.old_end - self.old_begin
        if not few:
            return [min(max(0, self.old_begin - 1), count - 1)] * many
        return [self.old_begin + at * few // many for at in range(many)]


def _blocks(pairs: Sequence[tuple[int, int]], old: int, new: int) -> Iterator[_Block]:
    for (a, b), (c, d) in pairwise([(-1, -1), *pairs, (old, new)]):
        yield _Block(a + 1, c, b + 1, d)
        if c < old:
            yield _Block(c, c + 1, d, d + 1, is_kept=True)


def _shared(
    chars: Sequence[str], old: Sequence[CharTime], block: _Block, end: float
) -> list[CharTime]:
    """Lay new characters evenly over the time of what they replace; punctuation has none."""
    before = old[block.old_begin - 1] if block.old_begin else None
    after = old[block.old_end] if block.old_end < len(old) else None
    heard = [char for char in old[block.old_begin : block.old_end] if char.end > char.start]
    count = sum(not _is_silent(char) for char in chars)
    if heard:
        low, high = heard[0].start, heard[-1].end
    elif before:
        low = before.end
        high = min(after.start if after else end, low + INSERTED_S * count)
    else:
        high = after.start if after else end
        low = max(0.0, high - INSERTED_S * count)
    high = max(low, high)
    sure = sum(char.confidence for char in heard) / len(heard) if heard else 0.0
    timed: list[CharTime] = []
    done = 0
    for char in chars:
        start = low + (high - low) * done / max(1, count)
        done += not _is_silent(char)
        timed.append(CharTime(char, start, low + (high - low) * done / max(1, count), sure))
    return timed


def _joined(lines: Sequence[str], pairs: Sequence[tuple[int, int]], before: str) -> str:
    """Join lines as their characters were joined before; else by the rule of their scripts."""
    old_of = {new: old for old, new in pairs}
    spaced: set[int] = set()
    at = 0
    for number, char in enumerate(graphemes(before)):
        found = before.index(char, at)
        if found > at:
            spaced.add(number)
        at = found + len(char)
    text, count = lines[0], len(graphemes(lines[0]))
    for line in lines[1:]:
        left, right = old_of.get(count - 1), old_of.get(count)
        if left is not None and right == left + 1:
            text += " " * (right in spaced)
        else:
            text += " " * spaced_between(text, line)
        text += line
        count += len(graphemes(line))
    return text


def _segments(
    transcript: Transcript, text: str, timed: Sequence[CharTime], homes: Sequence[int]
) -> tuple[Segment, ...]:
    """Put the characters back into their segments, each with its part of the text."""
    spans: dict[int, tuple[int, int, list[CharTime]]] = {}
    at = 0
    for home, group in groupby(zip(homes, timed, strict=True), key=lambda entry: entry[0]):
        chars = [char for _, char in group]
        begin = text.index(chars[0].text, at)
        at = begin
        for char in chars:
            at = text.index(char.text, at) + len(char.text)
        spans[home] = (begin, at, chars)
    found = []
    for number, segment in enumerate(transcript.segments):
        begin, end, chars = spans.get(number, (0, 0, []))
        part = text[begin:end]
        hits = tuple(replace(hit, in_text=occurs(hit.word, part)) for hit in segment.hotwords)
        found.append(replace(segment, text=part, chars=tuple(chars), hotwords=hits))
    return tuple(found)


def _fit(old: Sequence[CharTime], new: Sequence[str], pairs: Sequence[tuple[int, int]]) -> float:
    shared = run = 0
    for before, here in zip([(-2, -2), *pairs], [*pairs, (len(old) + 2, 0)], strict=True):
        if here != (before[0] + 1, before[1] + 1):
            shared += run if run >= _RUN else 0
            run = 0
        run += half_widths(new[here[1]]) if here[0] < len(old) else 0
    whole = min(sum(half_widths(c.text) for c in old), sum(map(half_widths, new)))
    return shared / whole if whole else 0.0


def _key(char: str) -> str:
    """Fold width and case: they do not change what was said."""
    return unicodedata.normalize("NFKC", char).casefold()


def _is_silent(char: str) -> bool:
    return char not in _SPOKEN_SIGNS and unicodedata.category(char[0])[0] in "PZC"
