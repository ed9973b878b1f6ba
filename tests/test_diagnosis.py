"""Each check of `funasr doctor`."""

import json
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from funasr_cli import diagnosis
from funasr_cli.diagnosis import machine, model, runtimes
from funasr_cli.diagnosis.checks import Check, Diagnosis, gigabytes
from funasr_cli.errors import LibraryError
from funasr_cli.llama import proving
from funasr_cli.llama.choice import Choice
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import DeviceVerdict, LibraryReport
from funasr_cli.llama.workload import Workload
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir
from funasr_cli.options import RuntimeOptions

GPU = Device("Vulkan0", "Intel(R) Arc(TM)", "gpu", free=2 * 10**9, total=8 * 10**9)
CPU = Device("CPU", "a processor", "cpu", free=10**9, total=10**10)


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
    assert check.remedy.endswith("funasr export FunAudioLLM/Fun-ASR-Nano-2512 -o model")


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
    assert "another program" in check.text
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
    found = Found(Path("x"), "")
    text = runtimes.check_devices(found, report(GPU, CPU)).text
    assert "Vulkan0: Intel(R) Arc(TM) (GPU, 2.0 GB of 8.0 GB free)" in text
    assert "no GPU" not in text
    assert "no GPU" in runtimes.check_devices(find(), report(CPU)).text


def test_a_library_with_parts_that_fail_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "libggml-vulkan.so cannot be used: needs libvulkan.so.1"
    monkeypatch.setattr(runtimes, "prove_library", lambda _, **__: report(CPU, problems=(told,)))
    *_, check = runtimes.find_library(None)
    assert (check.status, told in check.text) == ("note", True)
    monkeypatch.setattr(runtimes, "prove_library", lambda _, **__: report(CPU, layout="M3+?"))
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
    chosen = Choice(report(GPU, CPU), GPU if verdict.works else None)
    monkeypatch.setattr(runtimes, "choose", lambda *_: chosen)
    files, found = open_model_dir(DEMO_MODEL), Found(Path("x"), "")
    check = runtimes.self_test(found, report(GPU, CPU), files, RuntimeOptions())
    assert check.status == status
    assert words in check.text
    assert f"auto: {'Vulkan0' if verdict.works else 'CPU'}" in check.text.splitlines()
    assert ("--retest" in check.remedy) == (status == "note")


def test_a_model_that_llama_cpp_cannot_load(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + bytes(100))
    files = replace(open_model_dir(DEMO_MODEL), decoder=broken)
    check = runtimes.self_test(find(), report(CPU), files, RuntimeOptions())
    assert check.status == "problem"
    assert "llama.cpp cannot load it" in check.text


@pytest.mark.parametrize(("least", "threads"), [(10**9, 1), (0, 3)])
def test_threads_are_those_of_transcribe(
    monkeypatch: pytest.MonkeyPatch, least: int, threads: int
) -> None:
    def time_cpu(_: Found, workload: Workload, **__: object) -> float:
        assert workload.threads == threads
        return 0.01

    monkeypatch.setattr(runtimes, "SMALL_LLM_BYTES", least)
    monkeypatch.setattr(runtimes, "time_cpu", time_cpu)
    files = open_model_dir(DEMO_MODEL)
    check = runtimes.self_test(find(), report(CPU), files, RuntimeOptions(threads=3))
    assert check.facts["llm_threads"] == threads
    assert check.facts["auto"] == "CPU"


def test_what_is_remembered_of_a_library_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    runtimes.find_library(None)

    def prove(_: Found, *, fresh: bool) -> LibraryReport:
        assert fresh
        return report(GPU, CPU)

    monkeypatch.setattr(runtimes, "prove_library", prove)
    *_, check = runtimes.find_library(None)
    assert check.facts["backends"] == ["vulkan", "cpu"]
    assert "backends: vulkan, cpu" in check.text


def test_runtime_which_does_not_recall(monkeypatch: pytest.MonkeyPatch) -> None:
    from funasr_cli.cli.runtime import which

    def prove(_: Found, *, fresh: bool) -> LibraryReport:
        assert fresh
        raise LibraryError("tried")

    monkeypatch.setattr(proving, "prove_library", prove)
    with pytest.raises(LibraryError, match="tried"):
        which()


def test_where_no_test_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "can_run", lambda: False)
    _, told, check = runtimes.find_library(None)
    assert (told, check.status) == (None, "note")
    assert "untested" in check.text


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
