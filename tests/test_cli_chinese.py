"""The Chinese command line as a user meets it."""

import json
import os
import pty
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import typer
from sounds import tone, write_sound
from test_architecture import EXPORT_ONLY, HEAVY, python
from test_cli import ROOT, funasr, one_line

from funasr_cli.cli.help_pages import display_width
from funasr_cli.cli.start import run


def chinese(*arguments: str | Path, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return funasr(*arguments, cwd=cwd, FUNASR_LANG="zh", COLUMNS="80")


COMMANDS = [
    [],
    ["transcribe"],
    ["export"],
    ["doctor"],
    ["runtime"],
    ["runtime", "install"],
    ["hotwords", "test"],
    ["bench", "decode"],
    ["completion", "install"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_is_chinese_and_lines_up(command: list[str]) -> None:
    result = chinese(*command, "--help")
    assert result.returncode == 0, result.stderr
    page = result.stdout
    assert page.startswith(f"用法：{' '.join(['funasr', *command])} ")
    assert "显示此帮助信息并退出。" in page
    for english in ("Usage", "Options", "Show this", "Exit codes", "Default", "required"):
        assert english not in page
    for line in page.splitlines():
        assert display_width(line) <= 80 or "https://" in line or "funasr" in line, line
    # the second column of the options begins at one place
    options = page.partition("选项：\n")[2].partition("\n\n")[0].splitlines()
    starts = {
        display_width(line) - display_width(line.lstrip().split("  ", 1)[1].lstrip())
        for line in options
        if "  " in line.strip() and line.startswith("  -")
    }
    assert len(starts) == 1, options


def test_english_is_what_it_was() -> None:
    page = funasr("transcribe", "--help").stdout
    assert page.startswith("Usage: funasr transcribe [OPTIONS]")
    assert not any(character >= "\u3400" for character in re.sub("中文|[，。]", "", page))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["transcribe", "a.wav", "--nonsense"], "没有选项 --nonsense"),
        (["transcribe"], "缺少参数 'AUDIO'；见 funasr transcribe --help"),
        (["nonsense"], "没有这个命令或文件：'nonsense'；用 funasr --help 查看所有命令"),
        (["trascribe"], "没有这个命令或文件：'trascribe'；是不是想写 transcribe？"),
        (["transcribe", "a", "--thread", "1"], "没有选项 --thread；是不是想写 --threads 或 "),
        (["transcribe", "a", "--threads", "x"], "'-t' / '--threads' 的值无效：应为整数"),
        (["runtime", "use", "a", "b"], "多余的参数（b）；见 funasr runtime use --help"),
        (["export", ".", "-o", "x", "--ctc-type", "y"], "--ctc-type y：可选 int8, fp32"),
    ],
)
def test_wrong_usage(arguments: list[str], told: str) -> None:
    assert told in one_line(chinese(*arguments), 2)


def test_what_click_itself_says_is_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that do not refuse by themselves: Click's own page, with usage and hint."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command()
    def count(number: int) -> None:
        raise AssertionError(number)

    monkeypatch.setenv("FUNASR_LANG", "zh")
    monkeypatch.setattr(sys, "argv", ["funasr", "--nonsense"])
    told = StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    with pytest.raises(SystemExit) as left:
        run(app)
    assert left.value.code == 2
    first, hint, _, error = told.getvalue().splitlines()
    assert first.startswith("用法：funasr [OPTIONS] ")
    assert hint == "运行 'funasr --help' 查看帮助。"
    assert error == "错误：没有选项 --nonsense"


def test_errors_keep_their_form_and_code(tmp_path: Path) -> None:
    assert one_line(chinese("transcribe", "没有.wav"), 4) == "funasr: 没有.wav：文件不存在"
    assert "未知的语言 'klingon'" in one_line(chinese("transcribe", "a", "-l", "klingon"), 2)
    wrong = one_line(chinese("transcribe", "a", "-m", tmp_path / "x", cwd=tmp_path), 4)
    assert "文件不存在" in wrong


def test_a_group_without_a_command_shows_its_help() -> None:
    english, translated = funasr("runtime"), chinese("runtime")
    assert english.returncode == translated.returncode
    assert "命令：" in translated.stdout + translated.stderr


def test_data_is_the_same_in_both_languages(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", tone(1.0), codec="pcm_s16le")
    names = tmp_path / "names.txt"
    names.write_text("北京\n北京\n背景 ^2.0\n", encoding="utf-8")
    for arguments in (["hotwords", "check", str(names)], ["runtime", "list", "--json"]):
        assert chinese(*arguments).stdout == funasr(*arguments).stdout != ""
    english, translated = (
        speak("transcribe", sound, "--json", "-t", "1") for speak in (funasr, chinese)
    )
    objects = [json.loads(one.stdout) for one in (english, translated)]
    for one in objects:
        del one["timings"]
    assert objects[0] == objects[1]
    assert "demo model" in english.stderr
    assert "funasr export FunAudioLLM/Fun-ASR-Nano-2512 -o model" in english.stderr
    assert "演示模型" in translated.stderr
    assert "合计" in translated.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
def test_tables_are_chinese_on_a_terminal(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("short\nshort\n", encoding="utf-8")
    mine, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FUNASR_LANG": "zh", "TERM": "dumb"}
    command = [sys.executable, "-m", "funasr_cli", "hotwords", "check", str(names)]
    with subprocess.Popen(command, env=environment, stdout=other, stderr=other) as process:  # noqa: S603
        os.close(other)
        shown = b""
        try:
            while part := os.read(mine, 4096):
                shown += part
        except OSError:  # Linux: the other end is closed
            pass
    os.close(mine)
    assert process.returncode == 0
    page = shown.decode()
    assert "说明" in page
    assert "出现了 2 次" in page
    assert "重复" in page
    assert " short " in page, "a word of the user's is no kind of finding"


def test_help_in_chinese_loads_no_more_than_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import sys
from funasr_cli.__main__ import main
try:
    main()
except SystemExit:
    pass
print('LOADED', *sys.modules)
"""
    loaded = {}
    for language in ("en", "zh"):
        monkeypatch.setenv("FUNASR_LANG", language)
        loaded[language] = set(python(code, "--help").rpartition("LOADED")[2].split())
        assert not {*HEAVY, *EXPORT_ONLY} & loaded[language]
    assert "funasr_cli.cli.messages.catalogue" not in loaded["en"]
    roots = {language: {name.split(".")[0] for name in loaded[language]} for language in loaded}
    assert roots["zh"] - roots["en"] <= {"unicodedata"}
