"""What a call of the LLM costs by its rows, and what follows: how many slots, how wide a draft.

Decided by a curve that was measured once for a device and model, and by the data; never by the
clock of this run: the same input goes into the same batches every time.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

ROWS = (1, 2, 4, 8, 16)
"""Rows of the calls that are timed."""
MAX_SLOTS = ROWS[-1]
SLOTS = (1, 2, 4, 8, 12, 16)
"""Numbers of slots to choose from."""
MAX_WIDTH = 15
GOOD_ENOUGH = 0.9
"""Of the best throughput: fewer slots take less memory."""
WORTH = 1.1
"""Least gain expected of a draft: the curve and the acceptance are estimates."""
PRIOR_RATE, PRIOR_WEIGHT = 0.6, 16.0
"""Share of proposed tokens that are right, before any was seen (measured: docs/BENCHMARKS.md)."""


@dataclass(frozen=True)
class CostCurve:
    """Seconds of one call by its rows, at ROWS."""

    seconds: tuple[float, ...]

    def of(self, rows: int) -> float:
        """Interpolate; beyond the last point the last slope goes on."""
        at = min(max(bisect_left(ROWS, rows), 1), len(ROWS) - 1)
        (x0, x1), (y0, y1) = ROWS[at - 1 : at + 1], self.seconds[at - 1 : at + 1]
        return y0 + (y1 - y0) * (rows - x0) / (x1 - x0)


def monotone(seconds: Sequence[float]) -> CostCurve:
    """Make a curve of measured times: more rows never cost less, that is noise."""
    held, worst = [], 0.0
    for value in seconds:
        worst = max(worst, value)
        held.append(worst)
    return CostCurve(tuple(held))


TYPICAL_CPU = CostCurve((0.033, 0.053, 0.076, 0.118, 0.205))
"""Full-size model on two cores: for where nothing could be measured."""


def choose_slots(curve: CostCurve, most: int) -> int:
    """The fewest slots, of SLOTS, that come near to the best throughput.

    Args:
        curve: of the device.
        most: as many as there is memory for, 1 or more.
    """
    speed = {slots: slots / curve.of(slots) for slots in SLOTS if slots == 1 or slots <= most}
    best = max(speed.values())
    return min(slots for slots, value in speed.items() if value >= GOOD_ENOUGH * best)


class Acceptance:
    """How often proposed tokens were right so far."""

    def __init__(self) -> None:
        self._right, self._asked = PRIOR_RATE * PRIOR_WEIGHT, PRIOR_WEIGHT

    def saw(self, right: int, asked: int) -> None:
        """Learn from a proposal of `asked` tokens of which the first `right` were right.

        Those behind the first miss say nothing: they were conditional on it.
        """
        self._right += right
        self._asked += min(right + 1, asked)

    @property
    def rate(self) -> float:
        """Chance that a proposed token is right when those before it are."""
        return self._right / self._asked


def choose_width(curve: CostCurve, slots: int, rate: float) -> int:
    """Tokens to propose for each of `slots` texts; 0: a draft would not pay."""
    plain = curve.of(slots)
    best, width, expected, chance = WORTH, 0, 1.0, 1.0
    for k in range(1, MAX_WIDTH + 1):
        chance *= rate
        expected += chance
        gain = expected * plain / curve.of(slots * (1 + k))
        if gain > best:
            best, width = gain, k
    return width
