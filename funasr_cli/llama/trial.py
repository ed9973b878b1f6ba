"""What a child process does to try a library or a device; `proving` asks for it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from funasr_cli.costs import ROWS
from funasr_cli.deviation import deviation
from funasr_cli.errors import DecodeError, LibraryError, ModelError
from funasr_cli.llama import probe
from funasr_cli.llama.loading import CPU, Placement
from funasr_cli.llama.process import Backend, start
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.protocols import Floats, Rows

PROMPT = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n语音转写："
AUDIO_ROWS = 48
N_CTX = 256
REPEATS = 4
"""The first one compiles shaders; the fastest counts."""


def try_library(job: Mapping[str, Any]) -> dict[str, Any]:
    """Open a library and compare its answers on the tiny model with the known ones."""
    backend = start(Path(job["library"]))
    expected = np.load(probe.ANSWERS)
    try:
        with open_language_model(
            probe.MODEL, n_ctx=64, n_seq=2, threads=1, llama_bin=backend.path
        ) as model:
            asked = probe.questions(model.n_embd, rows=len(expected))
            found = [probe.answers(model, asked, sequence=sequence) for sequence in (0, 1)]
    except (ModelError, DecodeError) as error:
        raise LibraryError(
            f"{backend.path} cannot run a Qwen3 model ({error}): take another build "
            "(`funasr runtime install --help`), or `pip install xllamacpp`"
        ) from error
    return {
        "version": backend.version,
        "layout": backend.layout.name,
        "problems": backend.problems,
        "devices": [asdict(device) for device in backend.devices()],
        "deviation": max(deviation(logits, expected) for logits in found),
    }


def try_device(job: Mapping[str, Any]) -> dict[str, Any]:
    """Compare a device's answers on a real model with the CPU's."""
    backend = start(Path(job["library"]))
    where = Placement((backend.device_pointer(job["device"]),), job["n_gpu_layers"])
    expected, cpu_s, noise = _timed(backend, job, CPU)
    found, device_s, _ = _timed(backend, job, where)
    return {
        "deviation": deviation(found, expected),
        "noise": noise,
        "cpu_s": cpu_s,
        "device_s": device_s,
    }


def time_cpu(job: Mapping[str, Any]) -> dict[str, Any]:
    """Time the same questions on the CPU."""
    _, seconds, _ = _timed(start(Path(job["library"])), job, CPU)
    return {"cpu_s": seconds}


def time_rows(job: Mapping[str, Any]) -> dict[str, Any]:
    """Time calls of 1, 2, 4, ... rows of one sequence behind a short prompt."""
    backend = start(Path(job["library"]))
    where = CPU
    if job["device"] is not None:
        where = Placement((backend.device_pointer(job["device"]),), job["n_gpu_layers"])
    seconds = {rows: float("inf") for rows in ROWS}
    with _opened(backend, job, where) as model:
        prompt = np.array(model.tokenize(PROMPT), np.int32)
        model.evaluate([Rows(0, 0, tokens=prompt, logits="none")])
        for _ in range(REPEATS):
            for rows in ROWS:
                tokens = np.resize(prompt, rows)
                begin = perf_counter()
                model.evaluate([Rows(0, len(prompt), tokens=tokens, logits="all")])
                seconds[rows] = min(seconds[rows], perf_counter() - begin)
                model.forget(0, len(prompt))
    return {"seconds": [seconds[rows] for rows in ROWS]}


def _timed(
    backend: Backend, job: Mapping[str, Any], where: Placement
) -> tuple[Floats, float, float]:
    """Answer twice: the first time compiles shaders; the second one counts.

    Returns:
        Logits, seconds, and how far the device is from itself when it takes the tokens in one
        call: it rounds otherwise then, and the model makes so much of it.
    """
    with _opened(backend, job, where) as model:
        asked = probe.questions(model.n_embd, rows=AUDIO_ROWS, prefix=model.tokenize(PROMPT))
        probe.answers(model, asked)
        begin = perf_counter()
        found = probe.answers(model, asked)
        seconds = perf_counter() - begin
        return found, seconds, deviation(probe.answers(model, asked, at_once=True), found)


def _opened(backend: Backend, job: Mapping[str, Any], where: Placement) -> LlamaModel:
    return open_language_model(
        Path(job["model"]),
        n_ctx=N_CTX,
        threads=job["threads"],
        llama_bin=backend.path,
        placement=where,
        exact_cache=job["exact_cache"],
    )
