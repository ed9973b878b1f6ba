"""Which entries of two sequences belong together, because they are equal or alike.

A leaf for alignment: global alignment (Needleman and Wunsch, 1970) with free gaps. With free
gaps a whole row is three numpy calls, because the best score to the left carries over unchanged.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Grid: TypeAlias = NDArray[np.int32]
Labels: TypeAlias = Callable[[str], Sequence[tuple[int, str]]]
"""What an entry may share with another: (score, label). Two entries score the best label that
both have; no label scores more than the one that only equal entries share."""

DIFFERENT: Final = 1
"""Score of a pair without a common label: pairing off different entries is worth something,
because it keeps the stretches between anchors balanced."""


def find_anchors(
    left: Sequence[str], right: Sequence[str], labels: Labels
) -> list[tuple[int, int]]:
    """Find the pairs (index in `left`, index in `right`) that share a label.

    The pairs rise in both; the choice has the highest total score and is the same every time.
    """
    head = _common(left, right)
    tail = _common(left[head:][::-1], right[head:][::-1])
    inner_left, inner_right = left[head : len(left) - tail], right[head : len(right) - tail]
    anchors = [(at, at) for at in range(head)]
    if inner_left and inner_right:
        grid = score_grid(inner_left, inner_right, labels)
        anchors += [
            (row + head, column + head)
            for row, column in best_path(grid)
            if grid[row, column] > DIFFERENT
        ]
    anchors += [(len(left) - back, len(right) - back) for back in range(tail, 0, -1)]
    return anchors


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """Length of the common beginning: pairing it off never lowers the total score."""
    shorter = min(len(left), len(right))
    return next((at for at in range(shorter) if left[at] != right[at]), shorter)


def score_grid(left: Sequence[str], right: Sequence[str], labels: Labels) -> Grid:
    """Score every pair: int32 [len(left), len(right)]."""
    where: dict[str, list[int]] = {}
    for column, entry in enumerate(right):
        for _, label in labels(entry):
            where.setdefault(label, []).append(column)
    distinct = {entry: row for row, entry in enumerate(dict.fromkeys(left))}
    cells: dict[int, list[int]] = {}  # score -> flat indices; one assignment each is much faster
    for entry, row in distinct.items():
        base = row * len(right)
        for score, label in labels(entry):
            if label in where:
                cells.setdefault(score, []).extend(base + column for column in where[label])
    grid: Grid = np.full(len(distinct) * len(right), DIFFERENT, np.int32)
    for score in sorted(cells):  # rising, so the best label has the last word
        grid[cells[score]] = score
    return grid.reshape(len(distinct), len(right))[[distinct[entry] for entry in left]]


def best_path(grid: Grid) -> list[tuple[int, int]]:
    """Choose rising pairs with the highest sum of scores; gaps cost nothing."""
    rows, columns = grid.shape
    totals = np.zeros((rows + 1, columns + 1), np.int32)
    best = np.empty(columns, np.int32)
    for row in range(rows):
        np.add(totals[row, :-1], grid[row], out=best)
        np.maximum(best, totals[row, 1:], out=best)
        np.maximum.accumulate(best, out=totals[row + 1, 1:])
    pairs: list[tuple[int, int]] = []
    row, column = rows, columns
    while row and column:
        here = totals.item(row, column)
        if here == totals.item(row - 1, column - 1) + grid.item(row - 1, column - 1):
            row, column = row - 1, column - 1
            pairs.append((row, column))
        elif here == totals.item(row - 1, column):
            row -= 1
        else:
            column -= 1
    return pairs[::-1]
