"""Where the words of an index lie in a sequence of phonemes, by weighted edit distance.

The distance of a word is the least edit distance (Sellers, 1980) between it and any stretch of
what was heard; its similarity 1 - penalty * distance / length. Two steps keep that fast:

1. What was heard is cut into overlapping blocks. A word cannot be nearer to any stretch inside
   a block than the sum of each of its phonemes' cheapest match anywhere in the block. Pairs of
   word and block that fail even so are dropped: exact, and one table look-up a phoneme.
2. The surviving pairs go through the dynamic programme together, one numpy row a phoneme.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from funasr_cli.hotwords.index import Alternatives, HotwordIndex, Ints, WordGroup
from funasr_cli.hotwords.phonemes import Phoneme
from funasr_cli.hotwords.similarity import SCALE, ZERO_GAP, substitution_costs

PENALTY: Final = 14.0
"""How hard a wrong phoneme counts against a word of one phoneme; longer ones forgive in
proportion, because the more has to fit, the rarer does it fit by chance: a word of two Chinese
characters (4 phonemes) may have one near sound and one wrong tone at a similarity of 0.6, one
of three characters any one phoneme wrong, one of four almost a whole character."""
LEAST_PENALTY: Final = 1.5
"""The same for each phoneme of the longest words: half a word wrong is another word."""
EXACT_ONLY: Final = 2
"""Words of so few phonemes, one syllable, are everywhere: only the exact sound counts."""

_START_BITS: Final = 10
"""The dynamic programme carries where a stretch began in the lowest bits of its costs, so the
least cost brings its own start along. Blocks are far shorter than 1024 phonemes."""
_FORBIDDEN: Final = 1 << 17
"""More than any word's distance, and small enough for sums of shifted int32."""


@dataclass(frozen=True)
class Match:
    """A word on the stretch of phonemes [first, last)."""

    word: int
    similarity: float
    first: int
    last: int
    length: int
    """Phonemes of the word."""


@dataclass(frozen=True)
class Heard:
    """What was heard, made ready for one index: T phonemes, P places.

    Column T stands for everything behind the end.
    """

    costs: Ints
    """[P, T + 1] cost of hearing phoneme t for place p."""
    extra: Ints
    """[T + 1] cost of a phoneme too many."""
    missing: Ints
    """[P] cost of leaving a place out."""
    opens: NDArray[np.bool_]
    """[T + 1] whether a word may begin before phoneme t."""
    closes: NDArray[np.bool_]
    """[T + 1] whether a word may end before phoneme t."""

    @classmethod
    def of(cls, phonemes: Sequence[Phoneme], index: HotwordIndex) -> "Heard":
        """Compare every phoneme with every place of the index, the best alternative of each."""
        heard = Alternatives.of(phoneme.place for phoneme in phonemes)
        by_symbol = np.minimum.reduceat(
            substitution_costs()[:, heard.symbols], heard.offsets, axis=1
        )
        places = index.places
        costs = np.minimum.reduceat(by_symbol[places.symbols], places.offsets, axis=0)
        return cls(
            np.pad(costs.astype(np.int32), ((0, 0), (0, 1)), constant_values=_FORBIDDEN),
            np.append(heard.gap_costs(), np.int32(0)),
            places.gap_costs(),
            np.array([*(phoneme.opens for phoneme in phonemes), False]),
            np.array([False, *(phoneme.closes for phoneme in phonemes)]),
        )


def search(index: HotwordIndex, phonemes: Sequence[Phoneme], threshold: float) -> list[Match]:
    """Find the stretches on which a word reaches the threshold, the best of each block.

    The same stretch may be found twice.
    """
    if not phonemes or not index.groups:
        return []
    heard = Heard.of(phonemes, index)
    return [match for group in index.groups for match in _search(group, heard, threshold)]


def _search(group: WordGroup, heard: Heard, threshold: float) -> Iterator[Match]:
    length = group.places.shape[1]
    weight = length * SCALE / max(LEAST_PENALTY, PENALTY / length)
    # a millionth forgives rounding: exactly the threshold is enough
    budget = int(weight * (1 - threshold) + 1e-6) if length > EXACT_ONLY else 0
    # two neighbouring strides hold every stretch that is within the budget
    stride = length + budget // ZERO_GAP
    rows, blocks = _candidates(group, heard, budget, stride)
    distances, firsts, lasts = _distances(group.places[rows], blocks * stride, heard, 2 * stride)
    for at in np.flatnonzero(distances <= budget).tolist():
        similarity = 1 - int(distances[at]) / weight
        word = int(group.words[rows[at]])
        yield Match(word, similarity, int(firsts[at]), int(lasts[at]), length)


def _candidates(group: WordGroup, heard: Heard, budget: int, stride: int) -> tuple[Ints, Ints]:
    """Pairs (row of the group, stride at which its block begins) that may be within the budget."""
    places, phonemes = len(heard.costs), heard.costs.shape[1] - 1
    strides = -(-phonemes // stride)
    least = np.full((places, strides * stride), SCALE, np.uint8)
    least[:, :phonemes] = heard.costs[:, :phonemes]
    least = least.reshape(places, strides, stride).min(2)
    least[:, :-1] = np.minimum(least[:, :-1], least[:, 1:])
    least = np.minimum(least, heard.missing[:, None].astype(np.uint8))
    bounds = np.zeros((len(group.places), strides), np.uint16)
    for column in group.places.T:
        bounds += least[column]
    rows, blocks = np.nonzero(bounds <= budget)
    return rows.astype(np.int32), blocks.astype(np.int32)


def _distances(words: Ints, begins: Ints, heard: Heard, size: int) -> tuple[Ints, Ints, Ints]:
    """Least distance of each word in its block, and the stretch [first, last) that has it.

    Args:
        words: [N, n] places.
        begins: [N] first phoneme of the block.
        heard: What was heard.
        size: Phonemes in a block.
    """
    end = heard.costs.shape[1] - 1
    borders = np.minimum(begins[:, None] + np.arange(size + 1, dtype=np.int32), end)  # [N, size+1]
    costs = (heard.costs << _START_BITS).ravel()
    # a phoneme too many is free in these coordinates: the row subtracts what all before it cost
    extra = np.cumsum(heard.extra, dtype=np.int32) - heard.extra << _START_BITS
    offset = extra[borders]
    starts = np.arange(size + 1, dtype=np.int32)
    best = np.where(heard.opens[borders], starts, _FORBIDDEN << _START_BITS).astype(np.int32)
    for column in words.T:
        heard_as = costs[borders[:, :-1] + column[:, None] * (end + 1)]
        heard_as += best[:, :-1]
        best += heard.missing[column, None] << _START_BITS
        np.minimum(best[:, 1:], heard_as, out=best[:, 1:])
        best -= offset
        np.minimum.accumulate(best, axis=1, out=best)
        best += offset
    best[~heard.closes[borders]] = _FORBIDDEN << _START_BITS
    lasts = np.argmin(best >> _START_BITS, axis=1)
    chosen = best[np.arange(len(best)), lasts]
    firsts = chosen & ((1 << _START_BITS) - 1)
    return chosen >> _START_BITS, begins + firsts, (begins + lasts).astype(np.int32)
