"""What is wrong with this decode? Pure functions over tokens and lengths.

They only look at data, never at a clock: the same input is judged the same way every time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from funasr_cli.protocols import Floats

MAX_PERIOD = 20
"""Longest phrase, in tokens, whose repetition is looked for."""
LOOP_REPEATS = 4
LOOP_TOKENS = 24
"""A loop repeats at least this often and is at least this long: 哈哈哈哈 is speech."""
BANG_RUN = 8
"""Exclamation marks in a row that mean an overflow in the LLM, never speech."""
TOKENS_PER_SECOND = 16
"""Twice the densest speech with one token a character."""
SPARE_TOKENS = 32
SILENCE_PEAK = 1e-4
"""Peak amplitude (of 1.0) below which a segment is digital silence (3 steps of 16 bits)."""


@dataclass(frozen=True)
class Loop:
    """A repetition at the end of a token sequence."""

    start: int
    """Index of its first token."""
    period: int
    """Tokens in one turn."""


def token_budget(seconds: float, ctc_tokens: int) -> int:
    """Most tokens that `seconds` of speech, heard as `ctc_tokens`, can honestly need."""
    return SPARE_TOKENS + max(int(seconds * TOKENS_PER_SECOND), 3 * ctc_tokens)


def is_silent(samples: Floats) -> bool:
    """Tell whether a waveform [S] holds no sound at all."""
    return not samples.size or float(np.abs(samples).max()) < SILENCE_PEAK


def find_loop(
    ids: Sequence[int], *, bangs: frozenset[int] = frozenset(), heard: int = 0
) -> Loop | None:
    """Find a repetition that `ids` ends with.

    Args:
        ids: tokens so far.
        bangs: ids of exclamation marks: a short run of them is enough.
        heard: CTC tokens of the segment: a text no longer than what was heard may repeat.
    """
    run = 0
    while run < len(ids) and ids[-1 - run] in bangs:
        run += 1
    if run >= BANG_RUN:
        return Loop(len(ids) - run, 1)
    if len(ids) <= heard:
        return None
    for period in range(1, MAX_PERIOD + 1):
        length = period
        while length < len(ids) and ids[-1 - length] == ids[-1 - length + period]:
            length += 1
        if length >= max(LOOP_TOKENS, LOOP_REPEATS * period):
            return Loop(len(ids) - length, period)
    return None
