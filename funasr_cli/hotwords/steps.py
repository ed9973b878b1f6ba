"""The steps of the search: words and phonemes -> weighted edit distances.

The distance of a word is the least edit distance between it and a stretch of what was heard
(Sellers, 1980). Three steps make it fast, and none loses a word that is near enough:

1. A word is cut into pairs of phonemes. A pair either lies in the text as it is, one phoneme
   beside the other, or it contains a gap. So what was heard is compared once with every
   different pair of the list, at every phoneme, and no pair costs more than a gap. What was
   heard is then cut into overlapping blocks: no stretch inside a block is nearer to a word than
   the sum of each of its pairs' cheapest match anywhere in the block.
2. The gaps that a word can afford shift its pairs by a few places at most. So from a given
   start, each pair meets only the few places about the one where it belongs.
3. What is left goes through the dynamic programme together, one numpy row a phoneme.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from funasr_cli.hotwords.index import Alternatives, HotwordIndex, Ints
from funasr_cli.hotwords.phonemes import Phoneme
from funasr_cli.hotwords.similarity import SCALE, ZERO_GAP, substitution_costs

_FORBIDDEN: Final = 1 << 17
"""More than any word's distance."""
_STRIDE: Final = 8
"""Phonemes from one block to the next."""

_SHORT: Final = 3
"""Pairs of the longest words that are bounded in single bytes; their budgets are far below."""
_BYTE: Final = 255

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Heard:
    """What was heard, made ready for one index: T phonemes, P places, Q pairs of places.

    Column T stands for everything behind the end; place P and pair Q for none.
    """

    costs: Ints
    """[P + 1, T + 1] cost of hearing phoneme t for place p."""
    extra: Ints
    """[T + 1] cost of a phoneme too many."""
    missing: Ints
    """[P + 1] cost of leaving a place out."""
    pairs: Bytes
    """[T + 1, Q + 1] cost of hearing phonemes t and t + 1 for a pair, without a gap."""
    split: Bytes
    """[T + 1, Q + 1] at most the same with a gap: one place missing, or phoneme t + 1 too many."""
    opens: NDArray[np.bool_]
    """[T + 1] whether a word may begin before phoneme t."""
    closes: NDArray[np.bool_]
    """[T + 1] whether a word may end before phoneme t."""

    @classmethod
    def of(cls, phonemes: Sequence[Phoneme], index: HotwordIndex) -> "Heard":
        """Compare every phoneme with every place of the index, the best alternative of each."""
        heard = Alternatives.of(phoneme.place for phoneme in phonemes)
        table = substitution_costs().astype(np.uint8)
        doubts = [p.costs or (0,) * len(p.place) for p in phonemes]
        either_cost = table[:, heard.symbols] + np.array(list(chain(*doubts)), np.int16)
        by_symbol = np.minimum.reduceat(
            np.minimum(either_cost, SCALE).astype(np.uint8), heard.offsets, axis=1
        )
        places = index.places
        costs = np.minimum.reduceat(by_symbol[places.symbols], places.offsets, axis=0)
        # behind the end nothing fits; where there is no place, anything does
        bounded = np.pad(costs.T, ((0, 2), (0, 0)), constant_values=SCALE)
        bounded = np.pad(bounded, ((0, 0), (0, 1)))
        firsts, seconds = index.pairs.T
        extra = heard.gap_costs()
        missing = places.gap_costs()
        either = np.append(missing, np.int32(SCALE))[index.pairs].min(axis=1)
        between = np.append(extra[1:], np.full(2, SCALE, np.int32))
        pairs = bounded[:-1].take(firsts, axis=1)
        pairs += bounded[1:].take(seconds, axis=1)
        return cls(
            np.pad(costs.astype(np.int32), ((0, 1), (0, 1)), constant_values=_FORBIDDEN),
            np.append(extra, np.int32(0)),
            np.append(missing, np.int32(0)),
            pairs,
            np.minimum(between[:, None].astype(np.uint8), either.astype(np.uint8)),
            np.array([*(phoneme.opens for phoneme in phonemes), False]),
            np.array([False, *(phoneme.closes for phoneme in phonemes)]),
        )


def _shifts(most: int) -> Iterator[tuple[int, int]]:
    """Ranges of shifts, the farthest first; none and one by themselves."""
    while most > 1:
        yield most // 2 + 1, most
        most //= 2
    if most:
        yield 1, 1
    yield 0, 0


