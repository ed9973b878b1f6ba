"""What a CTC head might write for a word, simulated: other characters, near sounds, slips."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Final

from funasr_cli.bench.word_lists import phrases
from funasr_cli.characters import toneless
from funasr_cli.results import CtcToken

CHARS_PER_S: Final = 4.5
"""Of Mandarin as it is spoken in meetings."""
KINDS: Final = (
    "homophones", "tone", "zh/z", "ch/c", "sh/s", "n/l", "f/h", "in/ing", "en/eng", "an/ang",
    "insertion", "dropped",
)  # fmt: skip
NEAR: Final = KINDS[1:10]
"""One near sound: a tone, or a pair that whole regions do not tell apart."""
_FILLERS: Final = "的了是嗯啊呢一就"
_INITIALS: Final = frozenset({"zh/z", "ch/c", "sh/s", "n/l", "f/h"})


def mishear(word: str, kind: str, rng: Random) -> str | None:
    """Write a Chinese word as it sounds, in other characters, with one slip of a kind.

    Every character is replaced by one that sounds the same in its word (commoner ones are
    likelier), but for the slip.

    Returns:
        None: this word cannot be misheard so.
    """
    syllables = _syllables(word)
    if kind in NEAR:
        slips = [
            (at, other)
            for at, syllable in enumerate(syllables)
            for other in _near(syllable, kind)
            if other in _characters()
        ]
        if not slips:
            return None
        at, other = rng.choice(slips)
        syllables[at] = other
    written = [_write(syllable, char, rng) for syllable, char in zip(syllables, word, strict=True)]
    if kind == "insertion":
        written.insert(rng.randrange(1, len(written)), rng.choice(_FILLERS))
    if kind == "dropped":
        if len(written) < 3:  # noqa: PLR2004 - of two characters, one is anything
            return None
        del written[rng.randrange(len(written))]
    return "".join(written)


def heard(text: str) -> list[CtcToken]:
    """Make CTC tokens of a text, one a character, evenly spaced."""
    return [
        CtcToken(0, char.encode(), at / CHARS_PER_S, (at + 0.5) / CHARS_PER_S, 0.9)
        for at, char in enumerate(text)
    ]


def insert(word: str, sentences: Sequence[str], rng: Random, length: int) -> str:
    """Put what was heard for a word between everyday sentences: `length` characters in all."""
    text = ""
    while len(text) < length:
        text += rng.choice(sentences).replace("，", "")
    at = rng.randrange(length - len(word) + 1)
    return text[:at] + word + text[at : length - len(word)]


def _syllables(word: str) -> list[str]:
    """Read a word as a whole: pypinyin knows which reading its phrases want."""
    from pypinyin import Style, lazy_pinyin

    return lazy_pinyin(word, style=Style.TONE3)


@cache
def _characters() -> dict[str, tuple[list[str], list[int]]]:
    """Which characters are read so, and how often they are: counted in pypinyin's phrases."""
    found: dict[str, Counter[str]] = {}
    for phrase in phrases():
        for char, syllable in zip(phrase, _syllables(phrase), strict=True):
            found.setdefault(syllable, Counter())[char] += 1
    return {syllable: (list(c), list(c.values())) for syllable, c in found.items()}


def _write(syllable: str, char: str, rng: Random) -> str:
    alike, counts = _characters().get(syllable, ([char], [1]))
    return rng.choices(alike, counts)[0]


def _near(syllable: str, kind: str) -> list[str]:
    """Syllables one slip away; not all of them exist."""
    plain = toneless(syllable)
    tone = syllable[len(plain) :]
    if kind == "tone":
        return [plain + other for other in "1234" if other != tone]
    for one, other in (kind.split("/"), kind.split("/")[::-1]):
        if kind in _INITIALS:
            # z is not zh
            if plain.startswith(one) and not plain.startswith(one + "h"):
                return [other + plain[len(one) :] + tone]
        elif plain.endswith(one):
            return [plain.removesuffix(one) + other + tone]
    return []
