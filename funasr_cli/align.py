"""Text and CTC tokens -> when each character of the text was spoken.

The language model's text and the CTC text differ in homophones, digits, punctuation and
mistakes. The words and characters that both have, or that at least sound alike ("anchors"), take
the times of the CTC tokens. If that leaves something over, and the CTC head tells posteriors, the
text is searched for in them first (forced alignment) and takes the times of the tokens found.
What stands between two anchors even then, above all numbers, is laid evenly over what CTC heard
between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

from funasr_cli.anchors import find_anchors
from funasr_cli.characters import HeardChar, graphemes
from funasr_cli.forced import Evidence
from funasr_cli.matching import Sounds, Stretch, hear_again, match
from funasr_cli.results import CharTime, CtcToken
from funasr_cli.written import DIGITS, IN_NUMBERS, Role, Unit, fold, labels, role, units

UNHEARD_S: Final = 0.2
"""Longest time given to a character that CTC did not hear (an ordinary Mandarin syllable)."""
LEAST_S: Final = 0.06
"""One CTC frame: with less room than this, unheard characters share with the one before."""


@dataclass
class _Slot:
    """One character of the text while its time is being found; seconds."""

    text: str
    key: str
    role: Role
    start: float = 0.0
    end: float = 0.0
    confidence: float = 0.0
    heard: bool = False

    def put(self, start: float, end: float, confidence: float) -> None:
        self.start, self.end, self.confidence, self.heard = start, end, confidence, True


def align(
    text: str,
    tokens: Sequence[CtcToken],
    *,
    start: float,
    end: float,
    evidence: Evidence | None = None,
) -> tuple[CharTime, ...]:
    """Give each character of the text, spaces left out, its time.

    Args:
        text: The final text.
        tokens: What CTC heard, in order of time.
        start: Where the segment begins, in seconds.
        end: Where it ends; no time lies outside.
        evidence: The posteriors of the segment, if the CTC head tells them.

    Returns:
        One entry a character (combining marks stay with their base), never going back in time.
        Punctuation has no length and stands at the end of the character before it.
    """
    slots, written = _read(text)
    spoken = [slot for slot in slots if slot.role is not Role.SILENT]
    sounds = Sounds.read(tokens)
    stretches = match(written, sounds.units)
    if tokens and evidence and (forced := hear_again(stretches, sounds, evidence)):
        sounds = Sounds.read(forced)
        stretches = match(written, sounds.units)
    _place(spoken, stretches, sounds)
    spoken = [slot for slot in spoken if slot.role is not Role.SILENT]
    _interpolate(spoken, start, end)
    _settle(spoken, start, end)
    pin = spoken[0].start if spoken else start
    for slot in slots:
        if slot.role is Role.SILENT:
            slot.start = slot.end = pin
        pin = slot.end
    return tuple(CharTime(slot.text, slot.start, slot.end, slot.confidence) for slot in slots)


def _read(text: str) -> tuple[list[_Slot], list[Unit]]:
    """Split a text into its characters, spaces left out, and its units."""
    chars = [char for word in text.split() for char in (*graphemes(word), " ")]
    keys = [fold(char) for char in chars if char != " "]
    roles = iter([role(keys, at) for at in range(len(keys))])
    slots: list[_Slot] = []
    spoken: list[bool] = []
    for char in chars:
        if char != " ":
            slots.append(_Slot(char, keys[len(slots)], next(roles)))
        spoken.append(char != " " and slots[-1].role is not Role.SILENT)
    return slots, list(units(chars, spoken))


def _place(slots: list[_Slot], stretches: Sequence[Stretch], sounds: Sounds) -> None:
    """Time the slots for which CTC heard something; signs without a sound become silent."""
    for part in stretches:
        if part.anchor:
            _pair(slots, part, sounds)
    first = 0
    for part in stretches:
        last = part.written[-1].last if part.written else first
        if not part.anchor:
            chars = sounds.of(part.heard)
            before = slots[first - 1] if first else None
            after = slots[last] if last < len(slots) else None
            free = _widen_digits(before, after, chars, last - first)
            if len(part.written) == len(part.heard) and len(free) == len(chars):
                _pair(slots, part, sounds)
            else:
                _fit(slots[first:last], free)
        first = last


def _pair(slots: list[_Slot], part: Stretch, sounds: Sounds) -> None:
    """Lay each unit over one that was heard."""
    for unit, heard in zip(part.written, part.heard, strict=True):
        _spread(slots[unit.first : unit.last], sounds.of([heard]))


def _fit(block: list[_Slot], sounds: list[HeardChar]) -> None:
    """Lay a block over what CTC heard in its place, letter by letter where letters agree."""
    anchors = find_anchors([s.key for s in block], [fold(c.text) for c in sounds], labels)
    for at, by in anchors:
        block[at].put(sounds[by].start, sounds[by].end, sounds[by].confidence)
    edges = [(-1, -1), *anchors, (len(block), len(sounds))]
    for (left, left_by), (right, right_by) in pairwise(edges):
        rest, over = block[left + 1 : right], sounds[left_by + 1 : right_by]
        if len(over) < len(rest):
            for slot in rest:
                slot.role = Role.SILENT if slot.role is Role.SIGN else slot.role
            rest = [slot for slot in rest if slot.role is not Role.SILENT]
        if over and rest:
            _spread(rest, over)


def _widen_digits(
    before: _Slot | None, after: _Slot | None, sounds: list[HeardChar], needed: int
) -> list[HeardChar]:
    """Give digits the number words beside them that no character of the text accounts for.

    百 in 一百二十三 belongs to the 1 of 123, 百分之 in 百分之二十 to the 2 of 20%.

    Returns:
        The sounds that are left for the `needed` characters between the two slots.
    """
    first, last = 0, len(sounds)
    if before is not None and before.key in DIGITS:
        while last - first > needed and sounds[first].text in IN_NUMBERS:
            before.end = sounds[first].end
            first += 1
    if after is not None and after.key in DIGITS:
        while last - first > needed and sounds[last - 1].text in IN_NUMBERS:
            last -= 1
            after.start = sounds[last].start
    return sounds[first:last]


def _spread(block: list[_Slot], sounds: list[HeardChar]) -> None:
    """Lay the block over the sounds, in equal shares of their count; as many: one by one."""
    n, m = len(block), len(sounds)
    if n == m:
        for slot, sound in zip(block, sounds, strict=True):
            slot.put(sound.start, sound.end, sound.confidence)
        return
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
