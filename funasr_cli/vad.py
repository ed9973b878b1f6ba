"""Chunks of sound -> pieces of speech, by a detector that listens as the sound comes in."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from funasr_cli.pieces import Piece, Range, quietest
from funasr_cli.protocols import VAD_WINDOW, Floats
from funasr_cli.spans import Span, SpeechRules, find_spans
from funasr_cli.units import SAMPLE_RATE

WINDOW_S = VAD_WINDOW / SAMPLE_RATE
SEARCH_FROM = 0.5
"""A piece is never cut before this share of its greatest length."""
LONG_PAUSE_S = 2.0
"""Where nobody speaks for so long a piece ends, however short it is."""
CLEAN_PAUSE_S = 0.16
"""A dip of this length between two words can be cut without losing any of them."""
EDGE_S = 1.0
"""Less silence than this at the ends of an input is kept: a short clip reaches the model whole,
as it reaches the reference."""
_MOST_OVERLAP = 0.25
"""What two pieces share at most, as a share of the longest piece."""


def cut_speech(  # noqa: PLR0913 - where the sound comes from, and the rules for cutting it
    chunks: Iterable[Floats],
    detect: Callable[[Floats], Floats],
    rules: SpeechRules,
    *,
    max_s: float,
    overlap_s: float,
    start: float = 0.0,
) -> Iterator[Piece]:
    """Cut the speech out of a stream, in pieces of at most `max_s` seconds.

    A piece ends in a pause, the longest of its last half. Where there is none it is cut at the
    quietest point, and shares `overlap_s` seconds with the next piece.

    Args:
        chunks: consecutive sound, each [S]; read only as far as the next piece needs.
        detect: windows of the stream, in order -> how likely each is speech
            (`SpeechDetector.probabilities`).
        rules: what counts as speech.
        max_s: greatest length of a piece.
        overlap_s: what two pieces share where speech is cut.
        start: where the stream begins in its file, seconds.
    """
    most = max(4, int(max_s / WINDOW_S))
    overlap = min(round(overlap_s / WINDOW_S), int(most * _MOST_OVERLAP))
    buffer = _Buffer(detect)
    cutter = _Cutter(buffer, rules, most, overlap)
    for chunk in chunks:
        buffer.add(chunk)
        yield from cutter.pieces(start)
    buffer.finish()
    yield from cutter.pieces(start)


class _Buffer:
    """The end of the stream that no piece has used up yet, and what the detector said of it."""

    def __init__(self, detect: Callable[[Floats], Floats]) -> None:
        self._detect = detect
        self._samples = np.zeros(0, np.float32)
        self._gone = 0
        self.probabilities: list[float] = []
        """One for each window that is held."""
        self.first = 0
        """Which window of the stream is the first that is held."""
        self.ended = False

    @property
    def size(self) -> int:
        """Windows of the stream so far, those that are gone included."""
        return self.first + len(self.probabilities)

    @property
    def seconds(self) -> float:
        """Length of the stream so far."""
        return self.first * WINDOW_S + self._samples.size / SAMPLE_RATE

    def add(self, chunk: Floats) -> None:
        """Hold more of the stream, and judge it as far as its windows are whole."""
        self._samples = np.concatenate([self._samples, chunk])
        judged = len(self.probabilities)
        whole = self._samples.size // VAD_WINDOW
        if whole > judged:
            fresh = self._samples[judged * VAD_WINDOW : whole * VAD_WINDOW]
            self.probabilities += self._detect(fresh).tolist()

    def finish(self) -> None:
        """Judge the last, shorter window too."""
        self.ended = True
        rest = self._samples[len(self.probabilities) * VAD_WINDOW :]
        if rest.size:
            padded = np.zeros(VAD_WINDOW, np.float32)
            padded[: rest.size] = rest
            self.probabilities += self._detect(padded).tolist()

    def samples(self, first: int, last: int) -> Floats:
        """Sound of windows of the stream, [S]; the last one may be shorter."""
        begin, end = (at - self.first for at in (first, last))
        found: Floats = self._samples[begin * VAD_WINDOW : end * VAD_WINDOW].copy()
        return found

    def drop(self, until: int) -> None:
        """Let go of the windows before `until`."""
        gone = max(0, min(until - self.first, len(self.probabilities)))
        if gone:
            self._samples = self._samples[gone * VAD_WINDOW :].copy()
            del self.probabilities[:gone]
            self.first += gone


@dataclass(frozen=True)
class _Cut:
    """Where a piece ends."""

    last: int
    """Its last window (behind it)."""
    following: int
    """Where what belongs to the next piece begins."""
    speaking: bool = False
    """Somebody is speaking there."""
    overlap: int = 0
    """How far before `following` the next piece begins."""


class _Cutter:
    """Decides, window by window of the stream, where pieces begin and end."""

    def __init__(self, buffer: _Buffer, rules: SpeechRules, most: int, overlap: int) -> None:
        self._buffer = buffer
        self._rules = rules
        self._most = most
        self._overlap = overlap
        self._long_pause = round(LONG_PAUSE_S / WINDOW_S)
        self._edge = round(EDGE_S / WINDOW_S)
        self._cut = _Cut(0, 0)
        """Where the piece before ended."""

    def pieces(self, start: float) -> Iterator[Piece]:
        """Yield what can be decided by now."""
        while piece := self._next(start):
            yield piece

    def _next(self, start: float) -> Piece | None:
        spans = self._spans()
        if not spans:
            self._buffer.drop(self._buffer.size - self._edge - self._rules.pad - 1)
            return None
        begin = self._begin(spans[0])
        self._buffer.drop(begin)
        cut = self._end(begin, spans)
        if cut is None:
            return None
        piece = Piece(
            start + begin * WINDOW_S,
            self._buffer.samples(begin, cut.last),
            tuple(self._speech(spans, cut.following, start)),
        )
        self._cut = cut
        self._buffer.drop(cut.following - cut.overlap)
        return piece

    def _spans(self) -> list[Span]:
        """Find the speech that no piece has yet, in windows of the stream."""
        buffer, speaking = self._buffer, self._cut.speaking
        first = max(0, self._cut.following - buffer.first)
        found = find_spans(buffer.probabilities, self._rules, speaking=speaking, first=first)
        if buffer.ended and found and found[-1].open:
            last = found.pop()
            rest = speaking and last.first == first
            if rest or last.last - last.first >= self._rules.min_speech:
                found.append(Span(last.first, last.last, open=False))
        return [Span(s.first + buffer.first, s.last + buffer.first, s.open) for s in found]

    def _begin(self, span: Span) -> int:
        free = self._cut.following
        if self._cut.overlap and span.first == free:
            return free - self._cut.overlap
        begin = max(free, span.first - self._rules.pad)
        return 0 if begin <= self._edge and not free else begin

    def _end(self, begin: int, spans: list[Span]) -> _Cut | None:
        """Decide where the piece that begins at `begin` ends; None: more must be heard first."""
        limit = begin + self._most
        group = [spans[0]]
        for span in spans[1:]:
            if span.first - group[-1].last >= self._long_pause:
                break
            group.append(span)
        last = group[-1]
        size = self._buffer.size
        over = self._buffer.ended or size - last.last >= self._long_pause + self._rules.pad
        if not last.open and over and last.last <= limit:
            following = spans[len(group)].first if len(group) < len(spans) else size
            return self._after(last.last, following, limit)
        if size < limit and not self._buffer.ended:
            return None
        return self._inside(begin, group, limit)

    def _after(self, last: int, following: int, limit: int) -> _Cut:
        """End a piece behind its last word; the pause until `following` is shared."""
        end = min(last + self._rules.pad, max(last, (last + following) // 2), limit)
        size = self._buffer.size
        if self._buffer.ended and following == size and size - end <= self._edge:
            end = min(size, limit)
        return _Cut(end, end)

    def _inside(self, begin: int, group: list[Span], limit: int) -> _Cut:
        """Cut speech that is longer than a piece may be."""
        earliest = begin + int(self._most * SEARCH_FROM)
        pauses = [
            (after.first - before.last, before.last, after.first)
            for before, after in pairwise(group)
            if earliest <= before.last <= limit
        ]
        if pauses:
            _, last, following = max(pauses)
            return self._after(last, following, limit)
        if dip := self._dip(earliest, limit):
            return _Cut(dip, dip, speaking=True)
        reach = self._overlap - self._overlap // 2
        at = self._quietest(earliest, limit - reach)
        return _Cut(at + reach, at, speaking=True, overlap=self._overlap // 2)

    def _dip(self, earliest: int, limit: int) -> int:
        """Find the middle of the longest short pause; 0: there is none."""
        buffer, best, run = self._buffer, (0, 0), 0
        for at in range(earliest, min(limit, buffer.size)):
            quiet = buffer.probabilities[at - buffer.first] < self._rules.low
            run = run + 1 if quiet else 0
            best = max(best, (run, at + 1 - run // 2))
        return best[1] if best[0] * WINDOW_S >= CLEAN_PAUSE_S else 0

    def _quietest(self, earliest: int, latest: int) -> int:
        samples = self._buffer.samples(self._buffer.first, latest)
        at = quietest(samples, (earliest - self._buffer.first) * VAD_WINDOW)
        return self._buffer.first + at // VAD_WINDOW

    def _speech(self, spans: list[Span], until: int, start: float) -> Iterator[Range]:
        for span in spans:
            first, last = max(span.first, self._cut.following), min(span.last, until)
            if first < last:
                yield start + first * WINDOW_S, start + min(last * WINDOW_S, self._buffer.seconds)
