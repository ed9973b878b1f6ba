"""Characters of a text: which have a sound, which belong together, what each shares with others.

A leaf for alignment.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache
from typing import Final, NamedTuple

from funasr_cli.characters import readings, toneless

# Only the order matters: equal beats alike. (A pair that has nothing in common scores 1.)
EQUAL: Final = 6
SAME_NUMBER: Final = 5
SAME_SOUND: Final = 4
SAME_SYLLABLE: Final = 3

_NUMERALS: Final = {
    char: str(digit)
    for digit, chars in enumerate(
        ("0零〇", "1一幺", "2二两兩", "3三", "4四", "5五", "6六", "7七", "8八", "9九")
    )
    for char in chars
} | {"%": "%", ".": ".", "点": ".", "點": "."}
"""Characters that name one digit, or a sign in numbers."""
_TEENS: Final = (
    "ten tenth eleven eleventh twelve twelfth thirteen thirteenth fourteen fourteenth fifteen "
    "fifteenth sixteen sixteenth seventeen seventeenth eighteen eighteenth nineteen nineteenth"
)
_NUMBER_WORDS: Final = {
    word: str(digit)
    for digit, words in enumerate(
        (
            "zero oh o",
            "one first hundred " + _TEENS,
            "two second twenty twentieth",
            "three third thirty thirtieth",
            "four fourth forty fortieth",
            "five fifth fifty fiftieth",
            "six sixth sixty sixtieth",
            "seven seventh seventy seventieth",
            "eight eighth eighty eightieth",
            "nine ninth ninety ninetieth",
        )
    )
    for word in words.split()
} | {"percent": "%", "point": "."}
"""English words -> the digit or sign that they are written with first."""
DIGITS: Final = frozenset("0123456789")
IN_NUMBERS: Final = frozenset("十百千万萬亿億点點分之负負半").union(_NUMERALS) - {"%", "."}
_SPOKEN_SIGNS: Final = frozenset("%‰&@#/")
_SPOKEN_IN_NUMBERS: Final = frozenset(".:-~")
_APOSTROPHES: Final = frozenset("'\u2019")
_FIRST_OF_CJK: Final = "\u2e80"
"""From here on a character is a syllable or more; before it letters make words."""


class Role(Enum):
    """Whether a character has a sound."""

    SPOKEN = "has a sound"
    SIGN = "has a sound if CTC heard one: % in 20%, the point in 3.5"
    SILENT = "has none"


class Unit(NamedTuple):
    """What is heard as one: a word of letters, or any other character with a sound."""

    key: str
    """Folded."""
    text: str
    """As it is written, without apostrophes."""
    first: int
    """Which of the characters with a sound it begins with."""
    last: int
    """The one behind its last."""
    spaced: bool
    """Whether there is a space before it."""


@cache
def fold(char: str) -> str:
    """Fold width, case and ligatures, so that equal characters compare equal."""
    return unicodedata.normalize("NFKC", char).casefold()


def role(keys: Sequence[str], at: int) -> Role:
    """Tell whether a folded character has a sound where it stands."""
    key = keys[at]
    category = unicodedata.category(key[0])[0]
    if category == "S" or key in _SPOKEN_SIGNS:
        return Role.SIGN
    if key in _SPOKEN_IN_NUMBERS and 0 < at < len(keys) - 1:
        inside = keys[at - 1] in DIGITS and keys[at + 1] in DIGITS
        return Role.SIGN if inside else Role.SILENT
    return Role.SILENT if category in "PZC" else Role.SPOKEN


@cache
def makes_sound(char: str) -> bool:
    """Tell whether a character by itself has a sound."""
    return role([fold(char)], 0) is not Role.SILENT


@cache
def is_letter(key: str) -> bool:
    """Tell whether a folded character makes words with its neighbours."""
    return key < _FIRST_OF_CJK and unicodedata.category(key[0])[0] == "L"


def units(chars: Sequence[str], spoken: Sequence[bool]) -> Iterator[Unit]:
    """Group characters into units; those without a sound, such as spaces, are left out.

    An apostrophe between letters is no gap.
    """
    key = text = ""  # of the word that is under way
    first = count = 0
    word_spaced = False
    apart = spaced = False  # whether what stands before a character ends a word, or is a space
    for char, sounds in zip(chars, spoken, strict=True):
        folded = fold(char)
        letter = is_letter(folded)
        if key and (apart or (sounds and not letter)):
            yield Unit(key, text, first, count, word_spaced)
            key = text = ""
        if sounds and letter:
            if not key:
                first, word_spaced = count, spaced
            key, text = key + folded, text + char
        elif sounds:
            yield Unit(folded, char, count, count + 1, spaced)
        apart = not letter and folded not in _APOSTROPHES
        spaced = char.isspace() or (spaced and not sounds)
        count += sounds
    if key:
        yield Unit(key, text, first, count, word_spaced)


@cache
def labels(key: str) -> tuple[tuple[int, str], ...]:
    """Name what a unit may share with another: (score, label)."""
    sounds = readings(key) if len(key) == 1 else ()
    found = [(SAME_SYLLABLE, "syllable " + toneless(sound)) for sound in sounds]
    found += [(SAME_SOUND, "sound " + sound) for sound in sounds]
    number = _NUMERALS.get(key) or _NUMBER_WORDS.get(key)
    if number:
        found.append((SAME_NUMBER, "number " + number))
    return (*found, (EQUAL, "character " + key))
