"""Chunks of sound -> pieces short enough for the model, cut where it is quietest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from funasr_cli.protocols import Floats
from funasr_cli.units import HOP, SAMPLE_RATE

QUIET_WINDOW_S = 0.2
"""A cut needs this much quiet around it: shorter dips are inside words."""
SEARCH_FROM = 0.5
"""A piece is never cut before this share of its greatest length."""
SHORTEST_SPLIT_S = 2.0
"""Pieces shorter than this are not halved."""
HALF_FROM, HALF_TO = 0.25, 0.75
"""Where a piece is halved, as shares of its length."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the input. `start` counts seconds from the beginning of the file."""

    start: float
    samples: Floats
    """[S] at 16 kHz."""

    @property
    def end(self) -> float:
        """Seconds from the beginning of the file."""
        return self.start + self.samples.size / SAMPLE_RATE


def cut(
    chunks: Iterable[Floats], *, max_s: float, at_quiet: bool, start: float = 0.0
) -> Iterator[Piece]:
    """Cut a stream into pieces of at most `max_s` seconds that join without gap or overlap.

    Args:
        chunks: consecutive sound, each [S]; read only as far as the next piece needs.
        max_s: greatest length of a piece.
        at_quiet: cut at the quietest point of the last half; False: exactly at `max_s`.
        start: where the stream begins in its file, seconds.
    """
    longest = int(max_s * SAMPLE_RATE)
    held = np.zeros(0, np.float32)
    done = 0
    for chunk in chunks:
        held = np.concatenate([held, chunk])
        while held.size > longest:
            at = _quietest(held[:longest], int(longest * SEARCH_FROM)) if at_quiet else longest
            yield Piece(start + done / SAMPLE_RATE, held[:at])
            done += at
            held = held[at:]
    if held.size:
        yield Piece(start + done / SAMPLE_RATE, held)


def halves(piece: Piece) -> tuple[Piece, ...]:
    """Cut a piece in two at its quietest point; nothing where it is too short for that."""
    size = piece.samples.size
    if size < SHORTEST_SPLIT_S * SAMPLE_RATE:
        return ()
    at = _quietest(piece.samples[: int(size * HALF_TO)], int(size * HALF_FROM))
    return (
        Piece(piece.start, piece.samples[:at]),
        Piece(piece.start + at / SAMPLE_RATE, piece.samples[at:]),
    )


def _quietest(samples: Floats, first: int) -> int:
    """Find the sample of [S], from `first` on, around which there is least energy."""
    tail = samples[first:].astype(np.float64)
    hops = tail.size // HOP
    energy = np.square(tail[: hops * HOP]).reshape(hops, HOP).sum(axis=1)
    width = min(hops, round(QUIET_WINDOW_S * SAMPLE_RATE / HOP))
    smooth = np.convolve(energy, np.ones(width), mode="valid")
    # among equally quiet points the last: longer pieces, fewer joins
    best = smooth.size - 1 - int(np.argmin(smooth[::-1]))
    return first + (best + width // 2) * HOP