class Steps:
    """The three steps; each keeps all that the budgets allow.

    They are given words as `pairs` [W, M], `budgets` uint16 [W], their greatest distances, and
    `shift`, the most phonemes too many or too few that any of these allows.
    """

    def __init__(self, heard: Heard, pairs: Ints) -> None:
        self._heard = heard
        self._end = len(heard.extra) - 1
        self._pairs = pairs
        """[Q + 1, 2]."""
        capped = np.minimum(heard.pairs, heard.split)
        filled = np.pad(capped, ((0, -len(capped) % _STRIDE), (0, 0)), mode="edge")
        self._least = np.minimum.reduce([filled[at::_STRIDE] for at in range(_STRIDE)])
        """[parts, Q + 1] each pair's cheapest match that begins in a stride of phonemes, or gap."""
        self._near = {0: capped}
        """k -> [T + 1, Q + 1] each pair's cheapest match at most k phonemes away, or gap."""

    def near_blocks(
        self, pairs: Ints, budgets: NDArray[np.uint16], shift: int
    ) -> tuple[Ints, Ints]:
        """Step 1: pairs of a word and the first phoneme of a block.

        A block holds every stretch that begins in its first stride.
        """
        parts, reach = len(self._least), 2 * pairs.shape[1] + shift
        every, further = np.arange(parts), range(-(-(_STRIDE + reach) // _STRIDE))
        held = [self._least[np.minimum(every + at, parts - 1)] for at in further]
        least = np.ascontiguousarray(np.minimum.reduce(held).T)
        if pairs.shape[1] <= _SHORT:
            # bytes are faster, and hold the sum when each is bounded
            np.minimum(least, _BYTE // _SHORT, out=least)
            bounds = least[pairs[:, 0]]
        else:
            bounds = least[pairs[:, 0]].astype(np.uint16)
        for column in pairs.T[1:]:
            bounds += least[column]
        rows, blocks = np.divmod(np.flatnonzero(bounds <= budgets[:, None]), parts)
        return rows.astype(np.int32), (blocks * _STRIDE).astype(np.int32)

    def near_starts(
        self, pairs: Ints, budgets: NDArray[np.uint16], shift: int, rows: Ints, blocks: Ints
    ) -> tuple[Ints, Ints]:
        """Step 2: pairs of a word and a phoneme at which it may start."""
        starts = np.minimum(blocks[:, None] + np.arange(_STRIDE, dtype=np.int32), self._end)
        chosen = np.flatnonzero(self._heard.opens[starts])
        starts, rows = starts.ravel()[chosen], rows[chosen // _STRIDE]
        kept = np.zeros(len(rows), np.bool_)
        left = np.arange(len(rows))
        for least, most in _shifts(shift):
            if not left.size:
                break
            limits = budgets[rows[left]]
            total, worst = self._bounds(most, pairs, rows[left], starts[left])
            # so far away, a pair follows so many gaps, each of which costs ZERO_GAP or more and
            # lies in one pair at most; of such a pair, no more than `worst` is in the sum
            more = least * (ZERO_GAP - np.minimum(worst, ZERO_GAP).astype(np.uint16))
            kept[left[total + more <= limits]] = True
            left = left[total <= limits]
        found = np.flatnonzero(kept)
        return rows[found], starts[found]

    def _nearest(self, most: int) -> Bytes:
        """Each pair's cheapest match at most so many phonemes away, or gap: [T + 1, Q + 1]."""
        done = max(away for away in self._near if away <= most)
        while done < most:
            # two windows side by side, which overlap, are a wider one
            step = min(max(done, 1), most - done)
            near, wide = self._near[done], self._near[done].copy()
            np.minimum(wide[:-step], near[step:], out=wide[:-step])
            np.minimum(wide[step:], near[:-step], out=wide[step:])
            done += step
            self._near[done] = wide
        return self._near[most]

    def _bounds(
        self, most: int, pairs: Ints, rows: Ints, starts: Ints
    ) -> tuple[NDArray[np.uint16], Bytes]:
        """Sum and greatest of the costs of each pair at most so far from where it belongs."""
        # without any gap, each pair lies as it is where it belongs
        costs = self._nearest(most) if most else self._heard.pairs
        width, flat = costs.shape[1], costs.ravel()
        total = np.zeros(len(rows), np.uint16)
        worst = np.zeros(len(rows), np.uint8)
        for at, column in enumerate(pairs.T):
            cost = flat[np.minimum(starts + 2 * at, self._end) * width + column[rows]]
            total += cost
            np.maximum(worst, cost, out=worst)
        return total, worst

    def distances(self, pairs: Ints, lengths: Ints, firsts: Ints, shift: int) -> tuple[Ints, Ints]:
        """Step 3: least distance of each word from its start, and where that stretch ends.

        Args:
            pairs: [W, M] words.
            lengths: [W] their places; never increasing.
            firsts: [W] where they start.
            shift: the most phonemes too many or too few.
        """
        heard, end = self._heard, self._end
        costs = heard.costs.ravel()
        # best[:, k]: the word so far against as many phonemes, and k - shift more
        now: Ints = np.add(firsts[:, None], np.arange(-shift, shift + 1, dtype=np.int32))
        extra: Ints = (np.cumsum(heard.extra) - heard.extra).astype(np.int32)
        best = extra.take(now, mode="clip") - extra[firsts, None]
        best[:, :shift] = _FORBIDDEN
        for done, column in enumerate(self._pairs[pairs].reshape(len(pairs), -1).T):
            left = int(np.count_nonzero(lengths > done))
            before, place = best[:left], column[:left, None]
            at = np.clip(now[:left] + done, 0, end)
            after = before + costs[at + place * (end + 1)]
            np.minimum(after[:, :-1], before[:, 1:] + heard.missing[place], out=after[:, :-1])
            # a phoneme too many costs the same wherever it stands: with the sums taken off, the
            # least so far just carries over
            sums = extra.take(now[:left] + (done + 1), mode="clip")
            after -= sums
            np.minimum.accumulate(after, axis=1, out=after)
            np.add(after, sums, out=before)
        borders = np.clip(now + lengths[:, None], 0, end)
        best[~heard.closes[borders]] = _FORBIDDEN
        every, lasts = np.arange(len(best)), np.argmin(best, axis=1)
        return best[every, lasts], borders[every, lasts]
