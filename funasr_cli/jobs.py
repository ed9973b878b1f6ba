"""What is asked of the decoder, and what it answers: the words that it shares with its callers."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from funasr_cli.protocols import Floats
from funasr_cli.results import DecodeStats
from funasr_cli.timings import Timings

Stop = Literal["end", "budget", "loop", "nan"]
Stage = Literal["prefill", "generate"]
Parts: TypeAlias = Sequence[tuple[int, int]]
"""Who takes part in a call of the model: (number of the job, its rows)."""
Measure: TypeAlias = Callable[[Stage, Parts], AbstractContextManager[None]]
Draft: TypeAlias = Callable[[Sequence[int], int], Sequence[int]]
"""(tokens so far, most to propose) -> the tokens that will probably follow."""
T = TypeVar("T")


def no_draft(_ids: Sequence[int], _limit: int) -> Sequence[int]:
    """Propose nothing."""
    return ()


def no_measure(_stage: Stage, _parts: Parts) -> AbstractContextManager[None]:
    """Measure nothing."""
    return nullcontext()


def never(_ids: Sequence[int]) -> Stop | None:
    """Let a text go on."""
    return None


@dataclass(frozen=True)
class Request:
    """One text to be written."""

    prefix: tuple[int, ...]
    """Tokens before the audio rows; what texts share of it is evaluated once."""
    audio: Floats
    """[A, D]."""
    suffix: tuple[int, ...]
    """Tokens behind them, at least one."""
    budget: int
    """Most tokens to write; the context limits it too."""
    stop_at: Callable[[Sequence[int]], Stop | None] = never
    """Sees the tokens so far after each one; a reason ends the text."""
    draft: Draft = no_draft
    fresh: bool = False
    """Use nothing that the cache holds from other texts."""


@dataclass(frozen=True)
class Generation:
    """What the model wrote; the end token is not part of it."""

    token_ids: tuple[int, ...]
    stop: Stop
    stats: DecodeStats


Job: TypeAlias = Generator[Request, Generation, T]
"""A segment's way to its result: asks for texts, one after the other. A DecodeError is thrown
into it where the model failed on its request."""
Work: TypeAlias = tuple[Timings, Job[T]]
"""A job, and where the time that it takes is noted."""
