"""CTC forced alignment: the likeliest frames of tokens that are known.

A leaf for alignment: the Viterbi path through blank, token, blank, token, ..., blank (Graves et
al., 2006; what torchaudio's `forced_align` computes). Of the posteriors only those of the wanted
tokens are looked at, and of these only the few that the CTC head tells of each frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from funasr_cli.protocols import CtcFrames, Floats, Ints
from funasr_cli.results import CtcToken
from funasr_cli.spelling import Pieces
from funasr_cli.units import FRAME_S

UNLISTED: Final = 3.0
"""A token that a frame does not list counts as so much less likely (natural log) than the last one
that it lists. Of 0, 1, 3, 6 and 10 the best for the demo model in noise, by a little."""


class Span(NamedTuple):
    """Where one token was heard."""

    first: int
    """Its first frame."""
    last: int
    """The frame behind its last one."""
    log_posterior: float
    """The highest of its frames."""


def emissions(top_ids: Ints, top_log_probs: Floats, tokens: Sequence[int]) -> Floats:
    """Look up the log posteriors of some tokens in each frame.

    Args:
        top_ids: [L, K] likeliest tokens of each frame.
        top_log_probs: [L, K] their log posteriors, falling.
        tokens: N > 0 ids, in any order, repeated or not.

    Returns:
        [L, N]; where a frame does not list a token, less than the last one that it lists.
    """
    wanted, column = np.unique(np.asarray(tokens, np.int64), return_inverse=True)
    place = np.minimum(np.searchsorted(wanted, top_ids), len(wanted) - 1)
    frame, rank = np.nonzero(wanted[place] == top_ids)
    found = np.repeat(top_log_probs[:, -1:] - np.float32(UNLISTED), len(wanted), axis=1)
    found[frame, place[frame, rank]] = top_log_probs[frame, rank]
    result: Floats = found[:, column]
    return result


def force(blank: Floats, scores: Floats, tokens: Sequence[int]) -> list[Span] | None:
    """Find the likeliest path that spells the tokens.

    Args:
        blank: [L] log posterior of the blank.
        scores: [L, N] log posterior of each token.
        tokens: N ids; between two that are the same the path needs a blank.

    Returns:
        One span a token, rising; None if there are not enough frames.
    """
    frames, count = scores.shape
    states = 2 * count + 1
    # two columns in front that no path reaches, so that every state has two states before it
    totals = np.full((frames + 1, states + 2), -np.inf, np.float32)
    totals[0, 2] = 0.0  # as if the first blank had lasted until now
    gains = np.empty((frames, states), np.float32)
    gains[:, 0::2], gains[:, 1::2] = blank[:, None], scores
    skip = np.full(states, -np.inf, np.float32)  # past the blank between two tokens
    skip[3::2] = [0.0 if one != other else -np.inf for one, other in pairwise(tokens)]
    best, over = np.empty(states, np.float32), np.empty(states, np.float32)
    stay, step, leap = totals[:-1, 2:], totals[:-1, 1:-1], totals[:-1, :-2]
    for same, one, two, gain, now in zip(stay, step, leap, gains, totals[1:, 2:], strict=True):
        np.maximum(same, one, out=best)
        np.add(two, skip, out=over)
        np.maximum(best, over, out=best)
        np.add(best, gain, out=now)
    return _spans(totals, skip, scores)


def _spans(
    totals: NDArray[np.float32], skip: NDArray[np.float32], scores: Floats
) -> list[Span] | None:
    """Walk back along the best path; columns of `totals` lie two behind the states."""
    frames, count = scores.shape
    last_blank = 2 * count + 2
    column = max((last_blank, last_blank - 1), key=lambda at: totals.item(frames, at))
    if totals.item(frames, column) == -np.inf:
        return None
    path = np.empty(frames, np.int64)
    for frame in range(frames - 1, -1, -1):
        path[frame] = column - 2
        before = (
            totals.item(frame, column),
            totals.item(frame, column - 1),
            totals.item(frame, column - 2) + skip.item(column - 2),
        )
        column -= before.index(max(before))
    labels = np.arange(1, 2 * count, 2)
    firsts = np.searchsorted(path, labels, "left").tolist()
    lasts = np.searchsorted(path, labels, "right").tolist()
    return [
        Span(first, last, float(scores[first:last, token].max()))
        for token, (first, last) in enumerate(zip(firsts, lasts, strict=True))
    ]


@dataclass(frozen=True)
class Evidence:
    """What the CTC head thought of one piece of sound, frame by frame."""

    pieces: Pieces
    top_ids: Ints
    """[L, K] likeliest tokens of each frame."""
    top_log_probs: Floats
    """[L, K] their log posteriors, falling."""
    times: NDArray[np.float64]
    """[L + 1] when each frame begins, in seconds of the file."""

    @classmethod
    def of(
        cls, frames: CtcFrames, pieces: Pieces, *, start: float, end: float, offset: float
    ) -> "Evidence | None":
        """Take what the head tells; None if it tells only its best token.

        Args:
            frames: of the piece.
            pieces: the vocabulary.
            start: seconds in the file where the piece begins.
            end: where it ends: no time leaves [start, end].
            offset: seconds added to every time.
        """
        if frames.top_ids is None or frames.top_log_probs is None or not len(frames.top_ids):
            return None
        times = start + np.arange(len(frames.top_ids) + 1) * FRAME_S + offset
        return cls(pieces, frames.top_ids, frames.top_log_probs, times.clip(start, end))

    def force(self, tokens: Sequence[int]) -> list[CtcToken] | None:
        """Find where the tokens were said; None if there is no room for so many.

        A token's confidence is its own posterior, however well it sounds like what was said.
        """
        if not tokens or len(tokens) > len(self.top_ids):
            return None
        looked = emissions(self.top_ids, self.top_log_probs, [*tokens, self.pieces.blank])
        spans = force(looked[:, -1], looked[:, :-1], tokens)
        if spans is None:
            return None
        return [
            CtcToken(
                id=token,
                piece=self.pieces.table[token],
                start=self.times.item(span.first),
                end=self.times.item(span.last),
                confidence=exp(min(0.0, span.log_posterior)),
            )
            for token, span in zip(tokens, spans, strict=True)
        ]
