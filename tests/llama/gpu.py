"""A GPU from all sides: texts, rates by batch size, and a fault; prints the tables of docs/GPU.md.

    python tests/llama/gpu.py --llama-bin DIR [--device vulkan] [--model FULL.gguf]

Without --model a decoder of full size with random weights is written into a temporary folder
(needs the package gguf, some 3 GB of memory and half a minute).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_gguf import Shape, write_tiny_gguf

from funasr_cli import RuntimeOptions, Transcriber
from funasr_cli.device_names import parse_device
from funasr_cli.llama import proving
from funasr_cli.llama.choice import DeviceOptions, open_chosen
from funasr_cli.llama.library import find
from funasr_cli.llama.loading import CPU, Placement
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.llama.workload import Workload, job_of
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.onnx import usable_cores
from funasr_cli.protocols import Rows
from funasr_cli.trials import run_trial

SAMPLES = Path(__file__).parents[2] / "samples"
FULL = Shape(1024, 28, 16, 8, 128, 3072, padding_tokens=151_936 - 267)
CONTEXT = 204
"""Rows of a prompt with 30 s of sound and a few hotwords."""
PREFILLS = (64, 128, 204, 512)
SEQUENCES = (1, 2, 4, 8, 16)
STEPS = 32


def main() -> int:
    """Run everything; the exit code is 1 where a text differs or the fault goes unnoticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--llama-bin", type=Path)
    parser.add_argument("--device", default="vulkan")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--part", choices=("texts", "fault", "rates"))
    given = parser.parse_args()
    if given.part == "texts":
        return int(_texts(given.llama_bin, given.device))
    if given.part == "fault":
        return int(_fault(given.llama_bin, given.device))
    if given.part == "rates":
        _rates(given.model, given.llama_bin, given.device)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        model = given.model or Path(folder) / "full.gguf"
        if given.model is None:
            write_tiny_gguf(model, FULL, quantized=True)
        # a process has its llama.cpp with one set of switches: each part gets its own
        command = [sys.executable, *sys.argv, "--model", str(model), "--part"]
        parts = ("texts", "fault", "rates")
        return max(
            subprocess.run([*command, part], check=False).returncode  # noqa: S603 - this script
            for part in parts
        )


def _texts(llama_bin: Path | None, device: str) -> bool:
    """Transcribe the samples on both; say whether a text differs."""
    texts = {}
    for name in (device, "cpu"):  # the CPU is to be had from any running library
        runtime = RuntimeOptions(llama_bin=llama_bin, device=name)
        with Transcriber(DEMO_MODEL, runtime, on_test=_say) as transcriber:
            found = [transcriber.transcribe(p) for p in sorted(SAMPLES.glob("*.[wm]*"))]
        texts[name] = [one.text for one in found]
        _say(f"{name}: {found[0].model.device}")
    same = texts["cpu"] == texts[device]
    _say(f"samples: {len(texts['cpu'])}, the same text on both: {same}")
    return not same


def _fault(llama_bin: Path | None, device: str) -> bool:
    """Demand a precision that no device has: it must be dropped by name, and the CPU go on."""
    kept, proving.TOLERANCE = proving.TOLERANCE, 1e-9
    try:
        # 3 layers: no verdict of the first part answers this question
        runtime = RuntimeOptions(llama_bin=llama_bin, device=device, n_gpu_layers=3)
        with Transcriber(DEMO_MODEL, runtime) as transcriber:
            found = transcriber.transcribe(SAMPLES / "zh-01.wav")
    finally:
        proving.TOLERANCE = kept
    told = [n.message for n in found.warnings if n.code == "device-dropped"]
    _say(f"fault: LLM on {found.model.device}, {found.text}\n  {told}")
    return not told or found.model.device != "CPU"


def _rates(path: Path, llama_bin: Path | None, device: str) -> None:
    found, threads = find(llama_bin), usable_cores()
    options = DeviceOptions(parse_device(device))
    begin = perf_counter()
    choice, placement = open_chosen(found, options, Workload(path, threads), on_test=_say)
    switches = " ".join(choice.environment) or "none"
    seconds = perf_counter() - begin
    _say(f"proof of the full-size model: {seconds:.1f} s, {choice.device}, switches: {switches}")
    if choice.device is not None:
        job = {"library": str(found.path), "device": choice.device.name}
        job |= job_of(Workload(path, threads))
        told = run_trial("funasr_cli.llama.trial:try_device", job, timeout_s=300)
        _say(f"without switches: {told.result or told.failure}")
    _say(f"\n| | rows or sequences | CPU, {threads} threads | {choice.device} | ratio |")
    _say("|---|---|---|---|---|")
    sides = [_measure(path, found.path, where, threads) for where in (CPU, placement)]
    for key in sides[0]:
        cpu, gpu = (side[key] for side in sides)
        _say(f"| {key[0]} | {key[1]} | {cpu:,.0f} | {gpu:,.0f} | {gpu / cpu:.1f} |")


def _measure(
    path: Path, library: Path, where: Placement, threads: int
) -> dict[tuple[str, int], float]:
    """Tokens per second: prompts of so many rows, and one token each of so many texts."""
    rates = {}
    with open_language_model(
        path, n_ctx=512, n_seq=SEQUENCES[-1], threads=threads, llama_bin=library, placement=where
    ) as model:
        for rows in PREFILLS:
            _prefill(model, 0, rows)
            begin = perf_counter()
            _prefill(model, 0, rows)
            rates["prefill", rows] = rows / (perf_counter() - begin)
        for sequence in range(SEQUENCES[-1]):
            _prefill(model, sequence, CONTEXT)
        for count in SEQUENCES:
            rates["decode", count] = count * STEPS / _steps(model, count)
    return rates


def _prefill(model: LlamaModel, sequence: int, rows: int) -> None:
    audio = np.random.default_rng(rows).standard_normal((rows, model.n_embd), np.float32)
    model.forget(sequence)
    model.evaluate([Rows(sequence, 0, embeddings=audio)])


def _steps(model: LlamaModel, count: int) -> float:
    token = np.array([1], np.int32)
    model.evaluate([Rows(s, CONTEXT, tokens=token) for s in range(count)])
    begin = perf_counter()
    for step in range(1, STEPS + 1):
        model.evaluate([Rows(s, CONTEXT + step, tokens=token) for s in range(count)])
    seconds = perf_counter() - begin
    for sequence in range(count):
        model.forget(sequence, CONTEXT)
    return seconds


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
