"""What becomes of an answer that went wrong: every stop, with and without guard and CTC text."""

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import FakeLanguageModel

from funasr_cli.answer import Answer, Question, answer
from funasr_cli.decode import BatchDecoder
from funasr_cli.errors import DecodeError
from funasr_cli.llm import PROMPT_ROOM
from funasr_cli.model import Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.protocols import CtcFrames, Encoded, Floats, Rows
from funasr_cli.results import HotwordHit, ModelInfo
from funasr_cli.timings import Timings


class Unused:
    """A detector, encoder and CTC head that `answer` must not touch."""

    def encode(self, _waveforms: Sequence[Floats]) -> list[Encoded]:
        raise AssertionError

    def run(self, _encoder_out: Floats) -> CtcFrames:
        raise AssertionError

    def begin(self) -> None:
        raise AssertionError

    def probabilities(self, _samples: Floats) -> Floats:
        raise AssertionError


def ask(  # noqa: PLR0913 - what an answer depends on
    llm: FakeLanguageModel,
    *,
    words: Sequence[str] = (),
    ctc_text: str = "",
    options: TranscribeOptions | None = None,
    halves: tuple[Question, ...] = (),
    language: str | None = None,
) -> Answer:
    model = Model(
        encoder=Unused(),
        ctc=Unused(),
        tokens=(),
        detector=Unused(),
        llm=llm,
        decoder=BatchDecoder(llm),
        slots=1,
        ahead=0,
        facts=None,
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
        language=language,
        heard=len(ctc_text),
        ctc_text=ctc_text,
        halve=lambda: halves,
    )
    job = answer(model, question, options or TranscribeOptions(), Timings())
    (found,) = BatchDecoder(llm).run(iter([job]))
    return found


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
    assert (found.text, codes(found)) == ("你好吗", ["retried", "nan"])
    found = ask(FakeLanguageModel(script("你好吗"), broken_at=2, n_ctx=2048))
    assert (found.text, codes(found)) == ("你好", ["retried", "nan"])


def test_a_text_that_does_not_end_is_kept_only_where_nothing_was_heard() -> None:
    endless = script("".join(chr(0x4E00 + i) for i in range(300)))
    found = ask(FakeLanguageModel(endless, n_ctx=2048), ctc_text="一丁")
    assert (found.text, codes(found)) == ("一丁", ["truncated"])
    found = ask(FakeLanguageModel(endless, n_ctx=2048))
    assert codes(found) == ["truncated"]
    assert 30 < len(found.text) < 60


def test_a_text_that_is_not_what_was_heard_gives_way() -> None:
    heard = "今天我们在北京讨论经济问题会议上午开始"
    other = "谢谢大家收看我们下一期节目再见欢迎订阅"
    found = ask(FakeLanguageModel(script(other), n_ctx=2048), ctc_text=heard)
    assert (found.text, codes(found)) == (heard, ["disagrees"])
    raw = TranscribeOptions(guard=False)
    assert (
        ask(FakeLanguageModel(script(other), n_ctx=2048), ctc_text=heard, options=raw).text == other
    )


@pytest.mark.parametrize(
    ("language", "heard", "text"),
    [
        (
            "中文",
            "今天我们在北京讨论经济问题会议上午开始",
            "thank you for watching please subscribe to this",
        ),
        (
            "英文",
            "today we talk about the economy in the capital",
            "谢谢大家收看我们下一期节目再见欢迎订阅",
        ),
    ],
)
def test_a_language_that_was_named_excuses_no_other(language: str, heard: str, text: str) -> None:
    found = ask(FakeLanguageModel(script(text), n_ctx=2048), ctc_text=heard, language=language)
    assert (found.text, codes(found)) == (heard, ["disagrees"])


def test_an_empty_answer_to_speech_is_no_answer() -> None:
    found = ask(FakeLanguageModel(script(""), n_ctx=2048), ctc_text="不要开门")
    assert (found.text, codes(found)) == ("不要开门", ["disagrees"])
    assert ask(FakeLanguageModel(script(""), n_ctx=2048), ctc_text="嗯").text == ""


def test_a_limit_beyond_the_context_is_not_the_user_s_cut() -> None:
    endless = script("".join(chr(0x4E00 + i) for i in range(900)))
    options = TranscribeOptions(max_new_tokens=5000)
    found = ask(FakeLanguageModel(endless, n_ctx=256), ctc_text="一丁", options=options)
    assert (found.text, codes(found)) == ("一丁", ["truncated"])


def test_audio_that_cannot_be_evaluated_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is over while its slot was still to be written."""
    llm = FakeLanguageModel(script("你好"), n_ctx=2048)
    real = llm.evaluate

    def fail(rows: Sequence[Rows]) -> list[Floats]:
        if rows[0].embeddings is not None:
            raise DecodeError("no room for audio")
        return real(rows)

    monkeypatch.setattr(llm, "evaluate", fail)
    found = ask(llm, ctc_text="你好")
    assert (found.text, codes(found)) == ("你好", ["retried", "decode-failed"])


def test_a_character_that_is_cut_off_leaves_nothing() -> None:
    llm = FakeLanguageModel(script("你好"), n_ctx=2048)
    llm.piece = lambda token: chr(token).encode()[:2] if token == ord("好") else chr(token).encode()  # type: ignore[method-assign]
    assert ask(llm).text == "你"


def test_a_translation_that_was_asked_for_is_no_disagreement() -> None:
    text = "today we talk about the economy in the capital"
    heard = "今天我们在北京讨论经济问题会议上午开始"
    llm = FakeLanguageModel(script(text), n_ctx=2048)
    assert ask(llm, ctc_text=heard, language="英文").text == text
    assert ask(llm, ctc_text=heard).text == heard


def test_halves_come_before_the_ctc_text() -> None:
    whole = FakeLanguageModel(LOOP, n_ctx=2048)

    def half(ctc_text: str, audio: float) -> Question:
        rows = np.full((2, 4), audio, np.float32)
        return Question(3, 1.0, rows, (), None, len(ctc_text), ctc_text)

    found = ask(whole, ctc_text="你好再见", halves=(half("你好", 1.0), half("再见", 2.0)))
    assert found.text == "你好再见"
    assert codes(found) == ["split", "loop", "loop"]


def test_a_runtime_that_fails_gives_way_to_what_was_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DecodeError("the device is gone")

    llm = FakeLanguageModel(script("你好"), n_ctx=2048)
    monkeypatch.setattr(llm, "evaluate", fail)
    found = ask(llm, ctc_text="你好")
    assert (found.text, codes(found)) == ("你好", ["retried", "decode-failed"])
    assert "the device is gone" in found.notices[-1].message
    with pytest.raises(DecodeError, match="the device is gone"):
        ask(llm)
    with pytest.raises(DecodeError, match="the device is gone"):
        ask(llm, ctc_text="你好", options=TranscribeOptions(guard=False))


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
