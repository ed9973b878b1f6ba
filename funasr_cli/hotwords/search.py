"""Where the words of an index lie in a sequence of phonemes: near enough, by edit distance."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from funasr_cli.hotwords.index import HotwordIndex, Ints, WordGroup
from funasr_cli.hotwords.phonemes import Phoneme
from funasr_cli.hotwords.similarity import SCALE, SIMILAR, TONE, ZERO_GAP
from funasr_cli.hotwords.steps import Heard, Steps

PENALTY: Final = 14.0
"""How hard a wrong phoneme counts against a word of one phoneme; longer ones forgive in
proportion, because the more has to fit, the rarer does it fit by chance: a word of two Chinese
characters (4 phonemes) may have one near sound and one wrong tone at a similarity of 0.6, one
of three characters any one phoneme wrong, one of four almost a whole character."""
LEAST_PENALTY: Final = 1.5
"""The same for each phoneme of the longest words: half a word wrong is another word."""
EXACT_ONLY: Final = 2
"""Words of so few phonemes, one syllable, are everywhere: only the exact sound counts."""
TONE_ONLY: Final = 3
"""Words of so few phonemes (Lynn, API, B站) are nearly everywhere: another tone at most."""

USUAL_THRESHOLD: Final = 0.6
CHANCE_WORDS: Final = 8_000
CHANCE_PLACES: Final = 5
CHANCE_PER_PLACE: Final = 40.0
CHANCE_PER_DECADE: Final = 60.0
"""How far a short word of a long list may be: what is within this distance is met by chance
less than every other minute. Ten times the words are met ten times as often, and to make up for
that the distance must be 60 less; each further phoneme is worth 40. (Fitted to lists of names
and of mixed words against everyday sentences and a newspaper: docs/HOTWORDS.md.)"""


@dataclass(frozen=True)
class Match:
    """A word on the stretch of phonemes [first, last)."""

    word: int
    similarity: float
    first: int
    last: int
    length: int
    """Phonemes of the word."""


def weights(lengths: Ints) -> NDArray[np.float64]:
    """Distance at which a word of so many phonemes has similarity 0: [W]."""
    return lengths * SCALE / np.maximum(LEAST_PENALTY, PENALTY / lengths)


def allowed_distances(lengths: Ints, words: int, threshold: float) -> NDArray[np.uint16]:
    """Greatest distance at which a word counts as heard: [W].

    The threshold decides; in long lists, short words must be nearer, lest they be heard where
    nobody said them. One near sound is always allowed.

    Args:
        lengths: phonemes of each word.
        words: of the whole list.
        threshold: least similarity.
    """
    share = 1 - threshold
    decades = np.log10(words / CHANCE_WORDS)
    chance = CHANCE_PER_PLACE * (lengths - CHANCE_PLACES) - CHANCE_PER_DECADE * decades
    chance = np.maximum(chance, SIMILAR) * (share / (1 - USUAL_THRESHOLD))
    # a millionth forgives rounding: exactly the threshold is enough
    allowed: NDArray[np.uint16] = (np.minimum(weights(lengths) * share, chance) + 1e-6).astype(
        np.uint16
    )
    allowed[lengths <= TONE_ONLY] = np.minimum(allowed[lengths <= TONE_ONLY], TONE)
    allowed[lengths <= EXACT_ONLY] = 0
    return allowed


def search(
    index: HotwordIndex,
    phonemes: Sequence[Phoneme],
    threshold: float,
    *,
    most: int = np.iinfo(np.uint16).max,
) -> list[Match]:
    """Find the stretches on which a word reaches the threshold, the best of each start.

    The same stretch may be found twice. `most`: greatest distance, however long a word is.
    """
    if not phonemes or not index.groups:
        return []
    steps = Steps(Heard.of(phonemes, index), index.pairs)
    found: list[Match] = []
    for group in index.groups:
        budgets = allowed_distances(group.lengths, len(index.words), threshold)
        found += _search(group, steps, np.minimum(budgets, most).astype(np.uint16))
    return found


def _search(group: WordGroup, steps: Steps, budgets: NDArray[np.uint16]) -> Iterator[Match]:
    lengths = group.lengths
    shift = int(budgets.max()) // ZERO_GAP
    rows, firsts = steps.near_blocks(group.pairs, budgets, shift)
    rows, firsts = steps.near_starts(group.pairs, budgets, shift, rows, firsts)
    if not rows.size:
        return
    order = np.argsort(-lengths[rows], kind="stable")
    rows, firsts = rows[order], firsts[order]
    distances, lasts = steps.distances(group.pairs[rows], lengths[rows], firsts, shift)
    zero = weights(lengths)
    for at in np.flatnonzero(distances <= budgets[rows]).tolist():
        row = rows[at]
        similarity = 1 - int(distances[at]) / float(zero[row])
        word, length = int(group.words[row]), int(lengths[row])
        yield Match(word, similarity, int(firsts[at]), int(lasts[at]), length)
