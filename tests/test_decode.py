"""Many segments at once equal one by one: on random models that notice every misplaced row."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from fakes import END, FakeBatchModel
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.costs import CostCurve
from funasr_cli.decode import BatchDecoder
from funasr_cli.errors import DecodeError
from funasr_cli.jobs import Draft, Generation, Job, Request, Stop, never
from funasr_cli.protocols import Rows

FREE_ROWS = CostCurve((1.0, 1.0, 1.0, 1.0, 1.0))
"""A device on which a draft always pays."""
COSTLY_ROWS = CostCurve((1.0, 2.0, 4.0, 8.0, 16.0))

tokens = st.lists(st.integers(1, 49), min_size=1, max_size=6).map(tuple)
drafts = st.sampled_from(["right", "wrong", "late", "empty", "long", "mixed"])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    shared = draw(st.sampled_from([(), (3, 4), (3, 4, 5, 6)]))
    rows = draw(st.integers(0, 5))
    audio = np.array(draw(st.lists(st.integers(0, 9), min_size=2 * rows, max_size=2 * rows)))
    return Request(
        prefix=(*shared, *draw(tokens)),
        audio=audio.reshape(rows, 2).astype(np.float32),
        suffix=draw(tokens),
        budget=draw(st.integers(1, 40)),
        fresh=draw(st.booleans()),
    )


def one_by_one(model: FakeBatchModel, request: Request) -> tuple[tuple[int, ...], Stop]:
    """The slow path, in the plainest words: one sequence, one token a call."""
    model.forget(0)
    at = 0
    for part in (request.prefix, request.suffix):
        if part is request.suffix and len(request.audio):
            model.evaluate([Rows(0, at, embeddings=request.audio, logits="none")])
            at += len(request.audio)
        logits = model.evaluate([Rows(0, at, tokens=np.array(part, np.int32))])[0][0]
        at += len(part)
    ids: list[int] = []
    limit = min(request.budget, model.n_ctx - at)
    while True:
        best = int(logits.argmax())
        if not np.isfinite(logits[best]):
            return tuple(ids), "nan"
        if best == END:
            return tuple(ids), "end"
        if len(ids) == limit:
            return tuple(ids), "budget"
        ids.append(best)
        if stop := request.stop_at(ids):
            return tuple(ids), stop
        logits = model.evaluate([Rows(0, at, tokens=np.array([best], np.int32))])[0][0]
        at += 1


def draft_of(kind: str, truth: Sequence[int]) -> Draft:
    """A drafter that knows the answer, and uses it as its kind says."""

    def propose(ids: Sequence[int], limit: int) -> list[int]:
        assert limit > 0
        following = [*truth[len(ids) :], END][:limit]
        return {
            "right": following,
            "wrong": [token % 49 + 1 for token in following],
            "late": following[:2] + [7] * max(0, limit - 2),
            "empty": [],
            "long": (following + [5] * limit)[:limit],
            "mixed": following if len(ids) % 3 else [9],
        }[kind][:limit]

    return propose


def single(request: Request) -> Job[Generation]:
    return (yield request)


def decode(
    model: FakeBatchModel, asked: Sequence[Request], curve: CostCurve | None = None
) -> list[Generation]:
    return list(BatchDecoder(model, curve).run(single(request) for request in asked))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(requests(), drafts), max_size=7),
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.sampled_from([None, FREE_ROWS, COSTLY_ROWS]),
    st.sampled_from([0, 5]),
    st.sampled_from([4, 16, 64]),
)
def test_batched_and_drafted_is_one_by_one(  # noqa: PLR0913, PLR0917 - all that is random
    asked: list[tuple[Request, str]],
    seed: int,
    slots: int,
    curve: CostCurve | None,
    broken: int,
    n_ctx: int,
) -> None:
    plain = FakeBatchModel(seed=seed, broken=broken)
    expected = [one_by_one(plain, request) for request, _ in asked]
    drafted = [
        Request(**{**vars(request), "draft": draft_of(kind, truth)})
        for (request, kind), (truth, _) in zip(asked, expected, strict=True)
    ]
    model = FakeBatchModel(seed=seed, broken=broken, n_seq=slots, n_ctx=n_ctx, max_ctx=64)
    found = decode(model, drafted, curve)
    assert [(one.token_ids, one.stop) for one in found] == expected
    assert model.states == [[]] * slots
    for one in found:
        assert one.stats.accepted <= one.stats.drafted
        assert one.stats.drafted == 0 or curve is not None


@given(st.integers(0, 999), st.integers(1, 5))
def test_guards_stop_within_a_draft(seed: int, at: int) -> None:
    request = Request((1,), np.zeros((0, 2), np.float32), (2,), 40)
    truth, _ = one_by_one(FakeBatchModel(seed=seed, ends=10**6), request)
    guarded = Request(
        **{
            **vars(request),
            "draft": draft_of("right", truth),
            "stop_at": lambda ids: "loop" if len(ids) == at else None,
        }
    )
    (found,) = decode(FakeBatchModel(seed=seed, ends=10**6), [guarded], FREE_ROWS)
    assert (found.token_ids, found.stop) == (truth[:at], "loop")


def test_a_right_draft_saves_calls_and_a_wrong_one_costs_none() -> None:
    request = Request((1,), np.zeros((2, 2), np.float32), (2,), 40)
    truth, stop = one_by_one(FakeBatchModel(seed=1, ends=10**6), request)
    assert (len(truth), stop) == (40, "budget")
    calls = {}
    for kind in ("right", "wrong", "empty"):
        model = FakeBatchModel(seed=1, ends=10**6)
        drafted = Request(**{**vars(request), "draft": draft_of(kind, truth)})
        decode(model, [drafted], FREE_ROWS)
        calls[kind] = len(model.calls)
    assert calls["empty"] == calls["wrong"] == 3 + 40
    assert calls["right"] <= 3 + 5


def test_where_rows_are_costly_nothing_is_proposed() -> None:
    asked: list[int] = []

    def draft(_ids: Sequence[int], limit: int) -> list[int]:
        asked.append(limit)
        return []

    request = Request((1,), np.zeros((0, 2), np.float32), (2,), 20, draft=draft)
    for curve in (None, COSTLY_ROWS):
        decode(FakeBatchModel(ends=10**6), [request], curve)
    assert not asked


def test_what_texts_share_is_evaluated_once() -> None:
    audio = np.ones((3, 2), np.float32)
    asked = [Request((5, 6, 7, 8, n), audio, (9,), 4) for n in range(1, 9)]
    model = FakeBatchModel(n_seq=3, ends=10**6)
    found = decode(model, asked)
    first, *others = [one.stats.rows for one in found]
    assert first == 5 + 3 + 1 + 4
    assert others == [1 + 3 + 1 + 4] * 7


def test_slots_are_filled_again_at_once_and_results_keep_their_order() -> None:
    budgets = [20, 1, 1, 1, 1, 1]
    asked = [
        Request((1, n), np.zeros((0, 2), np.float32), (2,), budget)
        for n, budget in enumerate(budgets, 1)
    ]
    model = FakeBatchModel(n_seq=2, ends=10**6)
    found = decode(model, asked)
    assert [len(one.token_ids) for one in found] == budgets
    # the long text never waits: the others pass beside it
    assert len([call for call in model.calls if len(call) == 2]) >= 8
    assert len(model.calls) <= 6 + 1 + 20 + 3


def test_jobs_are_asked_for_only_when_there_is_room() -> None:
    pulled: list[int] = []

    def jobs() -> Iterator[Job[int]]:
        for n in range(6):
            pulled.append(n)

            def job(n: int = n) -> Job[int]:
                yield Request((n + 1,), np.zeros((0, 2), np.float32), (2,), 5)
                return n

            yield job()

    results = BatchDecoder(FakeBatchModel(n_seq=2, ends=10**6)).run(jobs())
    assert next(results) == 0
    assert len(pulled) <= 4
    assert list(results) == [1, 2, 3, 4, 5]


def test_a_job_may_ask_several_times_or_never() -> None:
    def job(times: int) -> Job[list[int]]:
        lengths = []
        for n in range(times):
            generation = yield Request((1, 2), np.ones((1, 2), np.float32), (n + 3,), 5)
            lengths.append(len(generation.token_ids))
        return lengths

    model = FakeBatchModel(n_seq=2, ends=10**6)
    assert list(BatchDecoder(model).run(job(n) for n in (0, 3, 0, 1, 0))) == [
        [], [5] * 3, [], [5], [],
    ]  # fmt: skip
    assert list(BatchDecoder(model).run(iter(()))) == []


def test_an_interrupted_run_frees_everything() -> None:
    closed: list[int] = []

    def job(n: int) -> Job[None]:
        try:
            yield Request((1,), np.zeros((0, 2), np.float32), (2,), 5 if n == 0 else 50)
        finally:
            closed.append(n)

    model = FakeBatchModel(n_seq=3, ends=10**6)
    results = BatchDecoder(model).run(job(n) for n in range(3))
    next(results)
    results.close()
    assert sorted(closed) == [0, 1, 2]
    assert model.states == [[], [], []]


@settings(max_examples=150, deadline=None)
@given(st.lists(requests(), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 30))
def test_a_call_that_fails_is_made_again_in_smaller_ones(
    asked: list[Request], slots: int, most: int
) -> None:
    """A device that has room for `most` rows a call: what one text needs alone still works."""

    def fail(batch: Sequence[Rows]) -> None:
        if len(batch) > 1 and sum(map(len, batch)) > most:
            raise DecodeError("no room for so many rows")

    expected = [one_by_one(FakeBatchModel(), request) for request in asked]
    found = decode(FakeBatchModel(n_seq=slots, fail=fail), asked)
    assert [(one.token_ids, one.stop) for one in found] == expected


def test_a_draft_that_does_not_fit_is_left_out() -> None:
    def fail(batch: Sequence[Rows]) -> None:
        if any(run.logits == "all" and len(run) > 1 for run in batch):
            raise DecodeError("no room for a draft")

    request = Request((1,), np.zeros((0, 2), np.float32), (2,), 9)
    truth, stop = one_by_one(FakeBatchModel(ends=10**6), request)
    drafted = Request(**{**vars(request), "draft": draft_of("right", truth)})
    (found,) = decode(FakeBatchModel(ends=10**6, fail=fail), [drafted], FREE_ROWS)
    assert (found.token_ids, found.stop) == (truth, stop)


@pytest.mark.parametrize("kind", ["tokens", "embeddings"])
@pytest.mark.parametrize("handles", [True, False])
def test_a_text_that_fails_alone_is_its_job_s_affair(kind: str, handles: bool) -> None:
    def fail(batch: Sequence[Rows]) -> None:
        for run in batch:
            rows = run.tokens if kind == "tokens" else run.embeddings
            if rows is not None and (rows == 13).any():
                raise DecodeError("thirteen")

    def job(n: int) -> Job[str]:
        audio = np.full((1, 2), n, np.float32)
        try:
            generation = yield Request((1,), audio, (n,), 3)
        except DecodeError as error:
            if not handles:
                raise
            generation = yield Request((1,), np.ones((1, 2), np.float32), (2,), 3)
            return f"{error}: {len(generation.token_ids)}"
        return str(len(generation.token_ids))

    model = FakeBatchModel(n_seq=2, ends=10**6, fail=fail)
    results = BatchDecoder(model).run(job(n) for n in (20, 13, 21))
    if handles:
        assert list(results) == ["3", "thirteen: 3", "3"]
    else:
        with pytest.raises(DecodeError, match="thirteen"):
            list(results)
    assert model.states == [[], []]


def test_a_prompt_that_does_not_fit_is_refused() -> None:
    request = Request((1,), np.zeros((5, 2), np.float32), (2, 3), 9)
    with pytest.raises(DecodeError, match="fewer hotwords"):
        decode(FakeBatchModel(n_ctx=8), [request])


def test_the_context_limits_a_text_without_an_error() -> None:
    request = Request((1,), np.zeros((5, 2), np.float32), (2, 3), 99)
    (found,) = decode(FakeBatchModel(n_ctx=20, ends=10**6), [request])
    assert (len(found.token_ids), found.stop) == (12, "budget")
    assert never([1]) is None


def test_the_cache_grows_only_when_a_text_needs_it() -> None:
    request = Request((1,), np.zeros((5, 2), np.float32), (2, 3), 99)
    model = FakeBatchModel(n_ctx=20, max_ctx=64, ends=10**6)
    short = Request(**{**vars(request), "budget": 12})
    decode(model, [short])
    assert model.n_ctx == 20
    (found,) = decode(model, [request])
    assert (len(found.token_ids), found.stop, model.n_ctx) == (56, "budget", 64)


def test_where_it_cannot_grow_the_texts_that_fit_are_written() -> None:
    class Full(FakeBatchModel):
        def grow(self, n_ctx: int) -> None:
            raise DecodeError(f"no memory for {n_ctx}")

    def job(budget: int) -> Job[str]:
        request = Request((1,), np.zeros((5, 2), np.float32), (2, 3), budget)
        try:
            generation = yield request
        except DecodeError as error:
            return str(error)
        return str(len(generation.token_ids))

    model = Full(n_seq=3, n_ctx=20, max_ctx=64, ends=10**6)
    results = BatchDecoder(model).run(job(budget) for budget in (9, 30, 12))
    assert list(results) == ["9", "no memory for 40", "12"]
    assert model.states == [[]] * 3
