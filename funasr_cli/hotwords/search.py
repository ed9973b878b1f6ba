"""Where the words of an index lie in a sequence of phonemes, by weighted edit distance.

The distance of a word is the least edit distance between it and a stretch of what was heard
(Sellers, 1980); its similarity is 1 - penalty * distance / length. Three steps make it fast,
and none loses a word that is near enough:

1. What was heard is cut into overlapping blocks. No stretch inside a block is nearer to a word
   than the sum of each of its phonemes' cheapest match anywhere in the block.
2. The edits that a word can afford shift its phonemes by a few places at most. So from a given
   start, each phoneme meets only the few that are heard about where it belongs.
3. What is left goes through the dynamic programme together, one numpy row a phoneme.
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

_FORBIDDEN: Final = 1 << 17
"""More than any word's distance."""


@dataclass(frozen=True)
class Match:
    """A word on the stretch of phonemes [first, last)."""

    word: int
    similarity: float
    first: int
    last: int
    length: int
    """Phonemes of the word."""


@dataclass(frozen=True, eq=False)
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
    steps = _Steps(group.places, heard, budget, budget // ZERO_GAP)
    rows, firsts = steps.near_starts(*steps.near_blocks())
    distances, lasts = steps.distances(rows, firsts)
    for at in np.flatnonzero(distances <= budget).tolist():
        similarity = 1 - int(distances[at]) / weight
        word = int(group.words[rows[at]])
        yield Match(word, similarity, int(firsts[at]), int(lasts[at]), length)


@dataclass(frozen=True, eq=False)
class _Steps:
    """The three steps for W words of n phonemes; each keeps all that the budget allows."""

    words: Ints
    """[W, n] places."""
    heard: Heard
    budget: int
    shift: int
    """Most phonemes too many or too few within the budget."""

    @property
    def stride(self) -> int:
        """Most phonemes in a stretch; a block is two strides long."""
        return int(self.words.shape[1]) + self.shift

    def near_blocks(self) -> tuple[Ints, Ints]:
        """Step 1: pairs of a row of the words and the first phoneme of a block."""
        stride, heard = self.stride, self.heard
        least = np.minimum.reduceat(
            heard.costs[:, :-1], np.arange(0, len(heard.extra) - 1, stride), axis=1
        )
        least[:, :-1] = np.minimum(least[:, :-1], least[:, 1:])
        least = np.minimum(least, heard.missing[:, None]).astype(np.uint8)
        bounds = np.zeros((len(self.words), least.shape[1]), np.uint16)
        for column in self.words.T:
            bounds += least[column]
        rows, blocks = np.nonzero(bounds <= self.budget)
        return rows.astype(np.int32), (blocks * stride).astype(np.int32)

    def near_starts(self, rows: Ints, blocks: Ints) -> tuple[Ints, Ints]:
        """Step 2: pairs of a row of the words and a phoneme at which it may start."""
        heard, end = self.heard, len(self.heard.extra) - 1
        wide = np.pad(heard.costs, ((0, 0), (self.shift, self.shift)), mode="edge")
        near = np.minimum.reduce([wide[:, at : at + end + 1] for at in range(2 * self.shift + 1)])
        near = np.minimum(near, heard.missing[:, None]).astype(np.uint8).ravel()
        starts = np.minimum(blocks[:, None] + np.arange(self.stride, dtype=np.int32), end)
        chosen = np.flatnonzero(heard.opens[starts])
        starts = starts.ravel()[chosen]
        rows = rows[chosen // self.stride]
        bounds = np.zeros(len(starts), np.uint16)
        for at, column in enumerate(self.words.T):
            bounds += near[np.minimum(starts + at, end) + column[rows] * (end + 1)]
        found = np.flatnonzero(bounds <= self.budget)
        return rows[found], starts[found]

    def distances(self, rows: Ints, firsts: Ints) -> tuple[Ints, Ints]:
        """Step 3: least distance of each word from its start, and where that stretch ends."""
        heard, end = self.heard, len(self.heard.extra) - 1
        borders = np.minimum(firsts[:, None] + np.arange(self.stride + 1, dtype=np.int32), end)
        costs = heard.costs.ravel()
        # best[:, k]: the word so far against k phonemes. A phoneme too many costs the same
        # wherever it stands: with these sums taken off, the least so far just carries over.
        extra = (np.cumsum(heard.extra, dtype=np.int32) - heard.extra)[borders]
        extra -= extra[:, :1]
        best = extra.copy()
        for column in self.words[rows].T:
            match = best[:, :-1] + costs[borders[:, :-1] + column[:, None] * (end + 1)]
            best += heard.missing[column, None]
            np.minimum(best[:, 1:], match, out=best[:, 1:])
            best -= extra
            np.minimum.accumulate(best, axis=1, out=best)
            best += extra
        best[~heard.closes[borders]] = _FORBIDDEN
        every, lasts = np.arange(len(best)), np.argmin(best, axis=1)
        return best[every, lasts], borders[every, lasts]
