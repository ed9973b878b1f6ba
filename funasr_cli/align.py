"""Text and CTC tokens -> when each character of the text was spoken.

The language model's text and the CTC text differ in homophones, digits, punctuation and
mistakes. The characters that both have, or that at least sound alike ("anchors"), keep the
times of the CTC tokens exactly. What stands between two anchors is laid evenly over what CTC
heard between them.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import groupby, pairwise
from typing import Final

from funasr_cli.anchors import find_anchors
from funasr_cli.characters import HeardChar, graphemes, heard_characters, readings, toneless
from funasr_cli.results import CharTime, CtcToken

UNHEARD_S: Final = 0.2
"""Longest time given to a character that CTC did not hear (an ordinary Mandarin syllable)."""
LEAST_S: Final = 0.06
"""One CTC frame: with less room than this, unheard characters share with the one before."""

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
}
"""Characters that name one digit."""
_DIGITS: Final = frozenset("0123456789")
_IN_NUMBERS: Final = frozenset("十百千万萬亿億点點分之负負半").union(_NUMERALS)
_SPOKEN_SIGNS: Final = frozenset("%‰&@#/")
_SPOKEN_IN_NUMBERS: Final = frozenset(".:-~")


class _Role(Enum):
    SPOKEN = "has a sound"
    SIGN = "has a sound if CTC heard one: % in 20%, the point in 3.5"
    SILENT = "has none"


@dataclass
class _Slot:
    """One character of the text while its time is being found; seconds."""

    text: str
    key: str
    role: _Role
    start: float = 0.0
    end: float = 0.0
    confidence: float = 0.0
    heard: bool = False

    def put(self, start: float, end: float, confidence: float) -> None:
        self.start, self.end, self.confidence, self.heard = start, end, confidence, True


def align(
    text: str, tokens: Sequence[CtcToken], *, start: float, end: float
) -> tuple[CharTime, ...]:
    """Give each character of the text, spaces left out, its time.

    Args:
        text: The final text.
        tokens: What CTC heard, in order of time.
        start: Where the segment begins, in seconds.
        end: Where it ends; no time lies outside.

    Returns:
        One entry a character (combining marks stay with their base), never going back in time.
        Punctuation has no length and stands at the end of the character before it.
    """
    slots = _slots(text)
    heard = [char for char in heard_characters(tokens) if _makes_sound(char.text)]
    spoken = [slot for slot in slots if slot.role is not _Role.SILENT]
    _place(spoken, heard)
    spoken = [slot for slot in spoken if slot.role is not _Role.SILENT]
    _interpolate(spoken, start, end)
    _settle(spoken, start, end)
    pin = spoken[0].start if spoken else start
    for slot in slots:
        if slot.role is _Role.SILENT:
            slot.start = slot.end = pin
        pin = slot.end
    return tuple(CharTime(slot.text, slot.start, slot.end, slot.confidence) for slot in slots)


def _slots(text: str) -> list[_Slot]:
    chars = graphemes(text)
    keys = [_key(char) for char in chars]
    return [_Slot(char, keys[at], _role(keys, at)) for at, char in enumerate(chars)]


@cache
def _key(char: str) -> str:
    """Fold width, case and ligatures, so that equal characters compare equal."""
    return unicodedata.normalize("NFKC", char).casefold()


def _role(keys: Sequence[str], at: int) -> _Role:
    key = keys[at]
    category = unicodedata.category(key[0])[0]
    if category == "S" or key in _SPOKEN_SIGNS:
        return _Role.SIGN
    if key in _SPOKEN_IN_NUMBERS and 0 < at < len(keys) - 1:
        inside = keys[at - 1] in _DIGITS and keys[at + 1] in _DIGITS
        return _Role.SIGN if inside else _Role.SILENT
    return _Role.SILENT if category in "PZC" else _Role.SPOKEN


@cache
def _makes_sound(char: str) -> bool:
    return _role([_key(char)], 0) is not _Role.SILENT


@cache
def labels(key: str) -> tuple[tuple[int, str], ...]:
    """Name what a folded character may share with another: (score, label)."""
    sounds = readings(key)
    found = [(SAME_SYLLABLE, "syllable " + toneless(sound)) for sound in sounds]
    found += [(SAME_SOUND, "sound " + sound) for sound in sounds]
    if key in _NUMERALS:
        found.append((SAME_NUMBER, "number " + _NUMERALS[key]))
    return (*found, (EQUAL, "character " + key))


def _place(slots: list[_Slot], heard: list[HeardChar]) -> None:
    """Time the slots for which CTC heard something; signs without a sound become silent."""
    anchors = find_anchors(
        [slot.key for slot in slots], [_key(char.text) for char in heard], labels
    )
    for at, by in anchors:
        slots[at].put(heard[by].start, heard[by].end, heard[by].confidence)
    edges = [(-1, -1), *anchors, (len(slots), len(heard))]
    for (left, left_by), (right, right_by) in pairwise(edges):
        block, sounds = slots[left + 1 : right], heard[left_by + 1 : right_by]
        sounds = _widen_digits(
            slots[left] if left >= 0 else None,
            slots[right] if right < len(slots) else None,
            sounds,
            len(block),
        )
        if len(sounds) < len(block):
            for slot in block:
                slot.role = _Role.SILENT if slot.role is _Role.SIGN else slot.role
            block = [slot for slot in block if slot.role is not _Role.SILENT]
        if sounds:
            _spread(block, sounds)


def _widen_digits(
    before: _Slot | None, after: _Slot | None, sounds: list[HeardChar], needed: int
) -> list[HeardChar]:
    """Give digits the number words beside them that no character of the text accounts for.

    百 in 一百二十三 belongs to the 1 of 123, 百分之 in 百分之二十 to the 2 of 20%.

    Returns:
        The sounds that are left for the `needed` characters between the two slots.
    """
    first, last = 0, len(sounds)
    if before is not None and before.key in _DIGITS:
        while last - first > needed and sounds[first].text in _IN_NUMBERS:
            before.end = sounds[first].end
            first += 1
    if after is not None and after.key in _DIGITS:
        while last - first > needed and sounds[last - 1].text in _IN_NUMBERS:
            last -= 1
            after.start = sounds[last].start
    return sounds[first:last]


def _spread(block: list[_Slot], sounds: list[HeardChar]) -> None:
    """Lay the block over the sounds, in equal shares of their count; as many: one by one."""
    n, m = len(block), len(sounds)
    for at, slot in enumerate(block):
        first, part = divmod(at * m, n)
        start = sounds[first].start + (sounds[first].end - sounds[first].start) * part / n
        last, part = divmod((at + 1) * m, n)
        # a share that ends between two sounds ends with the first of them
        last, part = (last, part) if part else (last - 1, n)
        end = sounds[last].start + (sounds[last].end - sounds[last].start) * part / n
        covered = sounds[first : last + 1]
        slot.put(start, end, sum(sound.confidence for sound in covered) / len(covered))


def _interpolate(slots: list[_Slot], start: float, end: float) -> None:
    """Time the runs of characters that CTC did not hear; their confidence stays 0."""
    at = 0
    for heard, group in groupby(slots, key=lambda slot: slot.heard):
        run = list(group)
        if not heard:
            before = slots[at - 1] if at else None
            after = slots[at + len(run)] if at + len(run) < len(slots) else None
            _fill(run, before, after, (start, end))
        at += len(run)


def _fill(
    run: list[_Slot], before: _Slot | None, after: _Slot | None, bounds: tuple[float, float]
) -> None:
    low = before.end if before else bounds[0]
    high = max(low, after.start if after else bounds[1])
    if before and high - low < LEAST_S * len(run):
        before.end = low = before.start + max(0.0, high - before.start) / (len(run) + 1)
    if before:
        high = min(high, low + UNHEARD_S * len(run))
    elif after:
        low = max(low, high - UNHEARD_S * len(run))
    for at, slot in enumerate(run):
        slot.start = low + (high - low) * at / len(run)
        slot.end = low + (high - low) * (at + 1) / len(run)


def _settle(slots: list[_Slot], start: float, end: float) -> None:
    """Bring all times into the segment and into order."""
    floor = start
    for slot in slots:
        slot.start = floor = min(max(slot.start, floor), end)
    ceiling = end
    for slot in reversed(slots):
        slot.end = min(max(slot.end, slot.start), ceiling)
        ceiling = slot.start
