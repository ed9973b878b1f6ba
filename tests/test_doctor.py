"""`funasr doctor`, and each of its checks on machines that lack something."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import funasr_cli
from funasr_cli import diagnosis
from funasr_cli.diagnosis import machine, model, runtimes
from funasr_cli.diagnosis.checks import Check, Diagnosis, gigabytes
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import DeviceVerdict, LibraryReport, Workload
from funasr_cli.memory import available_bytes
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir

GPU = Device("Vulkan0", "Intel(R) Arc(TM)", "gpu", free=2 * 10**9, total=8 * 10**9)
CPU = Device("CPU", "a processor", "cpu", free=10**9, total=10**10)


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
    assert result.stdout.count("-> funasr ") >= 2
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


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO_MODEL, folder)
    encoder = next(folder.glob("*Encoder*"))
    content = bytearray(encoder.read_bytes())
    content[-5] ^= 0xFF
    encoder.write_bytes(content)
    files, check = model.check_model(folder)
    assert files is not None
    assert check.status == "problem"
    assert encoder.name in check.text
    assert check.remedy.endswith("funasr export CHECKPOINT_DIR -o MODEL_DIR")


def test_a_model_without_ctc_is_noted(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(DEMO_MODEL, folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["ctc"] = manifest["tokens"] = manifest["model"]["ctc_vocab"] = None
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    _, check = model.check_model(folder)
    assert check.status == "note"
    assert "no CTC head" in check.text
    assert "ModelScope" in check.remedy


@pytest.mark.parametrize(("free", "status"), [(None, "ok"), (10**8, "note"), (10**11, "ok")])
def test_memory(monkeypatch: pytest.MonkeyPatch, free: int | None, status: str) -> None:
    monkeypatch.setattr(model, "available_bytes", lambda: free)
    check = model.check_memory(open_model_dir(DEMO_MODEL))
    assert check.status == status
    assert bool(check.remedy) == (status == "note")


def test_free_memory_can_be_told() -> None:
    free = available_bytes()
    assert free is not None
    assert free > 10**7


def command(folder: Path, text: str) -> Path:
    folder.mkdir()
    path = folder / ("funasr.exe" if sys.platform == "win32" else "funasr")
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_official_package_first_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = command(tmp_path / "official", "from funasr.cli import main\n")
    ours = command(tmp_path / "ours", "from funasr_cli.__main__ import main\n")
    monkeypatch.setenv("PATH", os.pathsep.join([str(official.parent), str(ours.parent)]))
    check = machine.check_command()
    assert check.status == "note"
    assert str(official) in check.text
    assert check.remedy.startswith("funasr-cli ")
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours.parent), str(official.parent)]))
    check = machine.check_command()
    assert check.status == "ok"
    assert check.facts["found"] == [str(ours), str(official)]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "python -m funasr_cli" in machine.check_command().remedy


def test_a_package_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    check = machine.check_packages()
    assert check.status == "problem"
    assert "av cannot be imported" in check.text
    assert check.remedy == "pip install --force-reinstall av"
    assert machine.check_ffmpeg().facts == {"inside": "unknown"}


def test_a_narrow_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("struct.calcsize", lambda _: 4)
    assert machine.check_python().status == "problem"


def report(
    *devices: Device, problems: tuple[str, ...] = (), layout: str = "M3+C7"
) -> LibraryReport:
    return LibraryReport("ggml 1", layout, devices, problems)


def test_devices_are_described() -> None:
    text = runtimes.check_devices(report(GPU, CPU)).text
    assert "Vulkan0: Intel(R) Arc(TM) (GPU, 2.0 GB of 8.0 GB free)" in text
    assert "no GPU" not in text
    assert "no GPU" in runtimes.check_devices(report(CPU)).text


def test_a_library_with_parts_that_fail_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "libggml-vulkan.so cannot be used: needs libvulkan.so.1"
    monkeypatch.setattr(runtimes, "prove_library", lambda _: report(CPU, problems=(told,)))
    *_, check = runtimes.find_library(None)
    assert (check.status, told in check.text) == ("note", True)
    monkeypatch.setattr(runtimes, "prove_library", lambda _: report(CPU, layout="M3+?"))
    *_, check = runtimes.find_library(None)
    assert "minimal settings" in check.text


@pytest.mark.parametrize(
    ("verdict", "status", "words"),
    [
        (DeviceVerdict(GPU, works=True, deviation=0.012, device_s=0.02), "ok", "20 ms, 1.2% off"),
        (
            DeviceVerdict(GPU, works=True, environment={"GGML_VK_DISABLE_F16": "1"}),
            "ok",
            "with GGML_VK_DISABLE_F16=1",
        ),
        (DeviceVerdict(GPU, works=False, reason="its numbers overflow"), "note", "not usable: its"),
    ],
)
def test_self_test_of_a_gpu(
    monkeypatch: pytest.MonkeyPatch, verdict: DeviceVerdict, status: str, words: str
) -> None:
    monkeypatch.setattr(runtimes, "prove_device", lambda *_, **__: verdict)
    monkeypatch.setattr(runtimes, "time_cpu", lambda *_, **__: 0.01)
    check = runtimes.self_test(Found(Path("x"), ""), report(GPU, CPU), Workload(Path("m"), 1), None)
    assert check.status == status
    assert words in check.text
    assert ("--retest" in check.remedy) == (status == "note")


def test_a_model_that_llama_cpp_cannot_load(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    found, checked = find(), report(CPU)
    check = runtimes.self_test(found, checked, Workload(broken, 1), None)
    assert check.status == "problem"
    assert "llama.cpp cannot load it" in check.text


def test_an_infinite_deviation_is_printable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from funasr_cli.cli.doctor import doctor as command_

    check = Check("self-test", "note", "x", "y", {"deviation": float("inf"), "n": [float("nan")]})
    monkeypatch.setattr(diagnosis, "diagnose", lambda *_: iter([check]))
    command_(as_json=True)
    facts = json.loads(capsys.readouterr().out)["checks"][0]["facts"]
    assert facts == {"deviation": "inf", "n": ["nan"]}


def test_the_verdict_is_that_of_the_checks() -> None:
    fine, note = Check("a", "ok", ""), Check("b", "note", "")
    assert Diagnosis((fine, note)).can_transcribe
    assert not Diagnosis((fine, Check("c", "problem", ""))).can_transcribe


def test_sizes() -> None:
    assert [gigabytes(n) for n in (936e6, 2.6e6)] == ["0.9 GB", "2.6 MB"]
