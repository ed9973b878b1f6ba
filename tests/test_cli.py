"""The command line as a user meets it: exit codes, streams, messages. No model needed here."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from sounds import tone, write_sound

import funasr_cli

ROOT = Path(funasr_cli.__file__).parent.parent
"""Where the package under test is, which may be installed; the samples are beside the tests."""
SAMPLES = Path(__file__).resolve().parents[1] / "samples"


def funasr(
    *arguments: str | Path,
    cwd: Path | None = None,
    stdin: Path | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FUNASR_")}
    with stdin.open("rb") if stdin else nullcontext() as stream:
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
            env={**variables, "PYTHONPATH": str(ROOT), **environment},
            cwd=cwd,
            stdin=stream,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
        )


def one_line(result: subprocess.CompletedProcess[str], code: int) -> str:
    """Assert the house's form of a failure; return its message."""
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("funasr: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_names_the_commands_and_exit_codes() -> None:
    result = funasr("--help")
    assert result.returncode == 0
    for word in ("transcribe", "export", "130"):
        assert word in result.stdout
    assert funasr("--version").stdout.startswith("funasr-cli ")


def test_a_wrong_option_is_usage() -> None:
    result = funasr("transcribe", "a.wav", "--nonsense")
    assert result.returncode == 2
    assert "--nonsense" in result.stderr


def test_a_missing_input_is_told_before_any_model_is_loaded(tmp_path: Path) -> None:
    message = one_line(funasr("transcribe", tmp_path / "没有.wav", "-m", "nowhere"), 4)
    assert "没有.wav: no such file" in message


def test_a_folder_is_told_the_command_for_folders(tmp_path: Path) -> None:
    """Before any model: the one that is named does not exist."""
    (tmp_path / "my rec").mkdir()
    message = one_line(funasr("my rec", "-m", "nowhere", cwd=tmp_path), 4)
    command = "funasr batch 'my rec' -r -o OUTPUT_DIR"
    assert message == f"funasr: my rec: is a folder; for all recordings in it: {command}"
    shown = one_line(funasr("my rec", "没有.wav", cwd=tmp_path, FUNASR_LANG="zh"), 4)
    assert "是文件夹" in shown
    assert command in shown
    assert "没有.wav" in shown


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--lang", "klingon"], 2, "unknown language 'klingon'"),
        (["--start", "soon"], 2, "--start soon: not a time"),
        (["-f", "srtt"], 2, "did you mean srt"),
        (["-t", "0"], 2, "value for '-t' / '--threads': expected 1 or more; see"),
        (["-t", "x"], 2, "value for '-t' / '--threads': expected a whole number; see"),
        (["--overlap", "x"], 2, "value for '--overlap': expected a number; see"),
        (["--max-line-width", "0"], 2, "funasr: --max-line-width is 0.0; expected 1 or more"),
        (
            ["--max-duration", "1", "--min-duration", "2"],
            2,
            "funasr: --max-duration is 1.0, less than --min-duration, 2.0",
        ),
        (["--output-template", "{filenam}"], 2, "did you mean {filename}?"),
        (["-o", "source", "--output-template", "{parent}/x"], 2, "leave one of them out"),
        (["-f", "talk.mp3"], 2, "name the recording alone"),
        (["-m", "nowhere"], 3, "nowhere: no such model directory; export the model with: funasr"),
        (["-m", "Some/Model-2"], 3, "export the model with: funasr export Some/Model-2 -o model"),
        (["-m", "no/where/model"], 3, "export FunAudioLLM/Fun-ASR-Nano-2512 -o model"),
        (["--hotwords", "no/such/list.txt"], 4, "list.txt"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, options: list[str], code: int, words: str
) -> None:
    sound = write_sound(tmp_path / "a.wav", tone(0.5), codec="pcm_s16le")
    assert words in one_line(funasr("transcribe", sound, *options, cwd=tmp_path), code)


def test_a_folder_without_a_model_is_told_apart_from_no_folder(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", tone(0.5), codec="pcm_s16le")
    message = one_line(funasr("transcribe", sound, "-m", tmp_path), 3)
    assert "is not a model directory" in message


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = funasr("transcribe", tmp_path / "x.wav", FUNASR_DEBUG="1")
    assert result.returncode == 4
    assert "Traceback" in result.stderr


def test_an_export_of_nothing_says_what_is_missing(tmp_path: Path) -> None:
    message = one_line(funasr("export", tmp_path / "nothing", "-o", tmp_path / "out"), 3)
    assert "nothing" in message or "funasr-cli[export]" in message
    assert not (tmp_path / "out").exists()


def test_output_is_utf_8_whatever_the_locale(tmp_path: Path) -> None:
    result = funasr("transcribe", tmp_path / "录音.wav", LC_ALL="C", PYTHONIOENCODING="ascii")
    assert "录音.wav" in result.stderr


def test_what_the_library_calls_an_option_is_not_told(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", tone(0.5), codec="pcm_s16le")
    english = one_line(funasr(sound, "--max-line-width", "0"), 2)
    assert english == "funasr: --max-line-width is 0.0; expected 1 or more"
    chinese = one_line(funasr(sound, "--max-line-width", "0", FUNASR_LANG="zh"), 2)
    assert "--max-line-width" in chinese
    assert not any(word in chinese for word in ("max_line_width", "None", "expected"))
    origin = one_line(funasr(sound, FUNASR_MAX_LINE_WIDTH="0"), 2)
    assert origin.endswith("(max_line_width comes from FUNASR_MAX_LINE_WIDTH)")
    assert "expected 1 or more" in one_line(funasr(sound, FUNASR_THREADS="0"), 2)
