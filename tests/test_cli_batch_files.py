"""What `funasr batch` does with files that are not as it left them, or are no recordings."""

import csv
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from sounds import read, write_sound
from test_cli import SAMPLES, funasr
from test_cli_batch import files

MINE = "我改过\n"


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A folder with one recording, x.wav."""
    where = tmp_path / "in"
    where.mkdir()
    write_sound(where / "x.wav", read(SAMPLES / "zh-01.wav")[:48000], codec="pcm_s16le")
    return where


def test_what_was_corrected_by_hand_is_kept(one: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def batch(*options: str) -> str:
        result = funasr("batch", one, "-o", out, *options)
        assert result.returncode == 0, result.stderr
        return result.stderr

    batch("-f", "txt,json")
    heard = (out / "x.txt").read_text("utf-8")
    (out / "x.txt").write_text(MINE, encoding="utf-8")
    # the same question: only what is missing is written
    told = batch("-f", "txt,json,srt")
    assert "by hand" not in told
    assert (out / "x.txt").read_text("utf-8") == MINE
    assert files(out) == ["x.json", "x.srt", "x.txt"]
    # another question: what no batch has written is kept beside, and told of once a file
    told = batch("-f", "txt,json,srt", "--hotwords", "北京")
    assert told.count("by hand") == 1
    assert "x.txt: was changed by hand, or no batch wrote it: the old one is" in told
    assert "kept as x.txt.bak\n" in told
    assert (out / "x.txt.bak").read_text("utf-8") == MINE
    assert (out / "x.txt").read_text("utf-8") == heard
    # older ones of these are not touched; what the batch itself wrote is no loss
    (out / "x.txt").write_text(f"{MINE}again", encoding="utf-8")
    assert "kept as x.txt.bak2\n" in batch("-f", "txt,json,srt", "--overwrite")
    assert "by hand" not in batch("-f", "txt,json,srt", "--overwrite")
    assert (out / "x.txt.bak").read_text("utf-8") == MINE
    assert (out / "x.txt.bak2").read_text("utf-8") == f"{MINE}again"
    assert [name for name in files(out) if "bak" in name] == ["x.txt.bak", "x.txt.bak2"]


def test_files_that_were_there_before_are_kept(one: Path, tmp_path: Path) -> None:
    (one / "x.txt").write_text(MINE, encoding="utf-8")
    result = funasr(
        "batch", one, "-o", "source", "-q", XDG_DATA_HOME=str(tmp_path), LOCALAPPDATA=str(tmp_path)
    )
    assert result.returncode == 0
    assert "kept as x.txt.bak" in result.stderr
    assert (one / "x.txt.bak").read_text("utf-8") == MINE
    assert (one / "x.txt").read_text("utf-8") != MINE


@pytest.mark.skipif(sys.platform == "win32", reason="pipes with names")
def test_pipes_in_folders_are_no_recordings(one: Path, tmp_path: Path) -> None:
    os.mkfifo(one / "pipe.wav")
    shutil.copy(one / "x.wav", tmp_path / "y.wav")
    (one / "link.wav").symlink_to(tmp_path / "y.wav")
    out = tmp_path / "out"
    result = funasr("batch", one, "-o", out)  # would wait for a writer
    assert result.returncode == 0, result.stderr
    assert files(out) == ["link.txt", "x.txt"]
    matched = funasr("batch", str(one / "*.wav"), "-o", out)
    assert matched.returncode == 0, matched.stderr
    assert "skipped       2 files" in matched.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="makes a socket without binding it")
def test_what_is_not_the_file_s_own_fault_is_not_remembered(one: Path, tmp_path: Path) -> None:
    """Even root cannot open a socket; the same is true of files that may not be read."""
    (one / "bad.mp3").write_bytes(b"no sound" * 99)
    os.mknod(one / "socket", 0o140600)
    for word in ("2 files", "2 files, 1 of them before"):
        result = funasr("batch", one / "bad.mp3", one / "socket", "-o", tmp_path / "out")
        assert result.returncode == 5
        assert f"failed        {word}" in result.stderr
        assert "funasr: " in result.stderr
        assert "socket: cannot be opened" in result.stderr


def test_the_table_is_in_the_user_s_language(one: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for number in range(22):
        (one / f"{number}.mp3").touch()
    lists = [str(tmp_path / "没有.wav"), str(one)]
    tables = []
    for options in (("--fail-fast",), (), ()):
        result = funasr("batch", *lists, "-o", out, *options, FUNASR_LANG="zh")
        assert result.returncode == 5
        tables.append(result.stderr[result.stderr.index("  已转写") :])
    for table in tables:
        words = re.sub(r"\S*/\S*|--\S+|\S+\.(mp3|wav)|FILE", "", table)
        assert not re.search("[A-Za-z]{4,}", words), table
    assert "未处理" in tables[0]
    assert re.search(r"已转写 +1 个文件，音频共 3 s", tables[1])
    assert re.search(r"已跳过 +1 个文件：以前已完成", tables[2])
    assert "还有 3 个" in tables[2]


def test_one_file_is_no_files_and_a_failed_one_is_not_transcribed(
    one: Path, tmp_path: Path
) -> None:
    out, report = tmp_path / "out", tmp_path / "r.csv"
    (out / "x.txt").mkdir(parents=True)  # cannot be written
    result = funasr("batch", one, "-o", out, "--report", report)
    assert result.returncode == 5
    assert "transcribed   0 files, 0 s of sound" in result.stderr
    assert "failed        1 file\n" in re.sub(" +\n", "\n", result.stderr)
    assert report.read_bytes().startswith(b"\xef\xbb\xbfpath,")  # for Excel
    with report.open(encoding="utf-8-sig", newline="") as file:
        assert [row["audio_s"] for row in csv.DictReader(file)] == ["3.0"]
    (out / "x.txt").rmdir()
    again = funasr("batch", one, "-o", out)
    assert "transcribed   1 file, 3 s of sound" in again.stderr
