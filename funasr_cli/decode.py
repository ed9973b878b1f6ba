"""Prompts and audio rows -> text tokens: greedy, many segments at once, over a `LanguageModel`.

Greedy is the reference's way (no sampling, no repetition penalty), so the same input gives the
same output. Segments share each call of the model (continuous batching): one that has ended makes
room for the next at once. A draft proposes tokens that are verified in the same call; it changes
the number of calls, never a token. What goes into a call depends on the data alone.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Generic, Literal, TypeVar

import numpy as np

from funasr_cli.calls import Calls
from funasr_cli.costs import Acceptance, CostCurve, choose_width
from funasr_cli.errors import DecodeError
from funasr_cli.jobs import Generation, Job, Measure, Request, Stage, Stop, no_measure
from funasr_cli.protocols import Floats, LanguageModel, Rows
from funasr_cli.results import DecodeStats
from funasr_cli.slot import Slot, common_prefix

T = TypeVar("T")

PREFILL_ROWS = 512
"""Most audio rows between two tokens of the texts that are being written."""


class BatchDecoder:
    """Runs jobs side by side in the sequences of one model.

    Args:
        model: its sequences are the slots.
        curve: cost of a call by its rows; None: drafts are never asked for.
        slots: most sequences to use; None: all that the model has when a run begins.
    """

    def __init__(
        self, model: LanguageModel, curve: CostCurve | None = None, *, slots: int | None = None
    ) -> None:
        self._model = model
        self._curve = curve
        self._slots = slots

    def run(
        self, jobs: Iterable[Job[T]], measure: Measure = no_measure
    ) -> Generator[T, None, None]:
        """Run jobs to their results, which come in the order of the jobs.

        A job is asked for only when a slot is free, and then waited for: which jobs share a call
        does not depend on how fast they come. One that asks for no text takes no slot; its result
        does not wait for another job. `measure` is entered around each call of the model.

        Raises:
            DecodeError: the model failed, and a job did not handle it.
        """
        slots = min(self._slots or self._model.n_seq, self._model.n_seq)
        run = _Run[T](self._model, self._curve, slots, measure)
        try:
            yield from run.results(enumerate(jobs))
        finally:
            run.close()


class _Run(Generic[T]):
    """One `BatchDecoder.run`: the slots, and the results that wait for their turn."""

    def __init__(
        self, model: LanguageModel, curve: CostCurve | None, slots: int, measure: Measure
    ) -> None:
        self._model, self._curve, self._calls = model, curve, Calls(model, measure)
        self._slots = [Slot[T](sequence) for sequence in range(slots)]
        self._acceptance = Acceptance()
        self._done: dict[int, T] = {}

    def results(self, jobs: Iterator[tuple[int, Job[T]]]) -> Iterator[T]:
        """Fill free slots, make one step, hand out what is due; until there is no more."""
        due = 0
        while True:
            for _ in self._fill(jobs):
                while due in self._done:
                    yield self._done.pop(due)
                    due += 1
            active = [slot for slot in self._slots if slot.request]
            if not active:
                return
            self._read_audio(active)
            # a job whose audio failed may be over by now
            self._write([slot for slot in active if slot.request and not slot.wants_audio])

    def close(self) -> None:
        """End what is under way and free every sequence."""
        for slot in self._slots:
            if slot.job is not None:
                slot.job.close()
            slot.job = slot.request = None
            self._model.forget(slot.sequence)

    def _fill(self, jobs: Iterator[tuple[int, Job[T]]]) -> Iterator[None]:
        """Give each free slot a job; stop wherever results may have become due."""
        yield
        for slot in self._slots:
            while slot.job is None:
                following = next(jobs, None)
                if following is None:
                    return
                slot.number, slot.job = following
                self._advance(slot, None)
                yield

    def _advance(self, slot: Slot[T], answer: Generation | DecodeError | None) -> None:
        """Hand an answer to a slot's job and begin what it asks for next."""
        job = slot.job
        assert job is not None  # noqa: S101 - only slots with a job are advanced
        while True:
            try:
                if isinstance(answer, DecodeError):
                    slot.request = job.throw(answer)
                else:
                    # a generator that has not begun takes None alone
                    slot.request = next(job) if answer is None else job.send(answer)
            except StopIteration as end:
                self._done[slot.number] = end.value
                slot.job = slot.request = None
                return
            try:
                self._begin(slot, slot.request)
            except DecodeError as error:
                answer = error
            else:
                return

    def _begin(self, slot: Slot[T], request: Request) -> None:
        """Put the prefix into the slot's sequence: what another one holds of it is copied."""
        needed = len(request.prefix) + len(request.audio) + len(request.suffix)
        if needed >= self._model.max_ctx:
            raise DecodeError(
                f"the prompt needs {needed} positions, the context has {self._model.max_ctx}; "
                "use fewer hotwords or a shorter --context"
            )
        slot.counts = dict.fromkeys(slot.counts, 0)
        slot.ids, slot.audio_done = [], 0
        slot.limit = min(request.budget, self._model.max_ctx - needed)
        common = 0
        if not request.fresh:
            holder = max(
                self._slots, key=lambda s: (common_prefix(s.held, request.prefix), s is slot)
            )
            common = common_prefix(holder.held, request.prefix)
            if holder is not slot:
                self._model.copy(holder.sequence, slot.sequence)
        self._model.forget(slot.sequence, common)
        slot.held, slot.position = request.prefix[:common], common
        rest = request.prefix[common:]
        if rest:
            rows = Rows(slot.sequence, common, tokens=np.array(rest, np.int32), logits="none")
            self._calls.evaluate_once([(slot, rows)], "prefill")
            slot.held = request.prefix

    def _read_audio(self, active: Sequence[Slot[T]]) -> None:
        """Evaluate audio rows of the slots that have some left, at most PREFILL_ROWS."""
        room, shares = PREFILL_ROWS, list[tuple[Slot[T], Rows]]()
        for slot in active:
            if not slot.wants_audio or not room or slot.request is None:
                continue
            rows = slot.request.audio[slot.audio_done : slot.audio_done + room]
            room -= len(rows)
            share = Rows(slot.sequence, slot.position, embeddings=rows, logits="none")
            shares.append((slot, share))
        for slot, outcome in self._calls.evaluate(shares, "prefill"):
            if isinstance(outcome, DecodeError):
                self._advance(slot, outcome)

    def _write(self, slots: Sequence[Slot[T]]) -> None:
        """One step of every text: its suffix, or its last token and a draft of the next ones."""
        writing = sum(bool(slot.ids) for slot in slots)
        width, could_pay = 0, False
        if self._curve is not None and writing:
            width = choose_width(self._curve, writing, self._acceptance.rate)
            could_pay = choose_width(self._curve, writing, 1.0) > 0
        proposals = self._propose(slots, width, could_pay=could_pay)
        shares = [(slot, self._rows(slot, proposals.get(slot.sequence, ()))) for slot in slots]
        stage: Stage = "generate" if writing else "prefill"
        for slot, outcome in self._calls.evaluate(shares, stage):
            if isinstance(outcome, DecodeError):
                self._advance(slot, outcome)
                continue
            logits, rows = outcome
            stop = self._take(slot, rows, logits)
            if stop is not None:
                stats = DecodeStats(**slot.counts)
                self._advance(slot, Generation(tuple(slot.ids), stop, stats))

    def _propose(
        self, slots: Sequence[Slot[T]], width: int, *, could_pay: bool
    ) -> dict[int, Sequence[int]]:
        """Ask the drafts of all texts; by sequence what to evaluate behind the last token.

        All get as many as the shortest has: sequences of one batch are evaluated in passes of
        equal length, so a longer one would cost the others' pass again.
        """
        found: dict[int, Sequence[int]] = {}
        for slot in slots:
            slot.guess = None
            if slot.request is None or not slot.ids or not could_pay:
                continue
            # what the budget or the context cuts off need not be proposed
            room = min(slot.limit - len(slot.ids), self._model.n_ctx - slot.position - 1)
            draft = slot.request.draft(slot.ids, min(max(width, 1), room)) if room > 0 else ()
            if width:
                found[slot.sequence] = draft
            elif draft:
                slot.guess = draft[0]
        common = min(map(len, found.values()), default=0)
        return {sequence: draft[:common] for sequence, draft in found.items()}

    def _rows(self, slot: Slot[T], draft: Sequence[int]) -> Rows:
        request = slot.request
        assert request is not None  # noqa: S101 - only slots at work are asked
        if slot.ids:
            tokens: Sequence[int] = [slot.ids[-1], *draft]
            wanted: Literal["last", "all"] = "all"
        else:
            tokens, wanted = request.suffix, "last"
        return Rows(slot.sequence, slot.position, np.array(tokens, np.int32), logits=wanted)

    def _take(self, slot: Slot[T], rows: Rows, logits: Floats) -> Stop | None:
        """Choose tokens from logits [1 + k, V], as far as the draft's k tokens were right."""
        draft = rows.tokens[-len(logits) :][1:].tolist() if rows.tokens is not None else []
        best = logits.argmax(axis=1)
        right, stop = 0, None
        for at, token in enumerate(best.tolist()):
            stop = self._accept(slot, token, float(logits[at, token]))
            if stop is not None or at == len(draft) or draft[at] != token:
                break
            right += 1
        if slot.guess is not None:
            self._acceptance.saw(int(best[0] == slot.guess), 1)
        if draft:
            slot.counts["drafted"] += len(draft)
            slot.counts["accepted"] += right
            self._acceptance.saw(right, len(draft))
            slot.position -= len(draft) - right
            self._model.forget(slot.sequence, slot.position)
        return stop

    def _accept(self, slot: Slot[T], token: int, logit: float) -> Stop | None:
        request = slot.request
        assert request is not None  # noqa: S101 - only slots at work are asked
        if not np.isfinite(logit):
            return "nan"
        if self._model.is_end(token):
            return "end"
        # the last allowed token is evaluated too: only its successor tells whether the text
        # was complete or cut
        if len(slot.ids) >= slot.limit:
            return "budget"
        slot.ids.append(token)
        return request.stop_at(slot.ids)
