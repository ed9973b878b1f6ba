"""The writing system of a text: which it is, how wide its characters are, where spaces stand.

A leaf for subtitles and for whatever joins pieces of text.
"""

import re
import unicodedata
from collections import Counter
from typing import Final, Literal

Script = Literal["zh", "ja", "ko", "latin"]
"""`latin` stands for every script that is written with narrow letters: Cyrillic, Arabic, ..."""

UNSPACED: Final = (
    r"\u2e80-\u30ff\u31f0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
)
"""Inside [] of a pattern: ideographs, kana, CJK punctuation, full-width forms; no spaces stand
between these."""
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_KANA: Final = re.compile(r"[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]")
_HAN: Final = re.compile(
    r"[\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_HANGUL: Final = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_LEAST_KANA: Final = 0.2
"""Of kana and ideographs together: Japanese has more, a Chinese text that quotes some has less."""


def is_wide(char: str) -> bool:
    """Whether a character takes the place of two Latin ones (Unicode Standard Annex 11)."""
    return unicodedata.east_asian_width(char[:1]) in ("W", "F")


def is_mark(char: str) -> bool:
    """Whether a character takes no place of its own: combining marks, joiners, selectors."""
    return unicodedata.category(char) in ("Mn", "Me", "Cf")


def half_widths(text: str) -> int:
    """Width of a text, in Latin characters."""
    return sum(2 if is_wide(char) else 0 if is_mark(char) else 1 for char in text)


def spaced_between(left: str, right: str) -> bool:
    """Whether a space belongs between two texts.

    None does where both sides are written without (Latin beside Chinese gets one), and none beside
    full-width punctuation, which brings its own.
    """
    if not left or not right:
        return False
    if _UNSPACED.match(left[-1]) and _UNSPACED.match(right[0]):
        return False
    return not (_is_wide_punctuation(left[-1]) or _is_wide_punctuation(right[0]))


def _is_wide_punctuation(char: str) -> bool:
    return is_wide(char) and unicodedata.category(char).startswith("P")


def dominant_script(text: str) -> Script:
    """Name the script that fills most of a text; an empty one counts as Latin."""
    counts = Counter(_kind(char) for char in text)
    han, kana, hangul = counts["han"], counts["kana"], counts["hangul"]
    if counts["letter"] >= 2 * (han + kana + hangul):  # a letter is half as wide
        return "latin"
    if hangul >= han + kana:
        return "ko"
    return "ja" if kana >= _LEAST_KANA * (han + kana) else "zh"


def _kind(char: str) -> str:
    for name, pattern in (("han", _HAN), ("kana", _KANA), ("hangul", _HANGUL)):
        if pattern.match(char):
            return name
    return "letter" if char.isalpha() else "other"
