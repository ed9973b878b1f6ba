"""How many threads a token gets: all of them, or one while other programs want the cores.

A token's work is split at hundreds of barriers. Where another program holds one of the cores,
every barrier waits for it, and two threads are many times slower than one; alone, two are nearly
twice as fast. Which of the two holds is measured, now and then, on the tokens themselves. The
logits are the same bit for bit with any number of threads, so this changes speed alone.
"""

from collections import deque
from typing import Final

AGAIN: Final = 64
"""Tokens after which the slower choice is tried again."""
REMEMBERED: Final = 4
"""Calls of a choice whose fastest counts: one that was disturbed does not change the choice."""


class Pace:
    """Chooses the threads of single-row calls by how long the last ones took."""

    def __init__(self, threads: int) -> None:
        self._all = threads
        self._seconds = {n: deque[float](maxlen=REMEMBERED) for n in (threads, 1)}
        self._since_other = 0

    def threads(self, rows: int) -> int:
        """Choose for a call of `rows` rows; long ones always get all threads."""
        if rows > 1 or self._all == 1:
            return self._all
        for choice, seconds in self._seconds.items():
            if not seconds:
                return choice
        faster, slower = sorted(self._seconds, key=lambda n: min(self._seconds[n]))
        return slower if self._since_other >= AGAIN else faster

    def took(self, threads: int, rows: int, seconds: float) -> None:
        """Learn how long a call took."""
        if rows > 1 or self._all == 1:
            return
        self._seconds[threads].append(seconds)
        others = (min(s) for n, s in self._seconds.items() if n != threads and s)
        self._since_other = 0 if seconds > min(others, default=0) else self._since_other + 1
