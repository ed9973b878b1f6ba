"""Shell completion: what fits, in which shell, and how it is installed."""

import os
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_cli import ROOT, funasr, one_line
from typer.main import get_command

from funasr_cli.cli.app import app
from funasr_cli.cli.complete import complete
from funasr_cli.cli.completion_scripts import SCRIPTS

AT_A_TERMINAL = """
import fcntl, os, struct, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
os.execvp(sys.argv[1], sys.argv[1:])
"""
STRAY = "source other.sh  # \udcff not UTF-8"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return funasr(*arguments, cwd=None, stdin=None, **environment)


def values(*words: str) -> list[str]:
    """Complete the last of the words."""
    return [one.value for one in complete(get_command(app), words[:-1], words[-1])]


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (["tr"], ["transcribe"]),
        (["runtime", "in"], ["install"]),
        (["transcribe", "--hotword-re"], ["--hotword-recall", "--hotword-replace"]),
        (["transcribe", "--no-hot"], ["--no-hotword-recall"]),
        (["transcribe", "a.wav", "-f", "tx"], ["txt"]),
        (["transcribe", "a.wav", "-f", "txt,s"], ["txt,srt"]),
        (["transcribe", "--format=j"], ["--format=json"]),
        (["transcribe", "--format", "=", "j"], ["json"]),
        (["transcribe", "-l", "中"], ["中文"]),
        (["transcribe", "-l", "jap"], ["japanese"]),
        (["transcribe", "-q", "--device", "v"], ["vulkan"]),
        (["export", ".", "--ctc-type", ""], ["int8", "fp32"]),
        (["completion", "install", "z"], ["zsh"]),
        (["runtime", "use", ""], ["none"]),
        (["talk.mp3", "--dev"], ["--device"]),
        (["-l", "zh", "--dev"], ["--device"]),
        (["transcribe", "a.wav", "-f", "vtt,ht"], ["vtt,html"]),
        # files: the shell's own
        (["transcribe", "ta"], []),
        (["transcribe", "--model", "mo"], []),
        (["transcribe", "--", "--he"], []),
        # a value that looks like a command is none
        (["transcribe", "--context", "doctor", "--dev"], ["--device"]),
    ],
)
def test_what_fits(words: list[str], fits: list[str]) -> None:
    assert values(*words) == fits


def test_all_options_have_their_meaning(monkeypatch: pytest.MonkeyPatch) -> None:
    command = get_command(app)
    assert all(one.meaning for one in complete(command, ["transcribe"], "--"))
    monkeypatch.setenv("FUNASR_LANG", "zh")
    meanings = {one.value: one.meaning for one in complete(command, ["transcribe"], "--")}
    assert meanings["--quiet"] == "只输出数据、警告和错误"


def test_the_shell_asks_the_program() -> None:
    result = funasr("transcribe", "--devi", _FUNASR_COMPLETE="zsh")
    assert result.stdout.startswith("--device\tauto (a GPU")
    empty = funasr("runtime", _FUNASR_COMPLETE="powershell", _FUNASR_WORD="")
    assert empty.stdout.splitlines()[0].startswith("install\t")


def start(shell: str, home: Path) -> "Terminal":
    """Start a shell in which `funasr` is this program."""
    program = home / "bin" / "funasr"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m funasr_cli "$@"\n')
    program.chmod(0o755)
    (home / "talk one.wav").touch()
    environment = {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb" if shell == "bash" else "xterm",
    }
    installed = run("completion", "install", shell, **environment)
    assert installed.returncode == 0, installed.stderr
    return Terminal([shell, "-i"], environment, home)


