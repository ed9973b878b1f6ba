from typing import get_type_hints

import pytest

from funasr_cli.cli.arguments import FORMATS, SYNONYMS, parse_formats, parse_seconds
from funasr_cli.cli.transcribe import transcribe
from funasr_cli.errors import UsageError
from funasr_cli.writers import WRITERS


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("90s", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("90000ms", 90)],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds("--start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "abc", "1:2:3:4", "1:30ms", "1e3"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--start"):
        parse_seconds("--start", text)


def test_formats() -> None:
    assert parse_formats(None) == ()
    assert parse_formats("srt, json,srt，text") == ("srt", "json", "txt")
    assert parse_formats("SRT .Vtt Whisper_JSON WebVTT") == ("srt", "vtt", "whisper-json")
    assert parse_formats("all") == tuple(FORMATS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("srtt", "did you mean srt"),
        ("WhisperJson", "did you mean whisper-json"),
        ("sbrip", "did you mean srt"),
        ("ssa", "did you mean ass"),
        ("talk.wav", "name the recording alone"),
        ("doc", "known are"),
    ],
)
def test_wrong_formats_get_a_hint(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_formats(text)


def test_no_format_at_all_is_no_format() -> None:
    with pytest.raises(UsageError, match="names no format"):
        parse_formats(" ,")


def test_every_format_has_a_writer_and_a_suffix_of_its_own() -> None:
    assert set(FORMATS) == set(WRITERS)
    assert len(set(FORMATS.values())) == len(FORMATS)
    assert set(SYNONYMS.values()) <= set(FORMATS)


def test_the_help_names_every_format() -> None:
    hints = get_type_hints(transcribe, include_extras=True)
    (option,) = hints["output_format"].__metadata__
    assert option.help.partition(":")[0] == ", ".join(FORMATS)
