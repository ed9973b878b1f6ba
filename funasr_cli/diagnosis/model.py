"""The model directory: its files, their hashes, and the memory that they need."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from funasr_cli.device_names import CPU
from funasr_cli.diagnosis.checks import Check, gigabytes
from funasr_cli.errors import ModelError
from funasr_cli.manifest import HOW_TO_EXPORT, MANIFEST, damaged_files
from funasr_cli.memory import available_bytes
from funasr_cli.model_dir import DEMO_MODEL, ModelFiles, find_model, how_to_export, open_model_dir
from funasr_cli.options import RuntimeOptions
from funasr_cli.trials import run_trial


def _command(remedy: str) -> str:
    return remedy.partition(": ")[2]


EXPORT = _command(HOW_TO_EXPORT)
# measured: the demo model took 268 MB and a full-size one 2.3 to 2.6 GB; this gives 280 MB, 2.5 GB
_SHARE = 1.35
"""Memory as a share of the files: weights, what is packed from them, caches and activations."""
_OVERHEAD = 230e6
"""Bytes of Python and the libraries."""
_TIMEOUT_S = 180.0


def check_model(named: Path | None) -> tuple[ModelFiles | None, Check]:
    """Open the directory that would be used and compare its files with the manifest."""
    path = find_model(named)
    facts: dict[str, object] = {"path": str(path)}
    try:
        files = open_model_dir(path)
        damaged = damaged_files(path) if (path / MANIFEST).is_file() else None
    except ModelError as error:
        return None, Check("model", "problem", str(error), _command(how_to_export(path)), facts)
    parts = {"encoder": files.encoder, "CTC": files.ctc, "LLM": files.decoder}
    sizes = {name: file.stat().st_size for name, file in parts.items() if file}
    facts |= {
        "name": files.facts.name if files.facts else None,
        "files": {name: str(file) for name, file in parts.items() if file},
        "bytes": sizes,
        "has_ctc": files.ctc is not None,
        "damaged": damaged,
        "checkpoint_sha256": files.sha256,
    }
    is_demo = path == DEMO_MODEL
    name = files.facts.name if files.facts else "exported by another tool"
    held = ", ".join(f"{part} {gigabytes(size)}" for part, size in sizes.items())
    lines = [f"{path} ({name}{', the demo model' if is_demo else ''})", held]
    if damaged:
        lines.append(f"damaged, as the sha256 in {MANIFEST} tells: {', '.join(damaged)}")
        remedy = f"copy the model again, or {EXPORT}"
        return files, Check("model", "problem", "\n".join(lines), remedy, facts)
    lines[-1] += (
        f"; no {MANIFEST} to check them by" if damaged is None else f"; sha256 as in {MANIFEST}"
    )
    if files.ctc is None:
        lines.append("no CTC head: no character times, no hotword recall by sound")
        remedy = f"the checkpoint on ModelScope has one: {EXPORT}"
        return files, Check("model", "note", "\n".join(lines), remedy, facts)
    if is_demo:
        lines.append("it knows synthetic voices and about 1,300 words; for real speech get a model")
        return files, Check("model", "note", "\n".join(lines), EXPORT, facts)
    return files, Check("model", "ok", "\n".join(lines), facts=facts)


def needed_bytes(files: ModelFiles) -> int:
    """Estimate the memory that transcribing on the CPU takes."""
    parts = (files.encoder, files.ctc, files.decoder)
    return round(_SHARE * sum(file.stat().st_size for file in parts if file) + _OVERHEAD)


def check_memory(files: ModelFiles) -> Check:
    """Compare what is free with what the model needs."""
    needed, free = needed_bytes(files), available_bytes()
    facts = {"needed": needed, "available": free}
    if free is None:
        text = f"about {gigabytes(needed)} needed; how much is free cannot be told"
        return Check("memory", "ok", text, facts=facts)
    text = f"about {gigabytes(needed)} needed, {gigabytes(free)} free"
    if free < needed:
        remedy = "close other programs, or export a smaller model: funasr export --help"
        return Check("memory", "note", f"{text}: it will be slow or fail", remedy, facts)
    return Check("memory", "ok", text, facts=facts)


def why_not_opened(
    files: ModelFiles, runtime: RuntimeOptions, environment: Mapping[str, str]
) -> str:
    """Open the model as `funasr transcribe` does, in a child process: "", or why it failed.

    Args:
        files: the model.
        runtime: threads and the llama.cpp to use.
        environment: variables that the library needs.
    """
    job = {
        "model": str(files.path.absolute()),
        "llama_bin": str(runtime.llama_bin) if runtime.llama_bin else None,
        "threads": runtime.threads,
    }
    outcome = run_trial(
        "funasr_cli.diagnosis.model:try_model",
        job,
        environment={**os.environ, **environment},
        timeout_s=_TIMEOUT_S,
    )
    return outcome.failure if outcome.result is None else ""


def try_model(job: Mapping[str, Any]) -> dict[str, Any]:
    """Open every part of a model on the CPU; runs in a child process."""
    from funasr_cli.model import open_model

    llama_bin = Path(job["llama_bin"]) if job["llama_bin"] else None
    runtime = RuntimeOptions(threads=job["threads"], llama_bin=llama_bin, device=CPU)
    with ExitStack() as stack:
        open_model(open_model_dir(Path(job["model"])), runtime, stack)
    return {}
