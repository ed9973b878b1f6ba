"""Prove a library, and a GPU for a model, before anything depends on them; remember the verdicts.

A library that crashes, was compiled for another processor or is mixed of two releases does so in
a child process. A GPU counts only after its numbers were those of the CPU.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from funasr_cli.errors import LibraryError
from funasr_cli.llama import cpu, probe
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found
from funasr_cli.llama.process import outside_environment
from funasr_cli.llama.workload import Workload, job_of
from funasr_cli.trials import Outcome, run_trial
from funasr_cli.verdicts import A_DAY_S, FOR_EVER_S, Verdicts, fingerprint

TOLERANCE = 0.2
"""Most that a device's logit may be off the CPU's, as a share of the largest. Tiny float32 models
differ by 0.3 %, but the CPU rounds activations to 8 bits for a Q8_0 model and GPUs do not: 6 % at
worst for the demo model, 9.4 % for random weights in 28 layers (docs/GPU.md). Broken devices
overflow, or give something else entirely: about 100 %."""
LIBRARY_TIMEOUT_S = 60.0
DEVICE_TIMEOUT_S = 180.0
"""Some drivers compile shaders for a minute when they see them for the first time."""

NOISE_FACTOR = 30.0
"""How many times farther from the CPU than the CPU is from itself a device may be: random weights
make much of any rounding, and a sound H100 was 20 times as far (docs/GPU.md)."""
MOST = 0.6
"""More is never noise."""

# what hides every GPU from the backends: for libraries that crash in a driver
NO_GPU = {
    "GGML_VK_VISIBLE_DEVICES": "",
    "CUDA_VISIBLE_DEVICES": "-1",
    "HIP_VISIBLE_DEVICES": "-1",
}
GPU_PARTS = ("ggml-vulkan", "ggml-cuda", "ggml-hip", "ggml-metal", "ggml-sycl")
_TOLD = ("GGML_VK", "CUDA_VISIBLE", "HIP_VISIBLE", "ROCR_VISIBLE", "VK_ICD", "VK_DRIVER", "LD_LIB")
F16_OFF = {"GGML_VK_DISABLE_F16": "1"}
COOPMAT_OFF = {"GGML_VK_DISABLE_COOPMAT": "1", "GGML_VK_DISABLE_COOPMAT2": "1"}
_LADDER: tuple[Mapping[str, str], ...] = ({}, COOPMAT_OFF, F16_OFF, {**COOPMAT_OFF, **F16_OFF})
"""Switches that are tried before a Vulkan device is given up, from fast to safe."""


@dataclass(frozen=True)
class LibraryReport:
    """What a library that proved itself says."""

    version: str
    layout: str
    devices: tuple[Device, ...]
    problems: tuple[str, ...] = ()
    """Parts that cannot be used, and why: a sentence each."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables without which it crashes."""
    gpu_crash: str = ""
    """How it crashed with the GPU's driver; the CPU is all that is left then."""
    deviation: float = 0.0
    """Of the tiny model's logits, as a share of the largest."""

    @property
    def gpus(self) -> tuple[Device, ...]:
        """Discrete ones first, in llama.cpp's order."""
        return tuple(d for kind in ("gpu", "igpu") for d in self.devices if d.kind == kind)


@dataclass(frozen=True)
class DeviceVerdict:
    """What came of trying a device."""

    device: Device
    works: bool
    reason: str = ""
    """Why not, in a few words."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Switches that it needs."""
    deviation: float = 0.0
    device_s: float = 0.0
    """Seconds for the fixed questions."""
    cpu_s: float = 0.0
    is_new: bool = False
    """Whether it was tried just now."""


def prove_library(
    found: Found,
    *,
    verdicts: Verdicts | None = None,
    environment: Mapping[str, str] | None = None,
    fresh: bool = False,
    on_test: Callable[[str], None] | None = None,
) -> LibraryReport:
    """Open a library in a child process and let it compute; remembered until its files change.

    Args:
        found: the library.
        verdicts: where to remember; None: the user's cache.
        environment: variables that the user's options ask for.
        fresh: try it whatever is remembered.
        on_test: told, in a sentence, that a test begins.

    Raises:
        LibraryError: it cannot be used; one sentence, with the signal if it crashed.
    """
    verdicts, asked = verdicts or Verdicts(), dict(environment or {})
    question = ("library", *identity(found), *_visible(), *_flat(asked))
    kept = None if fresh else verdicts.get(*question)
    with suppress(KeyError, TypeError):  # written by another version of this program
        return _report(kept or {})
    if on_test:
        on_test(f"testing {found.path.name}, once")
    kept = _try_library(found, asked)
    if "error" in kept:
        raise LibraryError(kept["error"])
    report = _report(kept)
    # a driver may be mended without a file of the library being touched
    verdicts.put(kept, *question, lasts_s=A_DAY_S if report.gpu_crash else FOR_EVER_S)
    return report


def prove_device(  # noqa: PLR0913 - what, on what, and how it is remembered and told
    found: Found,
    device: Device,
    workload: Workload,
    *,
    verdicts: Verdicts | None = None,
    environment: Mapping[str, str] | None = None,
    on_test: Callable[[str], None] | None = None,
) -> DeviceVerdict:
    """Compare a GPU's numbers with the CPU's on the model itself, in a child process.

    A Vulkan device gets further chances without half precision and cooperative matrices.

    Args:
        found: a library that has proved itself.
        device: one of its GPUs.
        workload: the model.
        verdicts: where to remember; None: the user's cache.
        environment: variables that the library needs, or the user's options ask for.
        on_test: told, in a sentence, that a test begins.
    """
    verdicts, fixed = verdicts or Verdicts(), dict(environment or {})
    question = (
        *("device", *identity(found), device.name, device.description, *_visible()),
        *(fingerprint(workload.model), str(workload.n_gpu_layers), str(workload.exact_cache)),
        *_flat(fixed),
    )
    kept = verdicts.get(*question)
    with suppress(TypeError):  # written by another version of this program
        if kept is not None:
            return DeviceVerdict(device=device, **kept)
    if on_test:
        on_test(f"testing {device} against the CPU, once for this model and build")
    kept, lasts_s = _try_ladder(found, device, workload, fixed)
    verdicts.put(kept, *question, lasts_s=lasts_s)
    return DeviceVerdict(device=device, is_new=True, **kept)


