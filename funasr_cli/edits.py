"""What stayed the same between two long sequences: pairs of equal entries, in order.

A leaf for realignment. An hour of speech has twenty thousand characters, too many for a grid of
all pairs: runs of entries that are unique on both sides are paired first (patience diff, Bram
Cohen), long runs before short ones, and grids fill what is left between them.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from funasr_cli.anchors import find_anchors

_RUNS: Final = (32, 16, 8, 4, 2, 1)
"""Lengths of the runs that are looked for, one after the other."""
_SMALL: Final = 250_000
"""Pairs of which a grid is made at once: 1 MB, a few milliseconds."""
_LARGE: Final = 16_000_000
"""Most pairs of a grid, 64 MB: for stretches in which nothing is unique."""
_EQUAL: Final = 1000
"""Score of an equal pair: no number of other pairs makes up for one."""

_Stretch = tuple[int, int, int, int]
"""[begin, end) in the old sequence, [begin, end) in the new one."""


def kept(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Find the pairs (index in `old`, index in `new`) of equal entries; both rise.

    What stands before the first and behind the last difference is always paired.
    """
    pairs: list[tuple[int, int]] = []
    stretches: list[_Stretch] = [(0, len(old), 0, len(new))]
    while stretches:
        a, b, c, d = stretches.pop()
        while a < b and c < d and old[a] == new[c]:
            pairs.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
            pairs.append((b, d))
        size = (b - a) * (d - c)
        if not size:
            continue
        if size > _SMALL and (inner := _split(old, new, (a, b, c, d))):
            stretches += inner
        elif size <= _LARGE:
            anchors = find_anchors(old[a:b], new[c:d], lambda entry: ((_EQUAL, entry),))
            pairs += [(a + left, c + right) for left, right in anchors]
    return sorted(pairs)


def _split(old: Sequence[str], new: Sequence[str], stretch: _Stretch) -> list[_Stretch]:
    """Cut a stretch where runs that are unique on both sides are equal; empty: there are none."""
    a, b, c, d = stretch
    for length in _RUNS:
        where = dict(_unique(new, c, d, length))
        found = [(at, where[run]) for run, at in _unique(old, a, b, length) if run in where]
        if not found:
            continue
        inner = []
        for left, right in _rising(sorted(found)):
            # each begins with an equal pair: the stretches before it end there
            inner.append((a, left, c, right))
            a, c = left, right
        return [*inner, (a, b, c, d)]
    return []


def _unique(
    entries: Sequence[str], begin: int, end: int, length: int
) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield the runs of a length that occur once in [begin, end), and where."""
    seen: dict[tuple[str, ...], int] = {}
    for at in range(begin, end - length + 1):
        run = tuple(entries[at : at + length])
        seen[run] = -1 if run in seen else at
    return ((run, at) for run, at in seen.items() if at >= 0)


def _rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep the most pairs that rise on the right too (the left side rises already)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, (_, right) in enumerate(pairs):
        place = bisect_left(tails, right)
        tails[place : place + 1] = [right]
        ends[place : place + 1] = [at]
        before.append(ends[place - 1] if place else -1)
    chain = []
    at = ends[-1] if ends else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]
