"""Text -> phonemes.

A Chinese character is two phonemes, initial and final; the tone belongs to the final. A place
may hold several phonemes: those of the character's other readings.

Latin letters are read by spelling, in the word list as in the CTC text: digraphs and doubled
letters are one sound (`LETTERS`), every other letter is its own. That is crude English, but
"DeepSeek" meets "deep sick" and "GPT" meets "g p t". Digits are read in Chinese or English,
digit by digit or as a number. Kana and Hangul are read by the romanisation in their Unicode
names. Everything else is silent.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from funasr_cli.characters import readings, toneless
from funasr_cli.hotwords.numbers import say_digits, say_number
from funasr_cli.hotwords.similarity import FINALS, INITIALS, TONES, final_symbol, initial_symbol

LETTERS: Final = {
    "tch": "ch", "sch": "sh", "sh": "sh", "ch": "ch", "th": "th", "ph": "f", "ck": "k",
    "qu": "k w", "wh": "w", "gh": "g", "ng": "ng", "x": "k s", "q": "k", "y": "i", "c": "k",
    "ee": "i", "ea": "i", "ie": "i", "oo": "u", "ou": "ou", "ow": "ou", "oa": "ou",
    "ai": "ai", "ay": "ai", "ei": "ei", "ey": "ei", "au": "ao", "aw": "ao", "er": "er",
}  # fmt: skip
"""Spelling -> sounds, where a letter is not simply itself; c before e, i, y is s."""

_SPELLING: Final = re.compile("|".join(sorted(LETTERS, key=len, reverse=True)) + "|.")
_SOFT_C: Final = re.compile("c(?=[eiy])")
_DOUBLED: Final = re.compile(r"([^eo])\1+")
_SILENT_E: Final = re.compile("(?<=[aiou][b-df-hj-np-tv-z])e$")
_ROMANISED: Final = re.compile(
    r"(?:HIRAGANA LETTER|KATAKANA LETTER|HANGUL SYLLABLE)(?: SMALL)? ([A-Z]+)$"
)
_TOKENS: Final = re.compile(
    r"(?<![a-z])[a-z](?:[ .·-][a-z])+(?![a-z])"  # spelled: g p t, G.P.T
    r"|[a-z]+|\d+(?:\.\d+)?|[^\W_]"
)
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_HUMP: Final = re.compile("(?<=[a-z])(?=[A-Z])")
_ALSO_SAID: Final = {"一": "幺", "幺": "一", "二": "两", "两": "二"}
"""Numerals that stand for each other: 1004 is read 幺零零四 too."""

Place: TypeAlias = tuple[int, ...]
"""The phonemes that one place may be: at least one, rising."""


@dataclass(frozen=True)
class Phoneme:
    """One place in the sound of a text, and the token it came from."""

    place: Place
    first: int
    """Index of the token's first character: a Chinese character, a digit or a Latin word."""
    last: int
    opens: bool
    """The token begins here, so a word may."""
    closes: bool


def sound_out(text: str) -> list[Phoneme]:
    """Read a text aloud; digits in Chinese where there is any Chinese, else in English."""
    owners: list[int] = []
    folded = ""
    for at, char in enumerate(text):
        plain = _fold(char)
        folded += plain
        owners += [at] * len(plain)
    chinese = any(map(readings, folded))
    phonemes: list[Phoneme] = []
    for match in _TOKENS.finditer(folded):
        for places, first, last in _read(match, chinese=chinese):
            end = len(places) - 1
            phonemes += [
                Phoneme(place, owners[first], owners[last], at == 0, at == end)
                for at, place in enumerate(places)
            ]
    return phonemes


def pronunciations(word: str) -> list[tuple[Place, ...]]:
    """Read a word of the list in every way: digits or number, Chinese or English, CamelCase.

    Returns:
        Different ways only; empty for a word without any sound.
    """
    found: dict[tuple[Place, ...], None] = {}
    for spelling in dict.fromkeys((_HUMP.sub(" ", word), word)):
        ways: list[str] = [spelling]
        if _NUMBER.search(spelling):
            ways = [
                _NUMBER.sub(lambda match: f" {say(match.group(), chinese=chinese)} ", spelling)  # noqa: B023
                for chinese in (True, False)
                for say in (say_digits, say_number)
            ]
        for way in ways:
            found[tuple(phoneme.place for phoneme in sound_out(way))] = None
    found.pop((), None)
    return list(found)


@cache
def _fold(char: str) -> str:
    """Fold width and case, and take the accents off Latin letters."""
    plain = unicodedata.normalize("NFKC", char).casefold()
    bare = unicodedata.normalize("NFKD", plain)[:1]
    return bare if bare.isascii() and bare.isalpha() and len(plain) == 1 else plain


def _read(match: re.Match[str], *, chinese: bool) -> Iterator[tuple[tuple[Place, ...], int, int]]:
    """Read one token: the sounds of each unit, its first and its last character."""
    token, start = match.group(), match.start()
    if token[0].isdecimal():
        for at, digit in enumerate(token, start):
            said = say_digits(digit, chinese=chinese)
            yield (_character(said) if chinese else _word(said)), at, at
    elif "a" <= token[0] <= "z":
        yield _word(re.sub("[^a-z]", "", token)), start, match.end() - 1
    else:
        yield _character(token), start, start


@cache
def _character(char: str) -> tuple[Place, ...]:
    """Initial and final of a Chinese character, sounds of a romanised one, or nothing."""
    said = readings(char) + readings(_ALSO_SAID.get(char, ""))
    if not said:
        name = _ROMANISED.match(unicodedata.name(char, ""))
        return _word(name.group(1).lower()) if name else ()
    pairs = [_split(reading) for reading in said]
    initials, finals = ({pair[side] for pair in pairs if pair} for side in (0, 1))
    return (tuple(sorted(initials)), tuple(sorted(finals))) if initials else ()


def _split(reading: str) -> tuple[int, int] | None:
    """Initial and final of a syllable; None for the few without a vowel (嗯, 呣)."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    syllable = toneless(reading)
    tone = int(reading[len(syllable) :] or 0) % TONES
    final = to_finals(syllable, strict=True, v_to_u=False)
    if final not in FINALS:
        return None
    return initial_symbol(to_initials(syllable, strict=True)), final_symbol(final, tone)


@cache
def _word(letters: str) -> tuple[Place, ...]:
    """Sounds of a Latin word in small letters."""
    letters = _DOUBLED.sub(r"\1", _SOFT_C.sub("s", _SILENT_E.sub("", letters)))
    sounds = " ".join(LETTERS.get(part, part) for part in _SPELLING.findall(letters)).split()
    return tuple(
        (initial_symbol(sound) if sound in INITIALS else final_symbol(sound),) for sound in sounds
    )
