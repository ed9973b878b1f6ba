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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import log
from typing import Final, TypeAlias

from funasr_cli.characters import HeardChar, readings, syllables, toneless
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
_DIGITS: Final = re.compile("[零〇一二三四五六七八九]{3,}")
_HUMP: Final = re.compile("(?<=[a-z])(?=[A-Z])")
_SURNAMES: Final = {
    "单": "善", "区": "欧", "盖": "葛", "缪": "妙", "员": "运", "召": "绍", "种": "崇", "折": "舌",
    "秘": "必", "黑": "贺", "仇": "囚", "查": "扎", "解": "谢", "任": "仁", "曾": "增", "朴": "瓢",
    "尉": "玉", "乐": "月", "盛": "胜", "华": "话", "燕": "烟", "宁": "佞", "令": "灵",
}  # fmt: skip
"""Surnames read otherwise than the character mostly is, and a character that sounds like them."""

DOUBT: Final = 20.0
"""Cost of an alternative for each e-fold that it is less likely than what was heard."""
_PER_CHARACTER: Final = 2

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
    costs: tuple[int, ...] = ()
    """What each phoneme of the place costs, in hundredths; empty: nothing."""


def sound_out(text: str, *, chinese: bool | None = None) -> list[Phoneme]:
    """Read a text aloud.

    Args:
        text: Anything; what has no sound is passed over.
        chinese: Whether digits are read in Chinese or English; None: in Chinese where there is
            any Chinese.
    """
    owners: list[int] = []
    folded = ""
    for at, char in enumerate(text):
        plain = _fold(char)
        folded += plain
        owners += [at] * len(plain)
    if chinese is None:
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


def or_rather(phonemes: Sequence[Phoneme], heard: Sequence[HeardChar]) -> list[Phoneme]:
    """Add what else CTC may have heard: an unlikelier character costs more.

    Args:
        phonemes: the sound of the text.
        heard: its characters.
    """
    found: list[Phoneme] = []
    for phoneme in phonemes:
        char = heard[phoneme.first]
        one_of_two = phoneme.first == phoneme.last and phoneme.opens != phoneme.closes
        if char.alternatives and one_of_two:
            found.append(_with_others(phoneme, char))
        else:
            found.append(phoneme)
    return found


def _with_others(phoneme: Phoneme, char: HeardChar) -> Phoneme:
    costs = dict.fromkeys(phoneme.place, 0)
    for other, posterior in char.alternatives:
        places = _character(other)
        if len(places) == _PER_CHARACTER:
            cost = round(DOUBT * log(max(char.confidence / posterior, 1.0)))
            for symbol in places[0 if phoneme.opens else 1]:
                costs[symbol] = min(cost, costs.get(symbol, cost))
    symbols = tuple(sorted(costs))
    return replace(phoneme, place=symbols, costs=tuple(costs[symbol] for symbol in symbols))


def pronunciations(word: str) -> list[tuple[Place, ...]]:
    """Read a word of the list in every way: digits or number, Chinese or English, CamelCase.

    Returns:
        Different ways only; empty for a word without any sound.
    """
    spellings = [_HUMP.sub(" ", word), word]
    # 一零零四 is read 幺零零四 too
    spellings.append(_DIGITS.sub(lambda match: match.group().replace("一", "幺"), word))
    if word[:1] in _SURNAMES:
        spellings.append(_SURNAMES[word[0]] + word[1:])
    found: dict[tuple[Place, ...], None] = {}
    for spelling in dict.fromkeys(spellings):
        for chinese in (True, False) if _NUMBER.search(spelling) else (None,):
            for way in dict.fromkeys((spelling, _with_numbers(spelling, chinese=bool(chinese)))):
                sounds = sound_out(way, chinese=chinese)
                found[tuple(phoneme.place for phoneme in sounds)] = None
    found.pop((), None)
    return list(found)


def numbers_in_words(text: str) -> set[str]:
    """Write a text with its numbers in Chinese: digit by digit, and as numbers."""
    digits = _NUMBER.sub(lambda match: say_digits(match.group(), chinese=True), text)
    return {digits, _with_numbers(text, chinese=True)}


def _with_numbers(text: str, *, chinese: bool) -> str:
    return _NUMBER.sub(lambda match: f" {say_number(match.group(), chinese=chinese)} ", text)


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
            yield _digit(digit, chinese=chinese), at, at
    elif "a" <= token[0] <= "z":
        yield _word(re.sub("[^a-z]", "", token)), start, match.end() - 1
    else:
        yield _character(token), start, start


def _digit(digit: str, *, chinese: bool) -> tuple[Place, ...]:
    said = say_digits(digit, chinese=chinese)
    if not chinese:
        return _word(said)
    return _character("一幺" if said == "一" else said)  # 1004 is read 幺零零四 too


@cache
def _character(alike: str) -> tuple[Place, ...]:
    """Initial and final of a Chinese character, sounds of a romanised one, or nothing.

    Of several characters: all that they may be.
    """
    said = [sound for heteronym in alike for sound in readings(heteronym)]
    if not said:
        name = _ROMANISED.match(unicodedata.name(alike, "")) if len(alike) == 1 else None
        return _word(name.group(1).lower()) if name else ()
    pairs = [_split(reading) for reading in said]
    initials, finals = ({pair[side] for pair in pairs if pair} for side in (0, 1))
    return (tuple(sorted(initials)), tuple(sorted(finals))) if initials else ()


def _split(reading: str) -> tuple[int, int] | None:
    """Initial and final of a syllable; None for the few without a vowel (嗯, 呣)."""
    syllable = toneless(reading)
    tone = int(reading[len(syllable) :] or 0) % TONES
    initial, final = syllables()[syllable]
    if final not in FINALS:
        return None
    return initial_symbol(initial), final_symbol(final, tone)


@cache
def _word(letters: str) -> tuple[Place, ...]:
    """Sounds of a Latin word in small letters."""
    letters = _DOUBLED.sub(r"\1", _SOFT_C.sub("s", _SILENT_E.sub("", letters)))
    sounds = " ".join(LETTERS.get(part, part) for part in _SPELLING.findall(letters)).split()
    return tuple(
        (initial_symbol(sound) if sound in INITIALS else final_symbol(sound),) for sound in sounds
    )
