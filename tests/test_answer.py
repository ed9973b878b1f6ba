"""What becomes of an answer that went wrong: every stop, with and without guard and CTC text."""

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import FakeLanguageModel

from funasr_cli.answer import Answer, Question, answer
from funasr_cli.decode import GreedyDecoder
from funasr_cli.model import PROMPT_ROOM, Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.protocols import CtcFrames, Encoded, Floats
from funasr_cli.results import HotwordHit, ModelInfo
from funasr_cli.timings import Timings


class Unused:
    """An encoder and CTC head that `answer` must not touch."""

    def encode(self, _waveforms: Sequence[Floats]) -> list[Encoded]:
        raise AssertionError

    def run(self, _encoder_out: Floats) -> CtcFrames:
        raise AssertionError


def ask(
    llm: FakeLanguageModel,
    *,
    words: Sequence[str] = (),
    ctc_text: str = "",
    options: TranscribeOptions | None = None,
) -> Answer:
    model = Model(
        encoder=Unused(),
        ctc=Unused(),
        tokens=(),
        llm=llm,
        decoder=GreedyDecoder(llm),
        bangs=frozenset({ord("!")}),
        max_segment_s=30.0,
        time_offset_s=0.0,
        system_prompt=True,
        think_block=False,
        info=ModelInfo("", "", "", "", ""),
        notices=(),
    )
    question = Question(
        segment=3,
        seconds=1.0,
        audio_embeds=np.zeros((2, 4), np.float32),
        hotwords=tuple(HotwordHit(word, 1.0) for word in words),
        language=None,
        heard=len(ctc_text),
        ctc_text=ctc_text,
    )
    return answer(model, question, options or TranscribeOptions(), Timings())


def script(text: str) -> list[int]:
    return [ord(c) for c in text]


def codes(found: Answer) -> list[str]:
    return [notice.code for notice in found.notices]


LOOP = script("你好" + "再见" * 40)


def test_a_good_answer_is_left_alone() -> None:
    found = ask(FakeLanguageModel(script(" 你\n好/sil吗  "), n_ctx=2048), words=["北京"])
    assert (found.text, found.hotwords, found.notices) == ("你 好 吗", ("北京",), ())
    assert found.token_ids == tuple(script(" 你\n好/sil吗  "))


def test_a_loop_under_hotwords_is_asked_again_without_them() -> None:
    llm = FakeLanguageModel(LOOP, plain=script("你好再见"), n_ctx=2048)
    found = ask(llm, words=["北京"], ctc_text="你好再见")
    assert (found.text, found.hotwords) == ("你好再见", ())
    assert codes(found) == ["retried"]
    assert found.stats.retries == 1


@pytest.mark.parametrize("words", [(), ("北京",)])
def test_a_loop_that_stays_gives_way_to_what_ctc_heard(words: Sequence[str]) -> None:
    found = ask(FakeLanguageModel(LOOP, n_ctx=2048), words=words, ctc_text="你好再见")
    assert (found.text, found.token_ids, found.hotwords) == ("你好再见", (), ())
    assert codes(found)[-1] == "loop"


def test_without_ctc_the_repetition_is_cut() -> None:
    found = ask(FakeLanguageModel(LOOP, n_ctx=2048))
    assert found.text == "你好再见"
    assert codes(found) == ["loop"]


def test_exclamation_marks_of_an_overflow_leave_nothing() -> None:
    found = ask(FakeLanguageModel(script("好" + "!" * 60), n_ctx=2048))
    assert (found.text, codes(found)) == ("好", ["loop"])


def test_numbers_that_overflow_give_way_too() -> None:
    found = ask(FakeLanguageModel(script("你好吗"), broken_at=2, n_ctx=2048), ctc_text="你好吗")
    assert (found.text, codes(found)) == ("你好吗", ["nan"])
    found = ask(FakeLanguageModel(script("你好吗"), broken_at=2, n_ctx=2048))
    assert (found.text, codes(found)) == ("你好", ["nan"])


def test_a_text_that_does_not_end_is_kept_as_far_as_it_went() -> None:
    endless = script("".join(chr(0x4E00 + i) for i in range(300)))
    found = ask(FakeLanguageModel(endless, n_ctx=2048), ctc_text="一丁")
    assert codes(found) == ["truncated"]
    assert 30 < len(found.text) < 60


def test_the_users_own_limit_is_no_failure() -> None:
    llm = FakeLanguageModel(script("你好再见"), n_ctx=2048)
    found = ask(llm, words=["北京"], options=TranscribeOptions(max_new_tokens=2))
    assert (found.text, found.hotwords, found.stats.retries) == ("你好", ("北京",), 0)
    assert codes(found) == ["truncated"]


def test_without_guard_the_raw_answer_comes_out() -> None:
    options = TranscribeOptions(guard=False)
    found = ask(FakeLanguageModel(LOOP, n_ctx=2048), words=["北京"], ctc_text="x", options=options)
    assert (found.text, found.notices) == ("你好" + "再见" * 40, ())


def test_a_control_token_ends_the_text_quietly() -> None:
    class WithControl(FakeLanguageModel):
        def piece(self, token: int) -> bytes:
            return b"" if token == 7 else super().piece(token)

    found = ask(WithControl([*script("你好"), 7, *script("x")], n_ctx=2048))
    assert (found.text, found.notices) == ("你好", ())


def test_hotwords_and_context_that_do_not_fit_are_cut_and_named() -> None:
    words = [f"词{n}" for n in range(1000)]
    llm = FakeLanguageModel(script("你好"), n_ctx=2048)
    found = ask(llm, words=words, options=TranscribeOptions(context="景" * 3000))
    assert codes(found) == ["hotwords-cut", "context-cut"]
    assert found.hotwords == ()
    assert llm.batches[0][1] <= PROMPT_ROOM
    found = ask(FakeLanguageModel(script("你好"), n_ctx=2048), words=words)
    assert codes(found) == ["hotwords-cut"]
    assert found.hotwords == tuple(words[: len(found.hotwords)])
    assert len(found.hotwords) > 20
