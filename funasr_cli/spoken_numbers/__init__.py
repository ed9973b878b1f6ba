"""Number words -> the digits that inverse text normalisation writes for them.

A leaf for drafts, which guess what the language model will write: it knows the common forms and
leaves alone what is usually written in words (一样, 三个, "two people").
"""

from typing import NamedTuple

from funasr_cli.spoken_numbers import chinese, english


class Number(NamedTuple):
    """A stretch of spoken text and what is written for it."""

    begin: int
    end: int
    written: str


def find_numbers(text: str) -> list[Number]:
    """Find the Chinese and English numbers of a spoken text in lower case; rising, disjoint."""
    return sorted(Number(*found) for find in (chinese.find, english.find) for found in find(text))
