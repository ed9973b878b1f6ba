"""How much of the speech became text: a file whose subtitles stop in the middle is no success."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from funasr_cli.pieces import Range
from funasr_cli.results import Segment

REACH_S = 1.0
"""A character stands for the speech so near to it: words are drawn out, and times are rough."""
LEAST_SPEECH_S = 3.0
"""Of less speech than this nothing is said: it may be a cough."""
WARN_BELOW, FAIL_BELOW = 0.6, 0.25
"""Shares of the speech (WhisperJAV#394: 8,766 s of sound, subtitles until 377 s, "PASS")."""


@dataclass(frozen=True)
class Coverage:
    """Seconds of speech, and of those that text stands for."""

    speech: float
    covered: float
    gap: Range = (0.0, 0.0)
    """The longest stretch of the input whose speech became no text."""

    @property
    def share(self) -> float:
        """0 to 1; 1 where nobody spoke."""
        return self.covered / self.speech if self.speech else 1.0

    @property
    def poor(self) -> bool:
        """Whether the user must be told."""
        return self.speech >= LEAST_SPEECH_S and self.share < WARN_BELOW

    @property
    def failed(self) -> bool:
        """Whether this cannot be called a transcript."""
        return self.speech >= LEAST_SPEECH_S and self.share < FAIL_BELOW


def coverage(speech: Iterable[Range], segments: Iterable[Segment]) -> Coverage:
    """Compare speech with the times of the text.

    Args:
        speech: where somebody spoke, in order.
        segments: in order; a text without character times stands for its whole segment.
    """
    texts = _merged(_reach(segments))
    spoken = covered = longest = 0.0
    gap = (0.0, 0.0)
    missing: list[Range] = []
    at = 0
    for start, end in speech:
        spoken += end - start
        while at < len(texts) and texts[at][1] <= start:
            at += 1
        here, done = at, start
        while here < len(texts) and texts[here][0] < end:
            first, last = max(texts[here][0], start), min(texts[here][1], end)
            covered += last - first
            missing.append((done, first))
            done = last
            here += 1
        missing.append((done, end))
    for first, last in _stretches(missing, texts):
        if last - first > longest:
            longest, gap = last - first, (first, last)
    return Coverage(spoken, covered, gap)


def _reach(segments: Iterable[Segment]) -> Iterable[Range]:
    for segment in segments:
        if segment.chars:
            yield from ((c.start - REACH_S, c.end + REACH_S) for c in segment.chars)
        elif segment.text:
            yield segment.start, segment.end


def _merged(ranges: Iterable[Range]) -> list[Range]:
    merged: list[Range] = []
    for start, end in ranges:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _stretches(missing: Sequence[Range], texts: Sequence[Range]) -> Iterable[Range]:
    """Join what is missing, over pauses, as far as no text lies between."""
    edges = [(-1.0, 0.0), *texts, (float("inf"), float("inf"))]
    left = [m for m in missing if m[0] < m[1]]
    at = 0
    for (_, before), (after, _) in pairwise(edges):
        first = at
        while at < len(left) and left[at][1] <= after:
            at += 1
        if first < at:
            yield max(left[first][0], before), left[at - 1][1]
