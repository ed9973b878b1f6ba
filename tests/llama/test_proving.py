"""Libraries and devices that pass, fail, crash and change; without a GPU: trials are scripted."""

import dataclasses
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time
from typing import Any

import pytest

from funasr_cli import verdicts
from funasr_cli.device_names import parse_device
from funasr_cli.errors import LibraryError
from funasr_cli.llama import choice, cpu, process, proving
from funasr_cli.llama.choice import Choice, DeviceOptions, choose
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import COOPMAT_OFF, F16_OFF, NO_GPU
from funasr_cli.llama.workload import ALL_LAYERS, Workload
from funasr_cli.trials import Outcome
from funasr_cli.verdicts import Verdicts

ARC = Device("Vulkan1", "Intel(R) Arc(TM)", "gpu", 8, 8)
IRIS = Device("Vulkan0", "Intel(R) Iris(R)", "igpu", 16, 16)
CPU = Device("CPU", "a processor", "cpu", 32, 32)
CRASH = Outcome(None, "it crashed with SIGILL (Illegal instruction)", crashed=True)

Job = Mapping[str, Any]
Script = Callable[[str, Job, Mapping[str, str]], Outcome]


def library_outcome(*devices: Device, deviation: float = 0.01) -> Outcome:
    return Outcome(
        {
            "version": "ggml 1.2.3, layout M3+C7",
            "layout": "M3+C7",
            "warning": None,
            "problems": [],
            "devices": [dataclasses.asdict(device) for device in devices],
            "deviation": deviation,
        }
    )


def device_outcome(
    deviation: float, *, device_s: float = 0.1, cpu_s: float = 0.5, noise: float = 0.001
) -> Outcome:
    return Outcome({"deviation": deviation, "noise": noise, "cpu_s": cpu_s, "device_s": device_s})


