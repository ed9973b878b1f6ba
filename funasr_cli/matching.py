"""The text beside what CTC heard: which of the two stands for which of the other.

A leaf for alignment.
"""

from collections.abc import Sequence
from typing import NamedTuple

from funasr_cli.anchors import find_anchors
from funasr_cli.characters import HeardChar, heard_characters
from funasr_cli.forced import Evidence
from funasr_cli.results import CtcToken
from funasr_cli.spelling import Pieces
from funasr_cli.written import DIGITS, Unit, is_letter, labels, makes_sound, units


class Sounds(NamedTuple):
    """What CTC heard: tokens, the characters with a sound that they spell, and units of these."""

    tokens: Sequence[CtcToken]
    chars: list[HeardChar]
    units: list[Unit]

    @classmethod
    def read(cls, tokens: Sequence[CtcToken]) -> "Sounds":
        """Spell the tokens."""
        every = heard_characters(tokens)
        loud = [makes_sound(char.text) for char in every]
        chars = [char for char, sounds in zip(every, loud, strict=True) if sounds]
        return cls(tokens, chars, list(units([char.text for char in every], loud)))

    def of(self, heard: Sequence[Unit]) -> list[HeardChar]:
        """List the characters of consecutive units."""
        return self.chars[heard[0].first : heard[-1].last] if heard else []

    def tokens_of(self, heard: Sequence[Unit]) -> range:
        """Tell which tokens consecutive units are spread over."""
        chars = self.of(heard)
        return range(chars[0].tokens[0], chars[-1].tokens[1]) if chars else range(0)


class Stretch(NamedTuple):
    """Consecutive units of the text, and those that CTC heard in their place; either may lack."""

    written: list[Unit]
    heard: list[Unit]
    anchor: bool
    """Whether it is one unit of each that are equal or alike; else it lies between such."""


def match(written: list[Unit], heard: list[Unit]) -> list[Stretch]:
    """Cut text and sounds at their anchors: gap, anchor, gap, ..., gap; gaps may be empty."""
    anchors = find_anchors([unit.key for unit in written], [unit.key for unit in heard], labels)
    found: list[Stretch] = []
    at = by = 0
    for one, other in anchors:
        found.append(Stretch(written[at:one], heard[by:other], anchor=False))
        found.append(Stretch([written[one]], [heard[other]], anchor=True))
        at, by = one + 1, other + 1
    found.append(Stretch(written[at:], heard[by:], anchor=False))
    return found


def hear_again(
    stretches: Sequence[Stretch], sounds: Sounds, evidence: Evidence
) -> list[CtcToken] | None:
    """Find what CTC would have heard had it known the text: forced alignment of the segment.

    What sounds like the text stays as it was heard, because the posterior of a homophone tells
    nothing; so do numbers, which CTC writes in words. Words that CTC did not hear, or heard
    otherwise, are spelled as they are written. What it heard and the text lacks is left out.

    Returns:
        Tokens; None if nothing changes, so that CTC's own path is the likeliest one, or if the
        vocabulary or the frames do not suffice.
    """
    kept = [_is_kept(stretches, at) for at in range(len(stretches))]
    if all(kept):
        return None
    left_out = {
        token
        for part, keep in zip(stretches, kept, strict=True)
        if not keep
        for token in sounds.tokens_of(part.heard)
    }
    small = not any(char.text.isupper() for char in sounds.chars)
    ids: list[int] = []
    anew: list[Unit] = []
    done = 0  # a token may hold several units
    for part, keep in zip(stretches, kept, strict=True):
        tokens = sounds.tokens_of(part.heard)
        if not keep or not left_out.isdisjoint(tokens):
            anew += [unit for unit in part.written if not _is_number(unit)]
            continue
        if not tokens:
            continue
        spelled = _spell(anew, evidence.pieces, small=small)
        if spelled is None:
            return None
        ids += spelled
        anew = []
        # those in between are spaces and marks, which no unit holds
        ids += [sounds.tokens[at].id for at in range(done, tokens.stop) if at not in left_out]
        done = max(done, tokens.stop)
    spelled = _spell(anew, evidence.pieces, small=small)
    return None if spelled is None else evidence.force([*ids, *spelled])


def _is_kept(stretches: Sequence[Stretch], at: int) -> bool:
    """Whether CTC's own tokens stand for this stretch."""
    part = stretches[at]
    if part.anchor or not (part.written or part.heard):
        return True
    if part.written:
        return any(map(_is_number, part.written))
    # between or beside digits: 百 of 一百二十三 belongs to 123
    beside = [unit for other in stretches[max(0, at - 1) : at + 2] for unit in other.written]
    return any(map(_is_number, beside))


def _is_number(unit: Unit) -> bool:
    """Whether it is written otherwise than it is said: a digit, or a sign."""
    return unit.key in DIGITS or not unit.key[0].isalnum()


def _spell(written: Sequence[Unit], pieces: Pieces, *, small: bool) -> list[int] | None:
    """Spell units as the vocabulary does: words with the space before them."""
    words: list[str] = []
    for unit in written:
        text = unit.text.lower() if small else unit.text
        if unit.spaced or not words:
            words.append(f" {text}" if unit.spaced and is_letter(unit.key) else text)
        else:
            words[-1] += text
    ids: list[int] = []
    for word in words:
        spelled = pieces.spell(word)
        if spelled is None:
            return None
        ids += spelled
    return ids
