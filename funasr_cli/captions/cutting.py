"""Units -> cues and their lines: where to cut, by the least sum of what each cut costs.

Only the order of the costs matters. Conventions: Netflix timed text style guides (a cue ends with
the sentence; lines break after punctuation, before conjunctions and prepositions).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf
from typing import Final

from funasr_cli.captions.options import Layout
from funasr_cli.captions.units import Unit
from funasr_cli.script import half_widths

GAP_S: Final = 0.083
"""Between cues: two frames at 24 a second."""
PAUSE_S: Final = 1.0
"""A pause of this length always ends a cue."""
SHORT_PAUSE_S: Final = 0.3
NEARLY_FULL: Final = 0.8
"""Weak punctuation ends a cue before a short pause, or when a line is this full."""
STRONG: Final = "。！？!?…｡؟।۔"
WEAK: Final = "，、；：,;:،؛—–"
_QUOTES: Final = "”’」』》〉）】〕］\"')]}»"

_CUE: Final = 10.0
_LINE: Final = 4.0
"""What each cue and each further line costs: as few as can be."""
_SLACK: Final = 6.0
"""A cue that is nearly empty: so what is left of a sentence is not two characters."""
_UNEVEN: Final = 20.0
"""Lines of a cue that differ by a whole width."""
_STRONG_INSIDE: Final = 100.0
_WEAK_INSIDE: Final = 30.0
"""Punctuation inside a cue that should have ended it."""
_PAUSE_INSIDE: Final = 20.0
"""A second of silence inside a cue: what is said together is read together."""
_SHORT: Final = 120.0
"""A cue that has no time to be seen; as much again for one that has none at all."""
_AT_PAUSE, _AT_WORD, _EARLY, _IN_WORD = 15.0, 45.0, 30.0, 100.0
"""A cue that ends at a pause, behind a word, at punctuation that need not have ended it, or inside
a Chinese word."""
_LINE_AT_PAUSE, _LINE_BEFORE_JOINER, _LINE_AT_WORD, _LINE_BEHIND_CLINGING, _LINE_IN_WORD = (
    5.0, 8.0, 12.0, 25.0, 60.0,
)  # fmt: skip
_JOINERS: Final = (  # noqa: SIM905 - seventy quotes would hide the words
    "and but or nor so because that which who whose when where while if although though as than "
    "then of in on at to for from with by into about over after before under between through "
    "during without until since"
).split()
"""Conjunctions and prepositions: a line begins with them."""
_CLINGING: Final = (  # noqa: SIM905
    "a an the my your his her its our their this that these those i he she we they very not"
).split()
"""Belong to the word that follows."""
_ABBREVIATION: Final = re.compile(
    r"(?:[A-HJ-Z]|[A-Z](?:\.[A-Z])+|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|No|approx|e\.g|i\.e)\."
)


def cut_units(units: Sequence[Unit], layout: Layout) -> Iterator[list[list[Unit]]]:
    """Group units to cues, each a list of lines; the best cuts of all."""
    sheet = _Sheet(units, layout)
    for first, last in sheet.runs():
        for begin, end in _best(sheet, first, last):
            _, stops = sheet.lines(begin, end)
            edges = [begin, *stops, end]
            yield [list(units[a:b]) for a, b in pairwise(edges)]


def _best(sheet: "_Sheet", first: int, last: int) -> list[tuple[int, int]]:
    """Cut the units [first, last), where a cue has to end, into cues at the least cost."""
    costs = [0.0] + [inf] * (last - first)
    origin = [0] * (last - first + 1)
    for begin in range(first, last):
        if costs[begin - first] == inf:
            continue
        for end, cost in sheet.cues_from(begin, last):
            total = costs[begin - first] + cost
            # laying lines out costs the most time: only where it can still matter
            if total < costs[end - first]:
                total += sheet.lines(begin, end)[0]
            if total < costs[end - first]:
                costs[end - first], origin[end - first] = total, begin
    found = []
    end = last
    while end > first:
        begin = origin[end - first]
        found.append((begin, end))
        end = begin
    return found[::-1]


@dataclass(frozen=True)
class _Cut:
    """What speaks for and against ending a line or a cue before a unit."""

    pause: float
    strong: bool
    weak: bool
    line: float
    """Cost of ending a line."""
    cue: float
    """Cost of ending a cue, unless weak punctuation may."""


class _Sheet:
    """Units with all that is asked about them again and again."""

    def __init__(self, units: Sequence[Unit], layout: Layout) -> None:
        self.units, self.layout = units, layout
        self._edges = [0, *accumulate(half_widths(u.text) + u.spaced for u in units)]
        self._hidden = [half_widths(u.text) - half_widths(layout.shown(u.text)) for u in units]
        self._cuts = [_Cut(inf, strong=True, weak=False, line=0.0, cue=0.0)]
        self._cuts += [_cut(a, b) for a, b in pairwise(units)]

    def runs(self) -> Iterator[tuple[int, int]]:
        """Cut where a cue ends for certain: a pause, or a sentence between two that both last."""
        sentences = [at for at, cut in enumerate(self._cuts) if cut.strong or cut.pause >= PAUSE_S]
        sentences.append(len(self.units))
        begin = 0
        for before, at, after in zip(sentences, sentences[1:], sentences[2:], strict=False):
            lasting = min(self._room(before, at), self._room(at, after)) >= self.layout.min_s
            if lasting or self._cuts[at].pause >= PAUSE_S:
                yield begin, at
                begin = at
        if self.units:
            yield begin, len(self.units)

    def _room(self, begin: int, end: int) -> float:
        """How long a cue can stay before the next one begins."""
        if end == len(self.units):
            return inf
        return self.units[end].start - GAP_S - self.units[begin].start

    def _width(self, begin: int, end: int) -> float:
        """Width of units on one line, as it is shown."""
        whole = self._edges[end] - self._edges[begin]
        return whole - self.units[begin].spaced - self._hidden[end - 1]

    def cues_from(self, begin: int, last: int) -> Iterator[tuple[int, float]]:
        """Price every cue that may begin at a unit, but for its lines: (where it ends, cost)."""
        layout, inside = self.layout, 0.0
        for end in range(begin + 1, last + 1):
            width = self._width(begin, end)
            if end - begin > 1:
                lasts = self.units[end - 1].end - self.units[begin].start
                if width > layout.width * layout.lines or lasts > layout.max_s:
                    return
                inside += self._missed(begin, end - 1)
            room = self._room(begin, end)
            cost = _CUE + inside + self._ending(begin, end, last)
            cost += _SLACK * max(0.0, 1 - width / (layout.width * layout.lines)) ** 2
            if room < layout.min_s:
                cost += _SHORT * (2 - max(0.0, room) / layout.min_s)
            yield end, cost

    def _missed(self, begin: int, at: int) -> float:
        cut = self._cuts[at]
        silence = _PAUSE_INSIDE * max(0.0, cut.pause)
        if cut.strong:
            return silence + _STRONG_INSIDE
        return silence + (_WEAK_INSIDE if self._weak_ends(begin, at) else 0.0)

    def _weak_ends(self, begin: int, at: int) -> bool:
        cut = self._cuts[at]
        full = self._width(begin, at) >= NEARLY_FULL * self.layout.width
        return cut.weak and (full or cut.pause >= SHORT_PAUSE_S)

    def _ending(self, begin: int, end: int, last: int) -> float:
        if end == last or self._weak_ends(begin, end):
            return 0.0
        return self._cuts[end].cue

    def lines(self, begin: int, end: int) -> tuple[float, list[int]]:
        """Lay units out on as few lines as hold them: (cost, where further lines begin).

        The cost is infinite where the lines that a cue may have are too few; one word that is
        wider than a line costs nothing, as there is no other way.
        """
        width = self._width(begin, end)
        if end - begin == 1 or width <= self.layout.width:
            return 0.0, []
        for count in range(2, self.layout.lines + 1):
            if width <= self.layout.width * count:
                cost, stops = self._lay(begin, end, count)
                if cost < inf:
                    return cost, stops
        return inf, []

    def _lay(self, begin: int, end: int, count: int) -> tuple[float, list[int]]:
        limit, width = self.layout.width, self._width
        best: tuple[float, list[int]] = (inf, [])
        for at in range(end - 1, begin, -1):
            below = width(at, end)
            if below > limit:
                break
            above = width(begin, at)
            if above > limit * (count - 1):
                continue
            cost = _LINE + self._cuts[at].line + _UNEVEN * abs(above / (count - 1) - below) / limit
            if cost < best[0] and count > 2:  # noqa: PLR2004 - more than one line above
                more, stops = self._lay(begin, at, count - 1)
                if cost + more < best[0]:
                    best = cost + more, [*stops, at]
            elif cost < best[0]:
                best = cost, [at]
        return best


def _cut(before: Unit, after: Unit) -> _Cut:
    mark = before.text.rstrip(_QUOTES)[-1:]
    strong = mark in STRONG if mark else False
    if mark == "." and after.spaced:
        strong = not _ABBREVIATION.fullmatch(before.text)
    weak = bool(mark) and mark in WEAK
    pause = after.start - before.end
    return _Cut(pause, strong, weak, *_prices(before, after, pause, punctuated=strong or weak))


def _prices(before: Unit, after: Unit, pause: float, *, punctuated: bool) -> tuple[float, float]:
    """What it costs to end a line and to end a cue between two units."""
    if punctuated:
        return 0.0, 0.0 if before.text.rstrip(_QUOTES)[-1:] not in WEAK else _EARLY
    if not after.starts_word:
        return _LINE_IN_WORD, _IN_WORD
    if pause >= SHORT_PAUSE_S:
        return _LINE_AT_PAUSE, _AT_PAUSE
    if before.text.lower() in _CLINGING:
        return _LINE_BEHIND_CLINGING, _AT_WORD + _LINE_BEHIND_CLINGING
    if after.text.lower() in _JOINERS:
        return _LINE_BEFORE_JOINER, _AT_WORD - _LINE_BEFORE_JOINER
    return _LINE_AT_WORD, _AT_WORD
