"""The encoder on a GPU: onnxruntime's providers, proved against the CPU before they count."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from funasr_cli.deviation import deviation
from funasr_cli.device_names import AUTO, CPU, GPU, DeviceRequest
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.onnx import CPU_PROVIDER, available_providers, runtime_version
from funasr_cli.protocols import Floats
from funasr_cli.trials import run_trial
from funasr_cli.units import SAMPLE_RATE
from funasr_cli.verdicts import A_DAY_S, FOR_EVER_S, Verdicts, fingerprint

PROVIDERS = {
    "cuda": "CUDAExecutionProvider",
    "dml": "DmlExecutionProvider",
    "metal": "CoreMLExecutionProvider",
}
"""Family of GPUs -> the provider that reaches it; other providers are not used."""
_BY_REQUEST = {
    AUTO: ("cuda", "dml", "metal"),
    GPU: ("cuda", "dml", "metal"),
    "cuda": ("cuda",),
    "metal": ("metal",),
    "vulkan": ("dml",),  # both reach every GPU on Windows
}
TOLERANCE = 0.01
"""Most that a value may be off the CPU's, as a share of the largest; float32 with other sums
is off by 1e-5, with 10-bit mantissas (TF32) by 1e-3."""
TIMEOUT_S = 180.0
SECONDS = 10.0
"""Of the sound that is encoded."""


@dataclass(frozen=True)
class ProviderChoice:
    """What the encoder will run on."""

    provider: str = CPU_PROVIDER
    device_id: int = 0
    warnings: tuple[str, ...] = ()
    """Providers that were dropped, and why: a sentence each."""


def choose_provider(
    encoder: Path,
    request: DeviceRequest,
    threads: int,
    *,
    verdicts: Verdicts | None = None,
    on_test: Callable[[str], None] | None = None,
) -> ProviderChoice:
    """Take the first installed provider that fits, computes what the CPU does, and is faster.

    Args:
        encoder: an encoder of ours.
        request: what the user asks for.
        threads: of the CPU that it is compared with.
        verdicts: where proofs are remembered; None: the user's cache.
        on_test: told, in a sentence, of a test that takes seconds.
    """
    if request.backend == CPU:
        return ProviderChoice()
    verdicts, installed = verdicts or Verdicts(), available_providers()
    warnings: list[str] = []
    for family in _BY_REQUEST.get(request.backend, ()):
        name = PROVIDERS[family]
        if name not in installed:
            continue
        device_id = request.index or 0 if family == request.backend else 0
        question = (
            *("provider", runtime_version(), name, str(device_id), fingerprint(encoder)),
            *(str(threads), os.environ.get("CUDA_VISIBLE_DEVICES", "")),
        )
        verdict = verdicts.get(*question)
        is_new = verdict is None
        if verdict is None:
            if on_test:
                on_test(f"testing onnxruntime's {name} against the CPU, once for this model")
            verdict = _try(encoder, name, device_id, threads)
            verdicts.put(
                verdict, *question, lasts_s=FOR_EVER_S if "provider_s" in verdict else A_DAY_S
            )
        if verdict["works"] and verdict["provider_s"] < verdict["cpu_s"]:
            return ProviderChoice(name, device_id, tuple(warnings))
        if not verdict["works"]:
            warnings.append(
                f"{name} is not used for the encoder, the CPU is: {verdict['reason']}. After a new "
                "driver or package: funasr doctor --retest"
            )
        elif on_test and is_new:
            on_test(f"{name} is slower than the CPU, which is used for the encoder")
    return ProviderChoice(warnings=tuple(warnings))


def _try(encoder: Path, name: str, device_id: int, threads: int) -> dict[str, Any]:
    job = {
        "encoder": str(encoder.absolute()),
        "provider": name,
        "device_id": device_id,
        "threads": threads,
    }
    outcome = run_trial("funasr_cli.providers:try_encoder", job, timeout_s=TIMEOUT_S)
    if outcome.result is None:
        return {"works": False, "reason": outcome.failure}
    worst = outcome.result["deviation"]
    if worst <= TOLERANCE:
        return {"works": True, "reason": ""} | outcome.result
    return {"works": False, "reason": f"its numbers are {worst:.1%} off the CPU's"}


def time_encoder(encoder: Path, threads: int) -> float | str:
    """Time 10 s of sound on the CPU, in a child process: seconds, or why it failed."""
    job = {"encoder": str(encoder.absolute()), "threads": threads}
    outcome = run_trial("funasr_cli.providers:time_cpu", job, timeout_s=TIMEOUT_S)
    return outcome.failure if outcome.result is None else float(outcome.result["cpu_s"])


def time_cpu(job: Mapping[str, Any]) -> dict[str, Any]:
    """Encode on the CPU; runs in a child process."""
    return {"cpu_s": _timed(OnnxEncoder(Path(job["encoder"]), threads=job["threads"]))[1]}


def try_encoder(job: Mapping[str, Any]) -> dict[str, Any]:
    """Encode the same sound on the CPU and by a provider; runs in a child process."""
    path, threads = Path(job["encoder"]), job["threads"]
    expected, cpu_s = _timed(OnnxEncoder(path, threads=threads))
    found, provider_s = _timed(
        OnnxEncoder(path, threads=threads, provider=job["provider"], device_id=job["device_id"])
    )
    pairs = zip(found, expected, strict=True)
    return {
        "deviation": max(deviation(one, other) for one, other in pairs),
        "cpu_s": cpu_s,
        "provider_s": provider_s,
    }


def _timed(encoder: OnnxEncoder) -> tuple[tuple[Floats, Floats], float]:
    """Encode twice: the first time compiles; the second one counts."""
    waveform = _sound()
    encoder.encode([waveform])
    begin = perf_counter()
    encoded = encoder.encode([waveform])[0]
    return (encoded.encoder_out, encoded.audio_embeds), perf_counter() - begin


def _sound() -> Floats:
    """A gliding voice-like tone over soft noise, with pauses: [S]."""
    t = np.arange(round(SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * t)) / SAMPLE_RATE
    tone = sum(np.sin(k * pitch) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 1.3 * t) > 0)
    noise = np.random.default_rng(0).standard_normal(t.size)
    return np.asarray(0.1 * tone + 0.003 * noise, np.float32)
