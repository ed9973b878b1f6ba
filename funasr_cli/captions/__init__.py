"""Segments with character times -> subtitle cues of a line or two.

`units` finds what is never cut, `cutting` chooses where to cut, `timing` says when each cue shows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from funasr_cli.captions.cutting import cut_units
from funasr_cli.captions.options import CaptionOptions, Layout
from funasr_cli.captions.timing import Cue, settle
from funasr_cli.captions.units import Unit, find_units, taken_apart
from funasr_cli.results import CharTime, Segment
from funasr_cli.script import dominant_script, half_widths

__all__ = ["DEFAULT_CAPTIONS", "CaptionOptions", "Cue", "Pace", "cues", "pace"]

DEFAULT_CAPTIONS: Final = CaptionOptions()


def cues(segments: Iterable[Segment], *, options: CaptionOptions = DEFAULT_CAPTIONS) -> list[Cue]:
    """Cut segments into cues: in order, without overlap, none empty.

    A cue may go on from one segment into the next. Segments without character times share their
    time evenly among their characters.
    """
    spoken = [segment for segment in segments if segment.text.strip()]
    layout = _layout(spoken, options)
    script = dominant_script("".join(segment.text for segment in spoken))
    units = taken_apart(find_units(spoken, script), layout.width)
    found = [_cue(lines, layout) for lines in cut_units(units, layout)]
    return settle([cue for cue in found if cue.text], layout)


def _layout(segments: Iterable[Segment], options: CaptionOptions) -> Layout:
    return options.layout(dominant_script("".join(segment.text for segment in segments)))


def _cue(lines: Sequence[Sequence[Unit]], layout: Layout) -> Cue:
    shown: list[str] = []
    chars: list[CharTime] = []
    for line in lines:
        text = layout.shown("".join(" " * unit.spaced + unit.text for unit in line).strip())
        own = [char for unit in line for char in unit.chars]
        hidden = sum(len(char.text) for char in own) - len("".join(text.split()))
        while hidden > 0:
            hidden -= len(own.pop().text)
        chars += own
        if text:
            shown.append(text)
    return Cue(
        lines[0][0].start,
        max(unit.end for unit in lines[-1]),
        "\n".join(shown),
        tuple(chars),
        sum(map(half_widths, shown)) * layout.narrow,
    )


@dataclass(frozen=True)
class Pace:
    """How fast cues have to be read."""

    cues: int
    fast: int
    """How many are faster than `limit`."""
    limit: float
    """Characters a second, from the preset."""
    fastest: Cue | None


def pace(segments: Sequence[Segment], *, options: CaptionOptions = DEFAULT_CAPTIONS) -> Pace:
    """Compare the cues of these segments with the reading speed of the preset."""
    found = cues(segments, options=options)
    limit = _layout(segments, options).max_cps
    fast = [cue for cue in found if cue.cps > limit]
    return Pace(len(found), len(fast), limit, max(fast, key=lambda cue: cue.cps, default=None))
