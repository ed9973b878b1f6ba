import os
import pty
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoken import said
from test_cli import ROOT, SAMPLES, funasr, one_line

from funasr_cli.confidence import doubt, timed_pieces
from funasr_cli.results import CharTime

SAMPLE = SAMPLES / "zh-02.mp3"
"""The demo model doubts 时间 and nothing else in it."""


@pytest.mark.parametrize(
    ("text", "confidence", "grade"),
    [
        ("好", 0.8, 0),
        ("好", 0.79, 1),
        ("好", 0.5, 1),
        ("好", 0.49, 2),
        ("。", 0.0, 0),
        ("5", 0.0, 2),
    ],
)
def test_grades(text: str, confidence: float, grade: int) -> None:
    assert doubt(CharTime(text, 0.0, 0.1, confidence)) == grade


@given(st.lists(st.text("你好ab 5，.é\u0301")))
def test_pieces_are_the_text_and_every_character_has_its_time(texts: list[str]) -> None:
    transcript = said(*(text.strip() for text in texts))
    pieces = list(timed_pieces(transcript.text, transcript.segments))
    assert "".join(text for text, _ in pieces) == transcript.text
    assert [c for _, c in pieces if c] == [c for s in transcript.segments for c in s.chars]


def test_times_of_another_text_are_not_used() -> None:
    transcript = said("今天好。")
    pieces = list(timed_pieces("今日好。", transcript.segments))
    assert pieces == [("今", transcript.segments[0].chars[0]), ("日好。", None)]


def test_a_segment_without_times_is_one_piece() -> None:
    first, second = said("你好。", "再见。").segments
    pieces = list(timed_pieces("你好。再见。", (replace(first, chars=()), second)))
    assert [text for text, _ in pieces] == ["你好。", "再", "见", "。"]


def on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """Run the program with a terminal for stdout; return what it was sent."""
    ours, theirs = pty.openpty()
    variables = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", "transcribe", *arguments],
        env={**variables, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **environment},
        stdout=theirs,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    os.close(theirs)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    sent = b""
    try:
        while part := os.read(ours, 1 << 16):
            sent += part
    except OSError:  # Linux' way to say that the other side is closed
        pass
    os.close(ours)
    return sent + b"\0" + errors


def test_doubtful_characters_are_coloured_on_a_terminal() -> None:
    text, _, errors = on_a_terminal(str(SAMPLE), "--print-confidence").decode().partition("\0")
    assert re.search(r"\x1b\[33m\w\x1b\[0m", text)
    assert re.sub(r"\x1b\[[\d;]*m", "", text).strip().startswith("欢迎")
    assert "80% or more" in errors
    assert "below 50%" in errors


def test_no_color_means_none_and_a_note() -> None:
    sent = on_a_terminal(str(SAMPLE), "--print-confidence", NO_COLOR="1").decode()
    text, _, errors = sent.partition("\0")
    assert "\x1b" not in text
    assert "no colours (NO_COLOR is set)" in errors


def test_a_pipe_gets_plain_text_beside_the_files(tmp_path: Path) -> None:
    result = funasr("transcribe", SAMPLE, "--print-confidence", "-f", "srt", cwd=tmp_path)
    assert result.stdout.startswith("欢迎")
    assert "\x1b" not in result.stdout
    assert "no colours (stdout is no terminal)" in result.stderr
    assert (tmp_path / "zh-02.srt").exists()


def test_json_has_the_numbers_instead() -> None:
    result = funasr("transcribe", SAMPLE, "--print-confidence", "--json")
    assert "leave out --json" in one_line(result, 2)
