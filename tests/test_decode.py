import numpy as np
import pytest
from fakes import FakeLanguageModel
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.decode import GreedyDecoder, Stop
from funasr_cli.errors import DecodeError

AUDIO = np.zeros((5, 4), np.float32)
answers = st.lists(st.integers(1, 200), max_size=40)


def never(_ids: object) -> Stop | None:
    return None


@given(answers)
def test_the_answer_is_the_best_token_each_time(answer: list[int]) -> None:
    decoder = GreedyDecoder(FakeLanguageModel(answer))
    written = decoder.generate(decoder.prefill([7, 8], AUDIO, [9, 9]), budget=100, stop_at=never)
    assert (list(written.token_ids), written.stop) == (answer, "end")
    assert written.calls == len(answer)


@given(answers, st.integers(1, 50))
def test_a_budget_is_told_apart_from_an_end(answer: list[int], budget: int) -> None:
    decoder = GreedyDecoder(FakeLanguageModel(answer))
    written = decoder.generate(decoder.prefill([7], AUDIO, [9, 9]), budget=budget, stop_at=never)
    assert list(written.token_ids) == answer[:budget]
    assert written.stop == ("end" if len(answer) <= budget else "budget")


def test_the_shared_prefix_is_evaluated_once() -> None:
    model = FakeLanguageModel([65])
    decoder = GreedyDecoder(model)
    first = decoder.prefill([1, 2, 3], AUDIO, [9, 9])
    decoder.generate(first, budget=9, stop_at=never)
    second = decoder.prefill([1, 2, 3], AUDIO, [9, 9])
    assert [position for position, _ in model.batches].count(0) == 1
    assert (first.rows, second.rows) == (10, 7)
    assert decoder.generate(second, budget=9, stop_at=never).token_ids == (65,)
    decoder.prefill([4, 2, 3], AUDIO, [9, 9])
    assert [position for position, _ in model.batches].count(0) == 2


def test_numbers_that_overflowed_stop_the_answer() -> None:
    decoder = GreedyDecoder(FakeLanguageModel([65, 66, 67], broken_at=2))
    written = decoder.generate(decoder.prefill([1], AUDIO, [9, 9]), budget=9, stop_at=never)
    assert (written.token_ids, written.stop) == ((65, 66), "nan")


def test_a_guard_stops_the_answer() -> None:
    decoder = GreedyDecoder(FakeLanguageModel([65] * 30))
    written = decoder.generate(
        decoder.prefill([1], AUDIO, [9, 9]),
        budget=99,
        stop_at=lambda ids: "loop" if len(ids) == 6 else None,
    )
    assert (len(written.token_ids), written.stop) == (6, "loop")


@given(st.integers(9, 20))
def test_the_context_limits_the_answer_without_an_error(n_ctx: int) -> None:
    decoder = GreedyDecoder(FakeLanguageModel([65] * 50, n_ctx=n_ctx))
    written = decoder.generate(decoder.prefill([1], AUDIO, [9, 9]), budget=99, stop_at=never)
    assert written.stop == "budget"
    assert len(written.token_ids) == n_ctx - 8


def test_a_prompt_that_does_not_fit_is_refused() -> None:
    with pytest.raises(DecodeError, match="fewer hotwords"):
        GreedyDecoder(FakeLanguageModel([65], n_ctx=8)).prefill([1], AUDIO, [9, 9])
