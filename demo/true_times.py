"""Characters and words of a text beside those that were spoken, whose times are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from demo.clips import Clip

_WRITTEN = {
    "zh": re.compile(r"\d[\d.:]*%?|\w"),
    "en": re.compile(r"\d[\d.:,]*\d%?|\d%?|[^\W\d]['\w]*"),
}
"""Numbers are one unit: their digits are not said one by one."""


class Known(NamedTuple):
    """One unit of the text whose true start is known."""

    at: int
    """Its first character; spaces are not counted."""
    start: float
    """True start in s."""
    kind: str
    """`equal`: written as said; `number`: in digits; `other`: another spelling or word"""


def spoken_units(clip: Clip) -> list[tuple[str, float | None]]:
    """Characters (zh) or words (en) that espeak-ng said, and when."""
    units: list[str] = []
    inside = False
    for char in clip.sentence.speak:
        letter = char.isalnum() or char == "'"
        if letter and (clip.sentence.language == "zh" or not inside):
            units.append(char.lower())
        elif letter:
            units[-1] += char.lower()
        inside = letter
    return list(zip(units, clip.starts, strict=True))


def known_starts(clip: Clip, text: str) -> Iterator[Known]:
    """Pair the units of the text with those spoken; what cannot be paired is left out."""
    spoken = spoken_units(clip)
    found = list(_WRITTEN[clip.sentence.language].finditer(text))
    written = [match.group().lower() for match in found]
    places = [len("".join(text[: match.start()].split())) for match in found]
    matcher = SequenceMatcher(None, written, [unit for unit, _ in spoken], autojunk=False)
    for tag, first, last, by, by_last in matcher.get_opcodes():
        digits = any(char.isdigit() for unit in written[first:last] for char in unit)
        if tag == "equal" or (tag == "replace" and last - first == by_last - by and not digits):
            for at, (_, start) in zip(range(first, last), spoken[by:by_last], strict=True):
                if start is not None:
                    yield Known(places[at], start, "equal" if tag == "equal" else "other")
        elif tag == "replace" and written[first][0].isdigit():
            start = spoken[by][1]
            if start is not None:
                yield Known(places[first], start, "number")
