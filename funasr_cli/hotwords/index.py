"""A word list in the form that recall searches: arrays of phonemes, built once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from funasr_cli.hotwords.phonemes import Place, pronunciations
from funasr_cli.hotwords.similarity import gap_costs

Ints = NDArray[np.int32]

MAX_PLACES: Final = 120
"""Longest word that can be heard: sixty Chinese characters."""


@dataclass(frozen=True, eq=False)
class WordGroup:
    """The pronunciations of one length n."""

    places: Ints
    """[W, n] indices into `HotwordIndex.places`."""
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
    """Every different place of any pronunciation, once."""
    groups: tuple[WordGroup, ...]
    silent: tuple[str, ...]
    """Words without any sound (or far too long): they can never be recalled."""

    @classmethod
    def build(
        cls, words: Sequence[str], aliases: Mapping[str, str] | None = None
    ) -> "HotwordIndex":
        """Read every word in each of its ways.

        Args:
            words: The written forms, without duplicates.
            aliases: Other spoken forms -> the written form, which need not be in `words`.
        """
        ids = {
            word: at for at, word in enumerate(dict.fromkeys((*words, *(aliases or {}).values())))
        }
        spoken = list(ids.items())
        spoken += [(alias, ids[written]) for alias, written in (aliases or {}).items()]
        numbers: dict[Place, int] = {}
        rows: dict[int, list[list[int]]] = {}
        owners: dict[int, list[int]] = {}
        for form, word in spoken:
            for places in pronunciations(form):
                if len(places) <= MAX_PLACES:
                    row = [numbers.setdefault(place, len(numbers)) for place in places]
                    rows.setdefault(len(row), []).append(row)
                    owners.setdefault(len(row), []).append(word)
        groups = tuple(
            WordGroup(np.array(rows[length], np.int32), np.array(owners[length], np.int32))
            for length in sorted(rows)
        )
        heard = {word for group in owners.values() for word in group}
        return cls(
            words=tuple(ids),
            places=Alternatives.of(numbers),
            groups=groups,
            silent=tuple(word for word, at in ids.items() if at not in heard),
        )
