import json
from pathlib import Path

import pytest

from funasr_cli.errors import OutputError
from funasr_cli.results import (
    CharTime,
    DecodeStats,
    HotwordHit,
    ModelInfo,
    Notice,
    Replacement,
    Segment,
    Transcript,
)
from funasr_cli.timings import Timings
from funasr_cli.writers import WRITERS, write_text
from funasr_cli.writers.json import to_json

TRANSCRIPT = Transcript(
    path="录音.wav",
    start=0.0,
    duration=3661.5,
    sample_rate=16000,
    language="中文",
    text="你好。",
    segments=(
        Segment(
            id=0,
            start=3659.0,
            end=3661.5,
            text="你好。",
            ctc_text="你好",
            hotwords=(HotwordHit("你好", 0.98765, 3659.1, 3660.0, in_prompt=True),),
            chars=(
                CharTime("你", 3659.12345, 3659.5, 0.98765),
                CharTime("好", 3659.5, 3660.25, 0.5),
                CharTime("。", 3660.25, 3660.25, 0.5),
            ),
            token_ids=(1, 2, 3),
            decode=DecodeStats(calls=4, rows=20),
            replacements=(Replacement("你号", "你好", 3659.12345, 3660.25, 0.96549),),
        ),
    ),
    model=ModelInfo("demo", "model", "abc", "x.gguf", "lib"),
    timings=Timings(encode=0.5, total=1.0),
    warnings=(Notice("truncated", "cut short", 0),),
)


def test_srt() -> None:
    assert WRITERS["srt"](TRANSCRIPT) == "1\n01:00:59,123 --> 01:01:00,250\n你好\n"


def test_txt() -> None:
    assert WRITERS["txt"](TRANSCRIPT) == "你好。\n"


def test_json_carries_what_the_schema_names() -> None:
    value = json.loads(WRITERS["json"](TRANSCRIPT))
    assert list(value) == [
        "schema", "audio", "model", "language", "text", "speech", "coverage", "failure",
        "segments", "timings", "warnings",
    ]  # fmt: skip
    (segment,) = value["segments"]
    assert list(segment) == [
        "id", "start", "end", "text", "ctc_text", "hotwords", "chars", "token_ids", "decode",
        "replacements",
    ]  # fmt: skip
    assert segment["chars"][0] == {
        "text": "你", "start": 3659.123, "end": 3659.5, "confidence": 0.988,
    }  # fmt: skip
    assert segment["hotwords"] == [
        {
            "word": "你好", "similarity": 0.988, "start": 3659.1, "end": 3660.0,
            "in_prompt": True, "in_text": False, "taken_for": None,
        },
    ]  # fmt: skip
    assert segment["replacements"] == [
        {"from": "你号", "to": "你好", "start": 3659.123, "end": 3660.25, "similarity": 0.965},
    ]
    assert segment["decode"] == {
        "calls": 4, "rows": 20, "drafted": 0, "accepted": 0, "retries": 0,
    }  # fmt: skip
    assert list(value["timings"]) == [
        "load", "decode_audio", "vad", "encode", "ctc", "hotwords", "prompt", "prefill",
        "generate", "align", "write", "total",
    ]  # fmt: skip


def test_compact_json_is_one_line() -> None:
    assert to_json(TRANSCRIPT, compact=True).count("\n") == 1


def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "深" / "a.srt"
    write_text(target, "old\n")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"a\.srt: cannot be written \(No space left"):
        write_text(target, "new\n")
    assert target.read_text(encoding="utf-8") == "old\n"
    assert [p.name for p in target.parent.iterdir()] == ["a.srt"]


def test_half_a_character_in_a_file_name_is_written_as_an_escape(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "bad\udcff.mp3")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "bad\\udcff.mp3"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.srt", "text")
