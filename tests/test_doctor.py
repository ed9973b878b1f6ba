"""`funasr doctor` as a user meets it, on machines that lack something."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import funasr_cli
from funasr_cli.llama.library import find
from funasr_cli.model_dir import DEMO_MODEL


def doctor(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    root = str(Path(funasr_cli.__file__).parents[1])
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-m", "funasr_cli", "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def by_name(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in report["checks"]}


def test_a_machine_that_can_transcribe() -> None:
    result = doctor("--json")
    assert result.returncode == 0, result
    report = json.loads(result.stdout)
    assert report["can_transcribe"] is True
    checks = by_name(report)
    assert list(checks) == [
        "Python", "packages", "command", "llama.cpp", "devices", "providers", "model", "memory",
        "FFmpeg", "self-test",
    ]  # fmt: skip
    assert checks["llama.cpp"]["facts"]["path"] == str(find().path)
    assert checks["llama.cpp"]["facts"]["deviation"] < 0.05
    assert checks["model"]["facts"]["damaged"] == []
    assert checks["model"]["facts"]["has_ctc"] is True
    assert checks["self-test"]["facts"]["llm_cpu"] > 0
    assert checks["self-test"]["facts"]["encoder_cpu"] > 0
    assert all(bool(check["remedy"]) == (check["status"] != "ok") for check in checks.values())


def test_it_fits_a_screen_and_a_pipe() -> None:
    result = doctor()
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert len(lines) <= 30
    assert lines[-1] == "ready to transcribe"
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def test_a_machine_that_cannot(tmp_path: Path) -> None:
    result = doctor("--llama-bin", str(tmp_path / "缺"), "-m", str(tmp_path / "模型"))
    assert result.returncode == 3
    problems = [line for line in result.stdout.splitlines() if line.startswith("problem")]
    assert len(problems) == 2
    assert "does not exist" in problems[0]
    assert "no such model directory" in problems[1]
    assert "-> leave --llama-bin out" in result.stdout
    assert "-> funasr export FunAudioLLM/Fun-ASR-Nano-2512 -o model" in result.stdout
    assert result.stdout.splitlines()[-1] == "this machine cannot transcribe yet"
    assert "Traceback" not in result.stderr


def test_devices_alone() -> None:
    result = doctor("--devices")
    assert result.returncode == 0
    assert "CPU" in result.stdout
    assert "CPUExecutionProvider" in result.stdout
    assert len(result.stdout.splitlines()) <= 6
    assert doctor("--devices", "--llama-bin", "absent").returncode == 3


def test_retest_forgets_and_tests_again(tmp_path: Path) -> None:
    cache = {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")}
    assert doctor("--devices", **cache).stderr == ""
    assert doctor("--devices", "--retest", **cache).stderr == "forgot 1 verdicts\n"


@pytest.mark.parametrize("garbage", [False, True])
def test_a_model_that_transcribe_refuses(tmp_path: Path, garbage: bool) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO_MODEL, folder)
    (folder / "manifest.json").unlink()
    encoder = next(folder.glob("*Encoder*"))
    if garbage:
        encoder.write_bytes(bytes(10_000))
    result = doctor("-m", str(folder))
    assert result.returncode == 3
    assert re.search(rf"^ +model: .*{encoder.name}", result.stdout, re.MULTILINE)
    assert result.stdout.splitlines()[-1] == "this machine cannot transcribe yet"


def test_threads_that_mean_nothing() -> None:
    result = doctor("--threads", "100000")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("content", ["raise OSError('boom')", ""])
def test_a_broken_numpy(tmp_path: Path, content: str) -> None:
    numpy = tmp_path / "numpy" / "__init__.py"
    numpy.parent.mkdir()
    numpy.write_text(content)
    path = os.pathsep.join([str(tmp_path), str(Path(funasr_cli.__file__).parents[1])])
    result = doctor(PYTHONPATH=path)
    assert result.returncode == 3
    assert "-> pip install --force-reinstall numpy\n" in result.stdout
    assert "FFmpeg" in result.stdout
    checks = by_name(json.loads(doctor("--json", PYTHONPATH=path).stdout))
    assert [name for name, check in checks.items() if check["status"] == "problem"] == ["packages"]
    assert doctor("--devices", PYTHONPATH=path).returncode == 3


def test_a_half_installed_onnxruntime(tmp_path: Path) -> None:
    (tmp_path / "onnxruntime").mkdir()
    path = os.pathsep.join([str(tmp_path), str(Path(funasr_cli.__file__).parents[1])])
    (tmp_path / "onnxruntime" / "__init__.py").write_text("")
    result = doctor("--json", PYTHONPATH=path)
    assert result.returncode == 3
    checks = by_name(json.loads(result.stdout))
    assert checks["packages"]["text"].endswith("onnxruntime is only half installed")
    assert checks["packages"]["remedy"].endswith("&& pip install onnxruntime")
    assert checks["llama.cpp"]["status"] == "ok"
    assert checks["providers"]["text"] == "none"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
@pytest.mark.parametrize(
    ("rest", "code", "lines"),
    [(">/dev/full", 4, 1), ("--json >/dev/full", 4, 1), (">&-", 4, 1), ("| head -1", 0, 0)],
)
def test_a_stdout_that_takes_nothing(rest: str, code: int, lines: int) -> None:
    if "full" in rest and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    root = str(Path(funasr_cli.__file__).parents[1])
    script = f'"{sys.executable}" -m funasr_cli doctor --devices {rest}; exit ${{PIPESTATUS[0]}}'
    result = subprocess.run(  # noqa: S603 - our own code
        ["bash", "-c", script],  # noqa: S607
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (result.returncode, result.stderr.count("\n")) == (code, lines), result.stderr
