"""A word list in the form that recall searches: arrays of phonemes, built once."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from funasr_cli.hotwords.phonemes import Place, pronunciations
from funasr_cli.hotwords.similarity import gap_costs

Ints = NDArray[np.int32]

MAX_PLACES: Final = 120
"""Longest word that can be heard: sixty Chinese characters."""
_MOST_PAIRS: Final = (1, 2, 3, 4, 5, 7, 10, 15, 22, MAX_PLACES // 2)
"""Of the words of a group: few groups, and little to fill up."""
_NONE: Final = -1


@dataclass(frozen=True, eq=False)
class WordGroup:
    """W pronunciations of about one length, as pairs of places: (1st, 2nd), (3rd, 4th) ..."""

    pairs: Ints
    """[W, M] indices into `HotwordIndex.pairs`; shorter ones are filled up with the last."""
    lengths: Ints
    """[W] places of each, 2M at most."""
    words: Ints
    """[W] indices into `HotwordIndex.words`."""


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Sets of phonemes, stored flat for `numpy.ufunc.reduceat`; none is empty."""

    symbols: Ints
    """[N] members of all sets."""
    offsets: Ints
    """[P] where each set begins."""

    @classmethod
    def of(cls, places: Iterable[Place]) -> "Alternatives":
        """Store the sets in order."""
        held = list(places)
        lengths = np.array([0, *map(len, held)], np.int32)
        members = [symbol for place in held for symbol in place]
        return cls(np.array(members, np.int32), np.cumsum(lengths[:-1], dtype=np.int32))

    def gap_costs(self) -> Ints:
        """Cost of each set too many or too few, that of its cheapest member: [P]."""
        return np.minimum.reduceat(gap_costs()[self.symbols], self.offsets).astype(np.int32)


@dataclass(frozen=True, eq=False)
class HotwordIndex:
    """Words and how they sound."""

    words: tuple[str, ...]
    places: Alternatives
    """The P different places of all pronunciations."""
    pairs: Ints
    """[Q + 1, 2] the different pairs, as indices into `places`; P stands for no place. The last
    pair is (P, P)."""
    groups: tuple[WordGroup, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other spoken forms -> the written form."""

    @property
    def silent(self) -> tuple[str, ...]:
        """Words without any sound (or far too long): they can never be recalled."""
        heard = np.zeros(len(self.words), np.bool_)
        for group in self.groups:
            heard[group.words] = True
        return tuple(self.words[at] for at in np.flatnonzero(~heard).tolist())

    def spells(self, text: str, word: int) -> bool:
        """Whether a text is a word of the list, or one of its other spoken forms."""
        written = self.words[word]
        return text.casefold() == written.casefold() or self.aliases.get(text) == written

    @classmethod
    def build(
        cls, words: Sequence[str], aliases: Mapping[str, str] | None = None
    ) -> "HotwordIndex":
        """Read every word in each of its ways.

        Args:
            words: The written forms.
            aliases: Other spoken forms -> the written form, which need not be in `words`.
        """
        written = written_forms(words, aliases)
        ids = {word: at for at, word in enumerate(written)}
        spoken = [*ids.items(), *((alias, ids[word]) for alias, word in (aliases or {}).items())]
        numbers: dict[Place, int] = {}
        pairs: dict[tuple[int, int], int] = {}
        rows: dict[int, list[tuple[list[int], int, int]]] = {most: [] for most in _MOST_PAIRS}
        for form, word in spoken:
            for places in pronunciations(form):
                if len(places) > MAX_PLACES:
                    continue
                row = [numbers.setdefault(place, len(numbers)) for place in places]
                both = zip_longest(row[::2], row[1::2], fillvalue=_NONE)
                cut = [pairs.setdefault(pair, len(pairs)) for pair in both]
                most = _MOST_PAIRS[bisect_left(_MOST_PAIRS, len(cut))]
                rows[most].append((cut, len(row), word))
        table = np.array([*pairs, (_NONE, _NONE)], np.int32)
        table[table == _NONE] = len(numbers)
        groups = [_group(most, held, len(pairs)) for most, held in rows.items() if held]
        return cls(written, Alternatives.of(numbers), table, tuple(groups), aliases or {})


def written_forms(words: Sequence[str], aliases: Mapping[str, str] | None) -> tuple[str, ...]:
    """All words that can be recalled, each once, in the order of their numbers."""
    return tuple(dict.fromkeys((*words, *(aliases or {}).values())))


def _group(most: int, rows: Sequence[tuple[list[int], int, int]], filler: int) -> WordGroup:
    pairs = np.full((len(rows), most), filler, np.int32)
    for at, (cut, _, _) in enumerate(rows):
        pairs[at, : len(cut)] = cut
    lengths, words = (np.array([row[part] for row in rows], np.int32) for part in (1, 2))
    return WordGroup(pairs, lengths, words)