class Terminal:
    """A shell with a keyboard."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        import pty

        mine, other = pty.openpty()
        self._keys = mine
        self.process = subprocess.Popen(  # noqa: S603 - a shell
            [sys.executable, "-c", AT_A_TERMINAL, *command],
            env=environment,
            cwd=folder,
            stdin=other,
            stdout=other,
            stderr=other,
            start_new_session=True,
        )
        os.close(other)
        self.shown = ""

    def press(self, keys: str, expected: str) -> None:
        """Type, and wait for what must come; Tab waits until the words before it stand there."""
        words = keys.removesuffix("\t")
        os.write(self._keys, words.encode())
        if words != keys:
            self._await(words)
            time.sleep(0.2)  # fish takes a Tab that comes with other keys for pasted text
            os.write(self._keys, b"\t")
        self._await(expected)

    def _await(self, expected: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self._keys], [], [], 0.1)[0]:
                try:
                    part = os.read(self._keys, 65536)
                except OSError:  # the shell has ended
                    break
                if b"\x1b[c" in part:  # fish asks what kind of terminal this is
                    os.write(self._keys, b"\x1b[?62;c")
                self.shown += part.decode("utf-8", "replace")
            plain = re.sub(r"\x1b(\[[\d;?]*\w|\(B)|[\r\b]", "", self.shown)
            if expected in re.sub(" +", " ", plain):  # zsh writes a space, goes back, writes it
                return
        raise AssertionError(f"{expected!r} did not come: {self.shown!r}")

    def close(self) -> None:
        """End the shell."""
        self.process.kill()
        self.process.wait()
        os.close(self._keys)


@pytest.mark.skipif(sys.platform == "win32", reason="no pty")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_in_a_real_shell(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    terminal = start(shell, tmp_path)
    try:
        terminal.press("echo rea''dy\r", "ready")
        terminal.press("funasr tra\t", "funasr transcribe")
        terminal.press("--devi\t", " --device")
        terminal.press("vu\t", "--device vulkan")
        terminal.press("-f txt,s\t", "-f txt,srt")
        terminal.press("talk\t", "talk\\ one.wav")
    finally:
        terminal.close()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_installing_twice_leaves_one_line_and_the_rest_alone(shell: str, tmp_path: Path) -> None:
    name = ".bash_profile" if shell == "bash" and sys.platform == "darwin" else f".{shell}rc"
    rc = tmp_path / name
    rc.write_bytes(STRAY.encode("utf-8", "surrogateescape") + b"\n")
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "it's data")}
    for _ in range(2):
        assert run("completion", "install", shell, **home).returncode == 0
    lines = rc.read_bytes().decode("utf-8", "surrogateescape").splitlines()
    assert lines[0] == STRAY
    assert len(lines) == 2
    script = next((tmp_path / "it's data").rglob(f"funasr.{shell}"))
    assert script.read_text(encoding="utf-8") == SCRIPTS[shell]
    if shutil.which(shell):
        told = subprocess.run(  # noqa: S603 - a shell
            [shell, "-c", f"{lines[1]}\ntype _funasr_completion"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "function" in told.stdout, told.stderr


def test_fish_needs_no_line(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert run("completion", "install", "fish", **home).returncode == 0
    script = tmp_path / "config" / "fish" / "conf.d" / "funasr.fish"
    assert script.read_text(encoding="utf-8") == SCRIPTS["fish"]


@pytest.mark.skipif(sys.platform == "win32", reason="a PowerShell written in sh")
def test_powershell_is_asked_for_its_profile(tmp_path: Path) -> None:
    profile = tmp_path / "文档" / "profile.ps1"
    program = tmp_path / "bin" / "pwsh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho '{profile}'\n", encoding="utf-8")
    program.chmod(0o755)
    home = {
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
    }
    for _ in range(2):
        assert run("completion", "install", "pwsh", **home).returncode == 0
    script = tmp_path / "funasr-cli" / "completion" / "funasr.ps1"
    line = f"if (Test-Path '{script}') {{ . '{script}' }}  # funasr completion\n"
    assert profile.read_text(encoding="utf-8") == line
    assert "ExecutionPolicy" not in script.read_text(encoding="utf-8")


def test_a_shell_that_is_missing_or_unknown_is_told(tmp_path: Path) -> None:
    nowhere = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    assert "profile" in one_line(run("completion", "install", "pwsh", **nowhere), 3)
    assert funasr("completion", "install", "tcsh").returncode == 2
    (tmp_path / ".bashrc").mkdir()
    if sys.platform != "darwin":
        told = one_line(run("completion", "install", "bash", **nowhere), 4)
        assert ".bashrc" in told


@pytest.mark.parametrize("shell", SCRIPTS)
def test_show_prints_the_script(shell: str) -> None:
    assert funasr("completion", "show", shell).stdout == SCRIPTS[shell]
