"""One place in the decoder: a sequence of the model, and the text that is being written in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from funasr_cli.jobs import Job, Request

T = TypeVar("T")


class Slot(Generic[T]):
    """One sequence of the model, and the text that is being written in it."""

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.held: tuple[int, ...] = ()
        """Prefix tokens in the cache, from position 0."""
        self.number = 0
        self.job: Job[T] | None = None
        self.request: Request | None = None
        self.audio_done = 0
        self.position = 0
        """Of the next row to be evaluated."""
        self.ids: list[int] = []
        """What has been written; the last one is not evaluated yet."""
        self.limit = 0
        self.guess: int | None = None
        """A token that was proposed but not evaluated: only to learn how good drafts are."""
        self.counts = dict.fromkeys(("calls", "rows", "drafted", "accepted"), 0)

    @property
    def wants_audio(self) -> bool:
        """Whether audio rows of its prompt are still to be evaluated."""
        return self.request is not None and self.audio_done < len(self.request.audio)

    def took_part(self, rows: int) -> None:
        """Note that rows of it were evaluated in a call."""
        self.counts["calls"] += 1
        self.counts["rows"] += rows
        self.position += rows


def common_prefix(held: Sequence[int], wanted: Sequence[int]) -> int:
    """Count the tokens that both begin with."""
    count = 0
    for one, other in zip(held, wanted, strict=False):
        if one != other:
            break
        count += 1
    return count
