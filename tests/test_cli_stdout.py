"""What becomes of a command of which nobody can read the output."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import ROOT

FULL = Path("/dev/full")
"""A device on which there is no room."""
COMMANDS = ("--version", "--help", "transcribe --help", "config show transcribe")


def told(command: str, stdout: int) -> tuple[int, str]:
    """Run a command with an stdout of its own; return the exit code and stderr."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("FUNASR_")}
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "funasr_cli", *command.split()],
        env={**variables, "PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    return result.returncode, result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_gone_is_no_failure(command: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert told(command, writing) == (0, "")
    finally:
        os.close(writing)


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_one_line(command: str) -> None:
    with FULL.open("wb") as full:
        code, stderr = told(command, full.fileno())
    assert (code, stderr.count("\n")) == (4, 1)
    assert stderr.startswith("funasr: stdout: cannot be written (")


@pytest.mark.skipif(sys.platform == "win32", reason="no sh")
def test_a_closed_stdout_is_one_line() -> None:
    script = f'"{sys.executable}" -m funasr_cli --version >&-'
    result = subprocess.run(  # noqa: S602 - our own words
        script,
        shell=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert result.returncode == 4
    assert result.stderr.startswith("funasr: stdout: cannot be written (")
    assert result.stderr.count("\n") == 1
