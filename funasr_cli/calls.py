"""Rows of several slots -> their logits, in one call of the model or as many as it takes."""

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from funasr_cli.errors import DecodeError
from funasr_cli.jobs import Measure, Stage
from funasr_cli.protocols import Floats, LanguageModel, Rows
from funasr_cli.slot import Slot

T = TypeVar("T")
Share: TypeAlias = tuple[Slot[T], Rows]
"""A slot, and the rows of it that are to be evaluated."""
Outcome: TypeAlias = tuple[Floats, Rows] | DecodeError
"""Logits and the rows that were evaluated for them, or why they were not."""


class Calls:
    """The calls of one model; `measure` is entered around each."""

    def __init__(self, model: LanguageModel, measure: Measure) -> None:
        self._model, self._measure = model, measure

    def evaluate(self, shares: Sequence[Share[T]], stage: Stage) -> list[tuple[Slot[T], Outcome]]:
        """Evaluate the slots' rows in one call; after a failure in smaller and smaller ones."""
        if not shares:
            return []
        try:
            found = self.evaluate_once(shares, stage)
        except DecodeError as error:
            if len(shares) > 1:
                half = len(shares) // 2
                return [*self.evaluate(shares[:half], stage), *self.evaluate(shares[half:], stage)]
            slot, rows = shares[0]
            if rows.tokens is not None and slot.ids and len(rows) > 1:  # without the draft
                alone = Rows(rows.sequence, rows.position, rows.tokens[:1], logits="all")
                return self.evaluate([(slot, alone)], stage)
            return [(slot, error)]
        return [(slot, (logits, rows)) for (slot, rows), logits in zip(shares, found, strict=True)]

    def evaluate_once(self, shares: Sequence[Share[T]], stage: Stage) -> Sequence[Floats]:
        """Evaluate the slots' rows in one call.

        Raises:
            DecodeError: the model failed, or there is no memory for so many positions.
        """
        with self._measure(stage, [(slot.number, len(rows)) for slot, rows in shares]):
            self._make_room([rows for _, rows in shares])
            found = self._model.evaluate([rows for _, rows in shares])
        for slot, rows in shares:
            slot.took_part(len(rows))
            if rows.embeddings is not None:
                slot.audio_done += len(rows)
        return found

    def _make_room(self, runs: Sequence[Rows]) -> None:
        """Let the cache grow before a run that does not fit: few segments need all that is allowed.

        Raises:
            DecodeError: there is no memory for it.
        """
        needed = max(run.position + len(run) for run in runs)
        if needed > self._model.n_ctx:
            self._model.grow(min(max(needed, 2 * self._model.n_ctx), self._model.max_ctx))