def time_cpu(
    found: Found, workload: Workload, *, environment: Mapping[str, str] | None = None
) -> float | str:
    """Time the fixed questions on the CPU, in a child process: seconds, or why it failed."""
    job = {"library": str(found.path), **job_of(workload)}
    outcome = run_trial(
        "funasr_cli.llama.trial:time_cpu",
        job,
        environment={**outside_environment(), **(environment or {})},
        timeout_s=DEVICE_TIMEOUT_S,
    )
    return outcome.failure if outcome.result is None else float(outcome.result["cpu_s"])


def identity(found: Found) -> tuple[str, str, str]:
    """Stand for a library on this machine: its path, its files and the processor."""
    folder = found.path.parent
    files = folder.iterdir() if found.is_multi_file else (found.path,)
    return str(found.path), fingerprint(*files), cpu.identity()


def _report(kept: Mapping[str, Any]) -> LibraryReport:
    return LibraryReport(
        version=kept["version"],
        layout=kept["layout"],
        devices=tuple(Device(**device) for device in kept["devices"]),
        problems=tuple(kept["problems"]),
        environment=dict(kept["environment"]),
        gpu_crash=kept["gpu_crash"],
        deviation=kept["deviation"],
    )


def _try_library(found: Found, asked: Mapping[str, str]) -> dict[str, Any]:
    """Try it as it is; if it dies, without the GPUs, whose drivers may be what kills it."""
    job = {"library": str(found.path)}
    first = _library_trial(job, asked)
    if isinstance(first, dict):
        return first | {"environment": dict(asked), "gpu_crash": ""}
    if first.crashed and _may_have_gpus(found):
        second = _library_trial(job, {**asked, **NO_GPU})
        if isinstance(second, dict):
            return second | {"environment": {**asked, **NO_GPU}, "gpu_crash": first.failure}
    if not first.crashed:
        return {"error": first.failure}
    return {
        "error": f"{found.path} failed its test: {first.failure}: take another build "
        "(`funasr runtime install --help`), or `pip install --force-reinstall xllamacpp`"
    }


def _may_have_gpus(found: Found) -> bool:
    """Single files have every backend inside; the others show theirs."""
    return not found.is_multi_file or any(map(found.part, GPU_PARTS))


def _library_trial(
    job: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any] | Outcome:
    outcome = run_trial(
        "funasr_cli.llama.trial:try_library",
        job,
        environment={**outside_environment(), **environment},
        timeout_s=LIBRARY_TIMEOUT_S,
    )
    if outcome.result is None:
        return outcome
    off = outcome.result["deviation"]
    if not off <= probe.TOLERANCE:
        wrong = "its numbers overflow" if off == float("inf") else f"{off:.0%} off"
        return Outcome(None, f"it computes wrong numbers ({wrong})", crashed=True)
    return outcome.result


def _try_ladder(
    found: Found, device: Device, workload: Workload, fixed: Mapping[str, str]
) -> tuple[dict[str, Any], float]:
    """Climb down the switches until the numbers are right; say how long the verdict lasts."""
    reason, lasts_s = "", FOR_EVER_S
    for switches in _ladder(device, fixed):
        outcome = run_trial(
            "funasr_cli.llama.trial:try_device",
            {"library": str(found.path), "device": device.name, **job_of(workload)},
            environment={**outside_environment(), **switches},
            timeout_s=DEVICE_TIMEOUT_S,
        )
        if outcome.result is None:
            # a driver that is being mended, perhaps; what was refused is tried again next time
            new, lasts_s = outcome.failure, A_DAY_S if outcome.crashed else 0.0
        elif outcome.result["deviation"] <= _limit(outcome.result["noise"]):
            times = {name: outcome.result[name] for name in ("deviation", "device_s", "cpu_s")}
            # a device that was busy, or whose driver compiled, is measured again some day
            is_slow = times["device_s"] > times["cpu_s"]
            kept = {"works": True, "environment": dict(switches), **times}
            return kept, A_DAY_S if is_slow else FOR_EVER_S
        elif outcome.result["deviation"] == float("inf"):
            new = "its numbers overflow"
        else:
            new = f"its numbers are {outcome.result['deviation']:.1%} off the CPU's"
        reason = reason or new  # the plain attempt tells most
        if outcome.result is None and (not outcome.crashed or outcome.hung):
            break  # no memory, say: no switch helps; and hanging again would take minutes
    return {"works": False, "reason": reason, "environment": {}}, lasts_s


def _limit(noise: float) -> float:
    """Most that a device may be off, given how far the CPU is off itself."""
    return max(TOLERANCE, min(MOST, NOISE_FACTOR * noise))


def _ladder(device: Device, fixed: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    rungs = _LADDER if device.backend == "vulkan" else _LADDER[:1]
    seen = []
    for rung in rungs:
        switches = {**fixed, **rung}
        if switches not in seen:
            seen.append(switches)
            yield switches


def _visible() -> list[str]:
    """What the user's own variables show to the backends."""
    return [pair for pair in _flat(outside_environment()) if pair.startswith(_TOLD)]


def _flat(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(environment.items())]