class Bench:
    """A library file, a model file, a cache, and a script for what the trials give."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.library = root / "库 dir" / "libllama.so"
        self.library.parent.mkdir()
        self.library.write_bytes(b"library")
        self.model = root / "model.gguf"
        self.model.write_bytes(b"model")
        self.verdicts = Verdicts(root / "cache")
        self.trials: list[tuple[str, dict[str, str]]] = []
        self.told: list[str] = []
        self.script: Script = lambda *_: library_outcome(ARC, IRIS, CPU)
        monkeypatch.setattr(proving, "run_trial", self._run)
        monkeypatch.setattr(proving, "outside_environment", dict)

    def _run(
        self, target: str, job: Job, *, environment: Mapping[str, str], timeout_s: float
    ) -> Outcome:
        assert timeout_s > 0
        name = target.partition(":")[2]
        self.trials.append((job.get("device") or name, dict(environment)))
        return self.script(name, job, environment)

    def on_devices(
        self, *devices: Device, **answers: Callable[[Mapping[str, str]], Outcome]
    ) -> None:
        """Script a library with these devices; `answers` by device name, given the switches."""

        def script(name: str, job: Job, environment: Mapping[str, str]) -> Outcome:
            if name == "try_library":
                return library_outcome(*devices, CPU)
            return answers[job["device"]](environment)

        self.script = script

    def choose(self, device: str = "auto", **options: Any) -> Choice:  # noqa: ANN401
        self.trials.clear()
        return choose(
            Found(self.library, "test"),
            DeviceOptions(parse_device(device), **options),
            Workload(self.model, threads=1),
            verdicts=self.verdicts,
            on_test=self.told.append,
        )


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, monkeypatch)


def good(_: Mapping[str, str]) -> Outcome:
    return device_outcome(0.01)


def overflowing(_: Mapping[str, str]) -> Outcome:
    return device_outcome(float("inf"))


def test_the_real_library_proves_itself_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Verdicts(tmp_path)
    report = proving.prove_library(find(), verdicts=kept)
    assert report.layout == process.start().layout.name
    assert report.version == process.start().version
    assert [d.kind for d in report.devices] == [d.kind for d in process.start().devices()]
    assert not report.problems
    monkeypatch.setattr(proving, "run_trial", None)
    assert proving.prove_library(find(), verdicts=kept) == report


def test_a_real_library_of_something_else_is_refused_in_one_sentence(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("numpy.random._generator")
    assert spec is not None
    with pytest.raises(LibraryError, match=r"it lacks \d+ functions") as error:
        proving.prove_library(Found(Path(spec.origin or ""), "test"), verdicts=Verdicts(tmp_path))
    assert "\n" not in str(error.value)


def test_a_changed_library_proves_itself_again(bench: Bench) -> None:
    found = Found(bench.library, "test")
    for _ in range(2):
        proving.prove_library(found, verdicts=bench.verdicts)
    assert len(bench.trials) == 1
    bench.library.write_bytes(b"another build")
    proving.prove_library(found, verdicts=bench.verdicts)
    assert len(bench.trials) == 2
    proving.prove_library(found, verdicts=bench.verdicts, fresh=True)
    assert len(bench.trials) == 3


def test_another_processor_asks_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found(bench.library, "test")
    proving.prove_library(found, verdicts=bench.verdicts)
    monkeypatch.setattr(cpu, "identity", lambda: "an older one")
    proving.prove_library(found, verdicts=bench.verdicts)
    assert len(bench.trials) == 2


def test_a_crash_is_refused_with_its_signal_and_not_remembered(bench: Bench) -> None:
    bench.script = lambda *_: CRASH
    for _ in range(2):
        with pytest.raises(LibraryError, match=r"SIGILL.*take another build"):
            proving.prove_library(Found(bench.library, "test"), verdicts=bench.verdicts)
    assert [environment for _, environment in bench.trials] == [{}, NO_GPU] * 2


def test_wrong_numbers_are_refused(bench: Bench) -> None:
    bench.script = lambda *_: library_outcome(CPU, deviation=0.9)
    with pytest.raises(LibraryError, match="wrong numbers"):
        proving.prove_library(Found(bench.library, "test"), verdicts=bench.verdicts)
    bench.script = lambda *_: library_outcome(CPU, deviation=float("nan"))
    with pytest.raises(LibraryError, match="wrong numbers"):
        proving.prove_library(Found(bench.library, "test"), verdicts=bench.verdicts)


def test_a_driver_that_crashes_costs_the_gpu_alone(bench: Bench) -> None:
    def script(_: str, __: Job, environment: Mapping[str, str]) -> Outcome:
        return library_outcome(CPU) if environment == NO_GPU else CRASH

    bench.script = script
    chosen = bench.choose()
    assert chosen.device is None
    assert dict(chosen.environment) == NO_GPU
    assert "cannot use the GPU, the CPU is used: it crashed with SIGILL" in chosen.warnings[0]
    with pytest.raises(LibraryError, match=r"sees no GPU.*SIGILL.*runtime install --help"):
        bench.choose("vulkan")
    # the driver is mended: asked for by name at once, else after a day
    bench.on_devices(ARC, Vulkan1=good)
    assert bench.choose("vulkan").device == ARC
    assert bench.choose().device == ARC


def test_without_gpu_backends_a_crash_is_not_tried_twice(bench: Bench) -> None:
    (bench.library.parent / "libggml-base.so").touch()
    bench.script = lambda *_: CRASH
    with pytest.raises(LibraryError, match="SIGILL"):
        bench.choose()
    assert len(bench.trials) == 1


def test_a_driver_that_was_installed_since_is_seen(bench: Bench) -> None:
    bench.on_devices()
    with pytest.raises(LibraryError, match="sees no GPU"):
        bench.choose("vulkan")
    bench.on_devices(ARC, Vulkan1=good)
    assert bench.choose("vulkan").device == ARC


def test_a_crash_is_asked_again_after_a_day(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.on_devices(ARC, Vulkan1=lambda _: CRASH)
    assert "SIGILL" in bench.choose().warnings[0]
    bench.on_devices(ARC, Vulkan1=good)
    assert bench.choose().device is None
    now = time()
    monkeypatch.setattr(verdicts, "time", lambda: now + verdicts.A_DAY_S + 60)
    assert bench.choose().device == ARC


def test_a_device_that_hangs_is_not_tried_with_every_switch(bench: Bench) -> None:
    hung = Outcome(None, "it did not answer within 180 s", crashed=True, hung=True)
    bench.on_devices(ARC, Vulkan1=lambda _: hung)
    bench.choose()
    assert len([name for name, _ in bench.trials if name == "Vulkan1"]) == 1


def test_programs_that_can_start_no_test_get_the_cpu(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "can_run", lambda: False)
    chosen = bench.choose("vulkan")
    assert chosen.device is None
    assert "untested" in chosen.warnings[0]
    assert not bench.trials


@pytest.mark.parametrize("kept", [{}, {"devices": None}, {"works": True, "new": 1}])
def test_verdicts_of_another_shape_are_asked_anew(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any]
) -> None:
    bench.on_devices(ARC, Vulkan1=good)
    monkeypatch.setattr(bench.verdicts, "get", lambda *_: kept)
    assert bench.choose().device == ARC


def test_auto_takes_the_discrete_gpu_and_proves_it_once(bench: Bench) -> None:
    bench.on_devices(IRIS, ARC, Vulkan0=good, Vulkan1=good)
    chosen = bench.choose()
    assert (chosen.device, chosen.n_gpu_layers) == (ARC, ALL_LAYERS)
    assert [name for name, _ in bench.trials] == ["try_library", "Vulkan1"]
    assert bench.told[1:] == [
        "testing Vulkan1 (Intel(R) Arc(TM)) against the CPU, once for this model and build"
    ]
    assert bench.choose() == chosen
    assert not bench.trials
    bench.verdicts.clear()
    bench.choose()
    assert len(bench.trials) == 2


@pytest.mark.parametrize("wrong", [float("inf"), float("nan"), 0.4, proving.TOLERANCE * 1.01])
def test_a_gpu_with_wrong_numbers_is_dropped_by_name(bench: Bench, wrong: float) -> None:
    bench.on_devices(ARC, Vulkan1=lambda _: device_outcome(wrong))
    chosen = bench.choose()
    assert chosen.device is None
    (warning,) = chosen.warnings
    assert "Vulkan1 (Intel(R) Arc(TM)) is not used" in warning
    assert "funasr doctor --retest" in warning
    assert bench.choose() == chosen
    assert not bench.trials


def test_a_model_that_makes_much_of_rounding_is_judged_by_its_own_noise(bench: Bench) -> None:
    bench.on_devices(ARC, Vulkan1=lambda _: device_outcome(0.3, noise=0.07))
    assert bench.choose().device == ARC
    bench.verdicts.clear()
    bench.on_devices(ARC, Vulkan1=lambda _: device_outcome(float("inf"), noise=0.5))
    assert bench.choose().device is None


def test_the_next_gpu_takes_its_place(bench: Bench) -> None:
    bench.on_devices(ARC, IRIS, Vulkan1=overflowing, Vulkan0=good)
    chosen = bench.choose()
    assert chosen.device == IRIS
    assert "its numbers overflow" in chosen.warnings[0]


def test_an_explicit_gpu_that_fails_leaves_the_cpu(bench: Bench) -> None:
    bench.on_devices(ARC, IRIS, Vulkan1=lambda _: CRASH, Vulkan0=good)
    chosen = bench.choose("vulkan:1")
    assert chosen.device is None
    assert "it crashed with SIGILL" in chosen.warnings[0]


def test_vulkan_gets_a_chance_with_every_switch(bench: Bench) -> None:
    def only_without_both(environment: Mapping[str, str]) -> Outcome:
        needed = F16_OFF.keys() | COOPMAT_OFF.keys()
        return good({}) if needed <= environment.keys() else overflowing({})

    bench.on_devices(ARC, Vulkan1=only_without_both)
    chosen = bench.choose()
    assert chosen.device == ARC
    assert dict(chosen.environment) == {**F16_OFF, **COOPMAT_OFF}
    assert len(bench.trials) == 5
    assert not chosen.warnings
    assert bench.choose() == chosen


def test_switches_that_the_user_set_are_not_tried_again(bench: Bench) -> None:
    bench.on_devices(ARC, Vulkan1=overflowing)
    bench.choose(f16=False)
    tried = [environment for name, environment in bench.trials if name == "Vulkan1"]
    assert tried == [F16_OFF, {**F16_OFF, **COOPMAT_OFF}]


def test_other_backends_have_no_switches(bench: Bench) -> None:
    bench.on_devices(Device("CUDA0", "H100", "gpu"), CUDA0=overflowing)
    assert bench.choose("cuda").device is None
    assert len(bench.trials) == 2


def test_a_device_without_memory_is_asked_again_next_time(bench: Bench) -> None:
    full = Outcome(None, "model.gguf: llama.cpp cannot load it: out of device memory")
    bench.on_devices(ARC, Vulkan1=lambda _: full)
    assert "out of device memory" in bench.choose().warnings[0]
    assert len(bench.trials) == 2  # and no switch is tried
    bench.on_devices(ARC, Vulkan1=good)
    assert bench.choose().device == ARC


def test_another_model_is_another_question(bench: Bench) -> None:
    bench.on_devices(ARC, Vulkan1=good)
    bench.choose()
    bench.model.write_bytes(b"another model")
    bench.choose()
    assert [name for name, _ in bench.trials] == ["Vulkan1"]


def test_auto_passes_a_software_renderer_over(bench: Bench) -> None:
    bench.on_devices(ARC, Vulkan1=lambda _: device_outcome(0.01, device_s=5.0, cpu_s=0.5))
    chosen = bench.choose()
    assert chosen.device is None
    assert not chosen.warnings
    assert "needs 5 s for what the CPU does in 0.5 s" in bench.told[-1]
    assert bench.choose("vulkan").device == ARC


def test_the_cpu_needs_no_proof_and_hides_the_gpus(bench: Bench) -> None:
    bench.on_devices(ARC)
    for chosen in (bench.choose("cpu"), bench.choose(n_gpu_layers=0)):
        assert chosen.device is None
        assert dict(chosen.environment) == {"GGML_VK_VISIBLE_DEVICES": ""}
    bench.on_devices()
    bench.verdicts.clear()
    assert not bench.choose("cpu").environment


def test_a_gpu_that_is_not_there(bench: Bench) -> None:
    bench.on_devices(ARC)
    with pytest.raises(LibraryError, match=r"--device cuda: .*sees Vulkan1 \(Intel"):
        bench.choose("cuda")
    with pytest.raises(LibraryError, match=r"--device vulkan:3"):
        bench.choose("vulkan:3")


def test_devices_that_came_or_went_are_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered names a GPU that has been unplugged."""
    bench.on_devices(ARC, Vulkan1=good)
    assert bench.choose().device == ARC
    bench.on_devices()
    backend = process.start()
    monkeypatch.setattr(choice, "start", lambda *_: backend)
    monkeypatch.setattr(type(backend), "devices", lambda _: [CPU])
    chosen, placement = choice.open_chosen(
        Found(bench.library, "test"),
        DeviceOptions(parse_device("auto")),
        Workload(bench.model, threads=1),
        verdicts=bench.verdicts,
    )
    assert chosen.device is None
    assert placement.n_gpu_layers == 0
