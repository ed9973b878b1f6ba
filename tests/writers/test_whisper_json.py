"""The schema of openai-whisper, read back by pysubs2."""

import json
import math
from dataclasses import replace
from typing import Any

import pysubs2
import pytest
from transcripts import EVIL, segment, spoken, transcript

from funasr_cli.results import Transcript
from funasr_cli.writers.whisper_json import to_whisper_json

SEGMENT: dict[str, type] = {
    "id": int,
    "seek": int,
    "start": float,
    "end": float,
    "text": str,
    "tokens": list,
    "temperature": float,
    "avg_logprob": float,
    "compression_ratio": float,
    "no_speech_prob": float,
    "words": list,
}
WORD: dict[str, type] = {"word": str, "start": float, "end": float, "probability": float}


def written(whole: Transcript) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(to_whisper_json(whole))
    return value


def test_every_field_has_its_type() -> None:
    value = written(spoken(*EVIL))
    assert list(value) == ["text", "segments", "language"]
    assert [s["id"] for s in value["segments"]] == list(range(len(value["segments"])))
    for one in value["segments"]:
        assert {name: type(field) for name, field in one.items()} == SEGMENT
        for word in one["words"]:
            assert {name: type(field) for name, field in word.items()} == WORD
            assert one["start"] <= word["start"] <= word["end"] <= one["end"]


def test_words_make_segments_and_segments_make_the_text() -> None:
    whole = spoken("Hello there, it's 5 o'clock.", "你好，我们走。", "Bye.")
    value = written(whole)
    assert value["text"] == whole.text
    assert "".join(s["text"] for s in value["segments"]) == whole.text
    for one in value["segments"]:
        assert "".join(w["word"] for w in one["words"]) == one["text"]


def test_pysubs2_reads_it() -> None:
    value = written(spoken("你好。", "Good morning.", pause=1.0))
    file = pysubs2.load_from_whisper(value)
    assert [(e.start, e.end, e.text) for e in file] == [
        (1000, 1500, "你好。"),
        (2750, 5500, "Good morning."),
    ]


def test_what_is_measured() -> None:
    (one,) = written(transcript(segment("哈哈哈哈哈哈哈哈哈哈哈哈", start=30.5, step=0.2)))[
        "segments"
    ]
    assert one["seek"] == 3050
    assert one["avg_logprob"] == round(math.log(0.9), 3)
    assert one["compression_ratio"] > 2


@pytest.mark.parametrize(("confidence", "logprob"), [(0.9999, "0.0"), (0.0, "-4.605")])
def test_logarithms_of_what_is_sure_and_of_what_was_not_heard(
    confidence: float, logprob: str
) -> None:
    one = segment("哈哈哈哈")
    chars = tuple(replace(c, confidence=confidence) for c in one.chars)
    assert f'"avg_logprob": {logprob},' in to_whisper_json(transcript(replace(one, chars=chars)))


def test_language_is_a_code() -> None:
    assert written(transcript(language="中文"))["language"] == "zh"
    assert written(transcript(language="粤语"))["language"] == "yue"
    assert written(transcript()) == {"text": "", "segments": [], "language": None}


def test_without_times_there_are_no_words() -> None:
    (one,) = written(spoken("没有时间。", timed=False))["segments"]
    assert (one["start"], one["words"], one["avg_logprob"]) == (0.5, [], 0.0)
