"""Word lists that change while a command runs."""

import os
import threading
from pathlib import Path

import pytest

from funasr_cli.cli.console import Sink
from funasr_cli.cli.hotword_lists import HotwordLists
from funasr_cli.errors import InputError
from funasr_cli.options import TranscribeOptions

BARE = TranscribeOptions(context="about birds")


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_all_lists_go_together_in_order(tmp_path: Path) -> None:
    specs = [
        write(tmp_path / "a.txt", "张三\n李四\n"),
        "王五,张三",
        write(tmp_path / "热词", "赵 = 赵六"),
    ]
    found = HotwordLists(specs, Sink()).renew(BARE)
    assert found.hotwords == ("张三", "李四", "王五", "赵六")
    assert found.hotword_aliases == (("赵", "赵六"),)
    assert found.context == "about birds"
    assert HotwordLists([], Sink()).renew(BARE) == BARE


def test_a_file_that_changed_is_read_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write(tmp_path / "a.txt", "张三\n")
    lists = HotwordLists([f"{spec},李四"], Sink())
    assert lists.renew(BARE).hotwords == ("张三", "李四")
    assert capsys.readouterr().err == ""
    write(tmp_path / "a.txt", "张三\n王五\n")
    assert lists.renew(BARE).hotwords == ("张三", "王五", "李四")
    assert "has changed, 3 hotwords now" in capsys.readouterr().err
    lists.renew(BARE)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("content", [None, b"\xff\xff\xff\n", b"ok\n<|im_end|>\n"])
def test_a_list_that_got_lost_keeps_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "热词"  # without its file, the name would be a word
    lists = HotwordLists([write(path, "张三\n")], Sink())
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert lists.renew(BARE).hotwords == ("张三",)
    assert lists.renew(BARE).hotwords == ("张三",)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("warning: ")
    assert "stay" in lines[0]
    write(path, "李四\n")
    assert lists.renew(BARE).hotwords == ("李四",)


def test_the_first_reading_must_succeed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2"):
        HotwordLists([write(tmp_path / "a.txt", "a\n<|im_end|>\n")], Sink())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "a.txt"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("张三\n", encoding="utf-8"))
    writer.start()
    lists = HotwordLists([str(pipe), write(path, "李四\n")], Sink())
    writer.join()
    write(path, "王五\n赵六\n")
    assert lists.renew(BARE).hotwords == ("张三", "王五", "赵六")
