"""What a batch shows while it runs, and what it comes to."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from test_cli import ROOT, SAMPLES

from funasr_cli.cli.bars import fitted
from funasr_cli.cli.board import Board, LineBoard, StopBatch, clock, open_board
from funasr_cli.cli.console import Sink
from funasr_cli.cli.events import Finished, Moved, Said
from funasr_cli.cli.json_board import JsonBoard, JsonSink
from funasr_cli.cli.plan import Plan, Task
from funasr_cli.cli.summary import report_text, rows, tell


def plan(*sizes: int) -> Plan:
    tasks = [Task(n, f"{n}.wav", f"/{n}.wav", size, 0, (), "") for n, size in enumerate(sizes)]
    return Plan(tasks, missing=[("x.wav", "no such file")])


def test_shares_go_by_bytes() -> None:
    board = Board(plan(100, 300), Sink(quiet=True))
    assert board.share() == 0
    assert board.left() is None
    board.take(Moved(1, 0.0, None))
    assert board.share() == 0
    board.take(Moved(1, 5.0, 10.0))
    assert board.share() == pytest.approx(150 / 400)
    board.take(Finished(1, seconds=10.0))
    assert board.share() == pytest.approx(300 / 400)
    left = board.left()
    assert left is not None
    assert left < board.tally.seconds
    board.take(Finished(0, "bad"))
    assert board.share() == 1
    assert [one.number for one in board.tally.failures] == [0]


def test_failures_and_warnings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    board = Board(plan(1, 1), Sink(), fail_fast=True)
    board.take(Said("warning", "careful [sic]"))
    board.take(Finished(0, seconds=1.0, warnings=("0.wav: odd",)))
    with pytest.raises(StopBatch):
        board.take(Finished(1, "1.wav: broken"))
    assert capsys.readouterr().err.splitlines() == [
        "warning: careful [sic]", "warning: 0.wav: odd", "funasr: 1.wav: broken",
    ]  # fmt: skip


def test_lines_are_few(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    board = open_board(plan(100, 100), Sink(), "lines", fail_fast=False)
    assert isinstance(board, LineBoard)
    for second in range(12):
        now = float(second)
        board.take(Moved(0, second * 2.0, 40.0))
    assert capsys.readouterr().err.splitlines() == [
        "12% | 0/2 | 00:05<00:35 | 2.0 audio s/s | 0.wav",
        "25% | 0/2 | 00:10<00:30 | 2.0 audio s/s | 0.wav",
    ]


def test_events(capsys: pytest.CaptureFixture[str]) -> None:
    sink = JsonSink()
    with open_board(plan(100), sink, "json", fail_fast=False) as board:
        assert isinstance(board, JsonBoard)
        board.take(Moved(0, 5.0, 10.0))
        board.take(Moved(0, 6.0, 10.0))
        board.take(Finished(0, seconds=10.0, work=2.0, outputs=(Path("录音.txt"),)))
        tell(list(rows(plan(100), board.tally)), board.tally, sink, interrupted=False)
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == ["start", "progress", "file", "end"]
    assert events[1]["share"] == 0.5
    assert events[2]["outputs"] == ["录音.txt"]
    assert (events[3]["done"], events[3]["missing"]) == (1, 1)


def test_reports() -> None:
    board = Board(plan(1, 1, 1), Sink(quiet=True))
    board.take(Finished(0, None, 10.0, 2.5, (Path("0.txt"), Path("0.srt")), ("a, b",)))
    board.take(Finished(1, "1.wav: is empty"))
    found = list(rows(plan(1, 1, 1), board.tally))
    told = [json.loads(line) for line in report_text(found, ".jsonl").splitlines()]
    table = list(csv.DictReader(io.StringIO(report_text(found, ".csv")[1:])))
    assert report_text(found, ".csv").startswith("\ufeffpath,")  # for Excel
    assert [one["status"] for one in told] == ["done", "failed", "left", "missing"]
    assert [one["status"] for one in table] == ["done", "failed", "left", "missing"]
    assert (told[0]["rtf"], told[0]["outputs"]) == (0.25, ["0.txt", "0.srt"])
    assert (table[0]["rtf"], table[0]["outputs"]) == ("0.25", "0.txt | 0.srt")
    assert told[1]["reason"] == "is empty"
    assert table[0]["warnings"] == "a, b"


def test_clock() -> None:
    assert [clock(s) for s in (None, 0, 59.6, 754, 3600 * 11 + 61)] == [
        "?", "00:00", "01:00", "12:34", "11:01:01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("short.wav", 30, "short.wav"),
        ("a-very-long-recording.wav", 11, "a-ver…g.wav"),
        ("会议录音会议录音会议录音.wav", 13, "会议录…音.wav"),
    ],
)
def test_long_names_lose_their_middle(name: str, cells: int, told: str) -> None:
    assert fitted(name, cells) == told
    assert cell_len(told) <= cells


def in_terminal(*arguments: str | Path, width: int = 80, **environment: str) -> str:
    """Run a command in a pseudo-terminal; return what it drew."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(width), **environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        drawn = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other side is closed
                break
            if not part:
                break
            drawn += part
        os.close(ours)
    assert process.returncode == 0
    return drawn.decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_terminals(tmp_path: Path) -> None:
    recordings = SAMPLES / "zh-01.wav", SAMPLES / "en-01.m4a"

    def batch(**environment: str) -> str:
        options = ("-o", tmp_path, "--overwrite")
        return in_terminal("batch", *recordings, *options, width=80, **environment)

    full = batch(TERM="xterm-256color")
    assert "/2 files" in full
    assert "zh-01.wav" in full
    assert re.search(r"\d\d:\d\d<\d\d:\d\d.{1,20}?\d+\.\d audio s/s", full)
    assert "\x1b[38;5;" in full
    # the bars are gone at the end, the table stays
    assert "transcribed   2 files" in full.rpartition("\x1b[2K")[2]
    plain = batch(TERM="xterm-256color", NO_COLOR="1")
    assert "/2 files" in plain
    assert not re.search(r"\x1b\[(3[0-9]|38;5;\d+)m", plain)
    dumb = batch(TERM="dumb")
    assert "\x1b" not in dumb
    assert "transcribed   2 files" in dumb


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [80, 60, 40])
def test_long_names_leave_room_for_what_matters(tmp_path: Path, width: int, language: str) -> None:
    sound = tmp_path / f"{'很长的会议录音' * 8}.wav"
    shutil.copy(SAMPLES / "zh-01.wav", sound)
    drawn = in_terminal(
        "batch", sound, "-o", tmp_path, "--overwrite",
        width=width, FUNASR_LANG=language, TERM="xterm-256color", NO_COLOR="1",
    )  # fmt: skip
    lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split("[\r\n]+", drawn)]
    frames = [line for line in lines if re.match(r"\d/1 ", line)]
    assert frames
    for line in frames:
        assert cell_len(line) <= width
        assert re.search(r" \d+ % \d\d:\d\d<(\d\d:\d\d|\?)", line), line
    of_file = [line for line in lines if "…" in line and " % " in line]
    assert of_file
    assert all(".wav" in line for line in of_file)
    assert any("━" in line for line in frames) == (width >= 60)
