"""The phonemes, and how unlike two of them sound: the one table of costs.

A phoneme is a small number: an initial, or a final with its tone. Consonants and vowels of
other languages share the numbers of Mandarin where they are near enough.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

SCALE: Final = 100
"""Costs are whole hundredths: 100 = a different sound."""
SIMILAR: Final = 25
"""Pairs that whole regions do not tell apart."""
RELATED: Final = 50
"""Pairs that differ in one feature."""
TONE: Final = 15
"""Another tone on the same final: heard badly by every recogniser, so cheap."""
NO_TONE: Final = 5
"""A neutral tone, or a language without tones, against any tone."""
ZERO_GAP: Final = 75
"""A missing initial too many or too few: there is less to hear than in a consonant."""

INITIALS: Final = (
    "", "b", "p", "m", "f", "d", "t", "n", "l", "g", "k", "h", "j", "q", "x",
    "zh", "ch", "sh", "r", "z", "c", "s", "v", "w", "th", "ng",
)  # fmt: skip
"""Of Mandarin (the first is the missing one), then consonants of other languages."""
FINALS: Final = (
    "a", "o", "e", "ê", "i", "u", "v", "ai", "ei", "ao", "ou", "an", "en", "ang", "eng", "er",
    "ia", "ie", "iao", "iou", "ian", "in", "iang", "ing", "iong", "io", "ua", "uo", "uai", "uei",
    "uan", "uen", "uang", "ueng", "ong", "ve", "van", "vn",
)  # fmt: skip
"""Of Mandarin, in pypinyin's strict spelling; vowels of other languages use the same."""
TONES: Final = 5
"""0 = neutral or none, then the four of Mandarin."""
SYMBOLS: Final = len(INITIALS) + len(FINALS) * TONES

# "Fuzzy pinyin" as every Chinese input method offers it (zh/z, n/l, f/h, an/ang ...), and pairs
# that are as near in other languages.
_SIMILAR: Final = (
    "zh z", "ch c", "sh s", "n l", "f h", "l r", "v w", "v f", "th s", "th z", "ng n",
    "an ang", "en eng", "in ing", "ian iang", "uan uang", "uen ueng", "uen ong", "ueng ong",
    "o uo", "ê e",
)  # fmt: skip
# One feature apart: aspiration, place, rounding or a glide.
_RELATED: Final = (
    "b p", "d t", "g k", "j q", "z c", "zh ch", "j zh", "q ch", "x sh", "j z", "q c", "x s",
    "h k", "m n", "z s", "c s", "t th", "r zh", " h", " w", " r", " ng", " n",
    "eng ong", "en ong", "e o", "i v", "u v", "ie ve", "in vn", "ian van", "in en", "ing eng",
    "ai ei", "ao ou", "ou uo", "uei ei", "uai ai", "iou ou", "iao ao", "ia a", "ua a", "ie ian",
    "uan an", "uang ang", "iang ang", "ian an", "iong ong", "io o", "a e", "a o", "e i", "o u",
    "i ei", "u ou", "uen en", "a ao", "er e",
)  # fmt: skip


def initial_symbol(name: str) -> int:
    """Number of an initial or foreign consonant; "" is the missing one."""
    return INITIALS.index(name)


def final_symbol(name: str, tone: int = 0) -> int:
    """Number of a final or foreign vowel with its tone, 0..4."""
    return len(INITIALS) + FINALS.index(name) * TONES + tone


@cache
def substitution_costs() -> NDArray[np.int16]:
    """Cost of hearing one phoneme for another: int16 [SYMBOLS, SYMBOLS], symmetric, 0..SCALE."""
    costs = np.full((SYMBOLS, SYMBOLS), SCALE, np.int16)
    split = len(INITIALS)
    costs[:split, :split] = _toneless(INITIALS)
    tones = np.full((TONES, TONES), TONE, np.int16)
    tones[0, :] = tones[:, 0] = NO_TONE
    np.fill_diagonal(tones, 0)
    finals = np.repeat(np.repeat(_toneless(FINALS), TONES, axis=0), TONES, axis=1)
    costs[split:, split:] = np.minimum(finals + np.tile(tones, (len(FINALS),) * 2), SCALE)
    return costs


def _toneless(names: tuple[str, ...]) -> NDArray[np.int16]:
    """Costs among the initials or among the finals: int16 [N, N]."""
    costs = np.full((len(names), len(names)), SCALE, np.int16)
    for cost, pairs in ((RELATED, _RELATED), (SIMILAR, _SIMILAR)):
        for pair in pairs:
            one, other = pair.split(" ")
            if one in names and other in names:
                at, by = names.index(one), names.index(other)
                costs[at, by] = costs[by, at] = cost
    np.fill_diagonal(costs, 0)
    return costs


@cache
def gap_costs() -> NDArray[np.int16]:
    """Cost of a phoneme too many or too few: int16 [SYMBOLS], ZERO_GAP..SCALE."""
    costs = np.full(SYMBOLS, SCALE, np.int16)
    costs[initial_symbol("")] = ZERO_GAP
    return costs
