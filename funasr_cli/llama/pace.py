"""How many threads a token gets: all of them, or one while other programs want the cores.

A token's work is split at hundreds of barriers. Where another program holds one of the cores,
every barrier waits for it, and two threads are many times slower than one; alone, two are nearly
twice as fast. Which of the two holds is measured, now and then, on the tokens themselves. The
logits are the same bit for bit with any number of threads, so this changes speed alone.
"""

from collections import deque
from typing import Final

AGAIN: Final = 64
"""Calls after which a choice that is as fast is tried again; a slower one later."""
SHORT: Final = 31
"""Rows up to which a call's threads are chosen: those of decoding, not of prompts."""
REMEMBERED: Final = 4
"""Calls of a choice whose fastest counts: one that was disturbed does not change the choice."""


class Pace:
    """Chooses the threads of short calls by how long the last ones of their size took."""

    def __init__(self, threads: int) -> None:
        self._all = threads
        self._sizes: dict[int, _Size] = {}

    def threads(self, rows: int) -> int:
        """Choose for a call of `rows` rows; long ones always get all threads."""
        if rows > SHORT or self._all == 1:
            return self._all
        return self._size(rows).threads()

    def took(self, threads: int, rows: int, seconds: float) -> None:
        """Learn how long a call took."""
        if rows <= SHORT and self._all > 1:
            self._size(rows).took(threads, seconds / rows)

    def _size(self, rows: int) -> "_Size":
        # 1, 2-3, 4-7, 8-15, 16-31: what holds for one row need not hold for eight
        return self._sizes.setdefault(rows.bit_length(), _Size(self._all))


class _Size:
    """Calls of about one size."""

    def __init__(self, threads: int) -> None:
        self._seconds = {n: deque[float](maxlen=REMEMBERED) for n in (threads, 1)}
        self._since_other = 0

    def threads(self) -> int:
        for choice, seconds in self._seconds.items():
            if not seconds:
                return choice
        best = {n: min(seconds) for n, seconds in self._seconds.items()}
        faster, slower = sorted(best, key=lambda n: best[n])
        # the dearer it is, the more seldom it is tried: about 1.5 % of the time
        patience = AGAIN * best[slower] / max(best[faster], 1e-9)
        return slower if self._since_other >= patience else faster

    def took(self, threads: int, seconds: float) -> None:
        self._seconds[threads].append(seconds)
        others = (min(s) for n, s in self._seconds.items() if n != threads and s)
        self._since_other = 0 if seconds > min(others, default=0) else self._since_other + 1
