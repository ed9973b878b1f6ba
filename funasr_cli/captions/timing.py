"""When each cue appears and goes: in order, never two at once, long enough to be read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import inf
from typing import Final

from funasr_cli.captions.cutting import GAP_S
from funasr_cli.captions.options import Layout
from funasr_cli.results import CharTime

HOLD_S: Final = 0.5
"""How much longer than its sound a cue may stay: 12 frames at 24 a second (Netflix)."""
EPSILON_S: Final = 1e-6
"""What adding and subtracting times may lose."""


@dataclass(frozen=True)
class Cue:
    """One subtitle; times in seconds."""

    start: float
    end: float
    text: str
    r"""Its lines, with \n between them."""
    chars: tuple[CharTime, ...] = ()
    """The characters that `text` shows, in order; times as they were heard."""
    width: float = 0.0
    """Characters of its lines, counted as the preset counts them."""

    @property
    def cps(self) -> float:
        """Characters a second: how fast it has to be read."""
        return self.width / (self.end - self.start)


def settle(found: Sequence[Cue], layout: Layout) -> list[Cue]:
    """Let each cue last as long as the layout wants and its neighbours allow.

    A cue stays up to `HOLD_S` longer than its sound: where it is read faster than is comfortable,
    and where the next one comes so soon that the screen would flicker.
    """
    settled: list[Cue] = []
    for cue, following in zip_longest(found, found[1:]):
        start = max(cue.start, settled[-1].end) if settled else cue.start
        latest = following.start - GAP_S if following else inf
        readable = start + cue.width / layout.max_cps
        held = latest if latest <= cue.end + HOLD_S else min(readable, cue.end + HOLD_S)
        end = min(max(cue.end, held, start + layout.min_s), latest, start + layout.max_s)
        # characters without a time of their own still get a visible cue
        settled.append(replace(cue, start=start, end=max(end, start + GAP_S)))
    return _evened(settled, layout.min_s)


def _evened(found: Sequence[Cue], least: float) -> list[Cue]:
    """Give time from a cue to a short neighbour, where both can have their minimum."""
    evened = list(found)
    moved = True
    while moved:  # each move leaves fewer short cues and may make room for another one
        moved = False
        for at in range(1, len(evened)):
            one, two = evened[at - 1 : at + 1]
            gap = min(GAP_S, two.start - one.end)
            first_short, second_short = _is_short(one, least), _is_short(two, least)
            if two.end - one.start - gap < 2 * least or not (first_short or second_short):
                continue
            if first_short:
                one = replace(one, end=one.start + least)
                two = replace(two, start=max(two.start, one.end + gap))
            else:
                two = replace(two, start=two.end - least)
                one = replace(one, end=min(one.end, two.start - gap))
            evened[at - 1 : at + 1] = one, two
            moved = True
    return evened


def _is_short(cue: Cue, least: float) -> bool:
    return cue.end - cue.start < least - EPSILON_S
