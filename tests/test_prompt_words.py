"""Which hotwords come into the prompt of a segment, with the demo model."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sounds import write_sound

from funasr_cli import Segment, TranscribeOptions, Transcriber, Transcript
from funasr_cli.ear import Ear
from funasr_cli.model_dir import DEMO_MODEL

SAMPLE = Path(__file__).parents[1] / "samples" / "zh-02.mp3"
"""Two segments; the first names 李夏, the second 吴再娜."""
OTHERS = tuple(f"{a}{b}{c}" for a in "龟鹤麟凤" for b in "鳌鲲鹏" for c in "翡翠琉璃")


@pytest.fixture(scope="module")
def transcriber() -> Iterator[Transcriber]:
    with Transcriber(DEMO_MODEL) as opened:
        yield opened


def prompt_words(segment: Segment) -> list[str]:
    return [hit.word for hit in segment.hotwords if hit.in_prompt]


def transcribe(transcriber: Transcriber, options: TranscribeOptions) -> Transcript:
    return transcriber.transcribe(SAMPLE, options)


def test_of_a_long_list_only_what_was_heard(transcriber: Transcriber) -> None:
    options = TranscribeOptions(hotwords=(*OTHERS, "吴再娜", "李夏"))
    first, second = transcribe(transcriber, options).segments
    assert (prompt_words(first), prompt_words(second)) == (["李夏"], ["吴再娜"])
    assert first.hotwords[0].in_text


@pytest.mark.parametrize("most", [0, 1, 3])
def test_never_more_than_the_user_allows(transcriber: Transcriber, most: int) -> None:
    alike = ("李夏", "里夏", "理夏", "礼夏", "鲤夏")
    found = transcribe(transcriber, TranscribeOptions(hotwords=alike, max_hotwords=most))
    assert [len(prompt_words(segment)) for segment in found.segments] == [most, 0]


def test_without_recall_all_words_go_in_in_order(transcriber: Transcriber) -> None:
    words = (*OTHERS[:12], "李夏")
    options = TranscribeOptions(hotwords=words, hotword_recall=False)
    for segment in transcribe(transcriber, options).segments:
        assert prompt_words(segment) == list(words)


@pytest.mark.parametrize("guard", [True, False])
def test_silence_brings_no_words(transcriber: Transcriber, guard: bool, tmp_path: Path) -> None:
    silence = write_sound(tmp_path / "s.wav", np.zeros(48000, np.float32), codec="pcm_s16le")
    options = TranscribeOptions(hotwords=("李夏", "北京"), guard=guard, vad=False)
    (segment,) = transcriber.transcribe(silence, options).segments
    assert segment.hotwords == ()


def test_without_a_ctc_head_the_first_words_go_in(transcriber: Transcriber) -> None:
    deaf = replace(transcriber._model, ctc=None)
    kept = transcriber._model, transcriber._ear
    transcriber._model, transcriber._ear = deaf, Ear(deaf)
    try:
        found = transcribe(transcriber, TranscribeOptions(hotwords=OTHERS, max_hotwords=3))
    finally:
        transcriber._model, transcriber._ear = kept
    assert [prompt_words(segment) for segment in found.segments] == [list(OTHERS[:3])] * 2
    assert "the first 3 of 48 are used" in found.warnings[-1].message
