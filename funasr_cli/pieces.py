"""Pieces of sound, short enough for the model; and the plain way to cut a stream into them.

Nothing is read before it is needed, and no more is held than the longest piece.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from funasr_cli.protocols import Floats
from funasr_cli.units import HOP, SAMPLE_RATE

QUIET_WINDOW_S = 0.2
"""A cut needs this much quiet around it: shorter dips are inside words."""
LEAST_WINDOW_S = 3.0
"""Models invent words from less: a last window with less sound of its own begins earlier."""
SHORTEST_SPLIT_S = 2.0
"""Pieces shorter than this are not halved."""
HALF_FROM, HALF_TO = 0.25, 0.75
"""Where a piece is halved, as shares of its length."""

Range: TypeAlias = tuple[float, float]
"""Seconds from the beginning of the file."""


@dataclass(frozen=True)
class Piece:
    """A stretch of the input. `start` counts seconds from the beginning of the file."""

    start: float
    samples: Floats
    """[S] at 16 kHz."""
    speech: tuple[Range, ...] | None = None
    """Where somebody speaks in it, and in no other piece; None: nobody listened."""

    @property
    def end(self) -> float:
        """Seconds from the beginning of the file."""
        return self.start + self.samples.size / SAMPLE_RATE


def cut_windows(
    chunks: Iterable[Floats], *, max_s: float, overlap_s: float, start: float = 0.0
) -> Iterator[Piece]:
    """Cut a stream into windows of `max_s` seconds, each of which begins in the one before.

    Args:
        chunks: consecutive sound, each [S].
        max_s: length of a window.
        overlap_s: what two windows share.
        start: where the stream begins in its file, seconds.
    """
    longest = round(max_s * SAMPLE_RATE)
    step = longest - round(min(overlap_s, max_s / 4) * SAMPLE_RATE)
    least = min(round(LEAST_WINDOW_S * SAMPLE_RATE), step) if overlap_s else 0
    held = np.zeros(0, np.float32)
    done = 0
    for chunk in chunks:
        held = np.concatenate([held, chunk])
        # what is left behind a window must be worth one of its own, or the last one begins earlier
        while held.size > longest + least:
            yield Piece(start + done / SAMPLE_RATE, held[:longest])
            done += step
            held = held[step:]
    if held.size > longest:
        yield Piece(start + done / SAMPLE_RATE, held[:longest])
        done += held.size - longest
        held = held[-longest:]
    if held.size:
        yield Piece(start + done / SAMPLE_RATE, held)


def halves(piece: Piece) -> tuple[Piece, ...]:
    """Cut a piece in two at its quietest point; nothing where it is too short for that."""
    size = piece.samples.size
    if size < SHORTEST_SPLIT_S * SAMPLE_RATE:
        return ()
    at = quietest(piece.samples[: int(size * HALF_TO)], int(size * HALF_FROM))
    return (
        Piece(piece.start, piece.samples[:at]),
        Piece(piece.start + at / SAMPLE_RATE, piece.samples[at:]),
    )


def quietest(samples: Floats, first: int) -> int:
    """Find the sample of [S], from `first` on, around which there is least energy."""
    tail = samples[first:].astype(np.float64)
    hops = tail.size // HOP
    if not hops:
        return first
    energy = np.square(tail[: hops * HOP]).reshape(hops, HOP).sum(axis=1)
    width = min(hops, round(QUIET_WINDOW_S * SAMPLE_RATE / HOP))
    smooth = np.convolve(energy, np.ones(width), mode="valid")
    # among equally quiet points the last: longer pieces, fewer joins
    best = smooth.size - 1 - int(np.argmin(smooth[::-1]))
    return first + (best + width // 2) * HOP
