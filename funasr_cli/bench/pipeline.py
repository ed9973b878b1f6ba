"""How long a whole recording takes: as shipped, and one segment and one token at a time."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from funasr_cli.errors import LibraryError
from funasr_cli.options import RuntimeOptions, TranscribeOptions
from funasr_cli.transcriber import Transcriber
from funasr_cli.trials import run_trial

TIMEOUT_S = 3600.0


def bench_pipeline(
    audio: Path, model: Path, runtime: RuntimeOptions, tokens: int | None
) -> dict[str, Any]:
    """Transcribe twice, each time in a fresh process, so that its peak memory is its own.

    Args:
        audio: the recording.
        model: model directory.
        runtime: threads, device and slots of the second run.
        tokens: tokens that each segment gets, whatever the LLM writes; None: its own text.

    Returns:
        `sequential` and `batched`, each with `timings`, `rtf`, `peak_mb`, `segments`, `device`;
        and `speedup`.

    Raises:
        LibraryError: a run failed.
    """
    job = {
        "audio": str(audio.absolute()),
        "model": str(model.absolute()),
        "tokens": tokens,
        "runtime": {
            **asdict(runtime),
            "llama_bin": str(runtime.llama_bin) if runtime.llama_bin else None,
        },
    }
    runs = {}
    for name, sequential in (("sequential", True), ("batched", False)):
        outcome = run_trial(
            "funasr_cli.bench.pipeline:transcribe",
            {**job, "sequential": sequential},
            timeout_s=TIMEOUT_S,
            may_test=True,
        )
        if outcome.result is None:
            raise LibraryError(f"the {name} run failed: {outcome.failure}")
        runs[name] = outcome.result
    speedup = runs["sequential"]["work_s"] / runs["batched"]["work_s"]
    return {
        **runs,
        "speedup": speedup,
        "same_text": runs["sequential"]["text"] == runs["batched"]["text"],
    }


def transcribe(job: Mapping[str, Any]) -> dict[str, Any]:
    """One run; in a child process."""
    settings = dict(job["runtime"])
    if settings["llama_bin"]:
        settings["llama_bin"] = Path(settings["llama_bin"])
    if job["sequential"]:
        settings |= {"slots": 1, "drafts": False, "ahead": 0}
    options = TranscribeOptions()
    if job["tokens"] is not None:
        options = TranscribeOptions(guard=False, max_new_tokens=job["tokens"])
    with Transcriber(Path(job["model"]), RuntimeOptions(**settings)) as transcriber:
        found = transcriber.transcribe(job["audio"], options)
    work_s = found.timings.total - found.timings.load
    return {
        "timings": found.timings.as_dict(),
        "work_s": work_s,
        "seconds": found.duration,
        "rtf": work_s / found.duration,
        "segments": len(found.segments),
        "tokens": sum(len(segment.token_ids) for segment in found.segments),
        "peak_mb": peak_bytes() / 1e6,
        "device": found.model.device,
        "text": found.text,
    }


def peak_bytes() -> int:
    """The most memory that this process has held."""
    if sys.platform == "win32":
        return 0  # unknown: no module of Python's own tells
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else held * 1024
