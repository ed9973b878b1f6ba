"""Seconds -> the clocks of the formats."""

from typing import NamedTuple

MILLI, CENTI = 1000, 100
"""Parts of a second."""


class Clock(NamedTuple):
    """A time in whole numbers; `part` counts milliseconds or hundredths."""

    hours: int
    minutes: int
    seconds: int
    part: int


def clock(seconds: float, parts: int) -> Clock:
    """Split a time; it is rounded once, so that no field overflows (59.9996 s is 1:00.000)."""
    whole, part = divmod(ticks(seconds, parts), parts)
    minutes, rest = divmod(whole, 60)
    return Clock(*divmod(minutes, 60), rest, part)


def ticks(seconds: float, parts: int) -> int:
    """Round to milliseconds or hundredths; no format knows a time before the beginning."""
    return max(0, round(seconds * parts))
