"""Transcribe a sample with every llama.cpp build that the registries have: `make abi-matrix`.

Writes docs/LLAMA_BUILDS.md. Fails when a build takes the process down, or when one from January
2026 on neither gives the right text nor is refused in one sentence with exit code 3. `--record`
adds what the builds' default parameters look like to default_params.json instead. Linux, x86-64.
"""

import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does

from llama.builds import TARBALL, VULKAN, Build, fetch_builds, look
from llama.matrix_page import (
    CRASHED,
    DIFFERS,
    FAILED,
    NO_WHEEL,
    REFUSED,
    RIGHT,
    Run,
    machine_line,
    page,
)

from funasr_cli.errors import LibraryError
from funasr_cli.folders import user_cache_folder
from funasr_cli.llama.devices import Device
from funasr_cli.llama.proving import LibraryReport, prove_device, prove_library
from funasr_cli.llama.workload import Workload
from funasr_cli.verdicts import Verdicts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "LLAMA_BUILDS.md"
RECORD = Path(__file__).with_name("default_params.json")
SAMPLE = "samples/zh-01.wav"
MODEL = ROOT / "funasr_cli" / "demo_model"
REFUSED_CODE = 3
SHOWN = {"GGML_VK_VISIBLE_DEVICES": "0"}
"""Without it a software renderer is not shown."""
PATIENCE_S = 600.0
_MOST_OF_A_PATTERN = 2
_STRUCTS = ("model", "context")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the matrix; 0 when nothing is bad."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=user_cache_folder() / "llama-builds")
    parser.add_argument("--record", action="store_true", help="add to default_params.json")
    options = parser.parse_args(arguments)
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        parser.error("these builds are for Linux on x86-64")
    builds = fetch_builds(options.cache.absolute())
    if options.record:
        record(builds)
        return 0
    runs = []
    for build in builds:
        for run in try_build(build):
            runs.append(run)
            sys.stdout.write(f"{run.build.label:45} {run.outcome} {run.seconds:.1f} {run.detail}\n")
            sys.stdout.flush()
    today = f"{datetime.now(timezone.utc):%Y-%m-%d}"
    PAGE.write_text(page(runs, SAMPLE, today, machine_line()), "utf-8")
    return 1 if any(run.is_bad for run in runs) else 0


def try_build(build: Build) -> list[Run]:
    """Transcribe with it: on the CPU, and with a Vulkan build on the GPU if there is one."""
    if build.folder is None:
        return [Run(build, outcome=NO_WHEEL)]
    first = Run(build, "cpu" if build.package == VULKAN else "")
    report, first = _proved(first, {})
    runs = [_transcribed(first, {})]
    if build.package == VULKAN and report:
        shown = {} if report.gpus else SHOWN
        report, second = _proved(Run(build, "vulkan"), shown)
        if report and report.gpus:
            runs.append(_transcribed(_compared(second, report.gpus[0], shown), shown))
    return runs


def _proved(run: Run, environment: dict[str, str]) -> tuple[LibraryReport | None, Run]:
    with tempfile.TemporaryDirectory(prefix="matrix-") as name:
        try:
            report = prove_library(
                run.build.found(), verdicts=Verdicts(Path(name)), environment=environment
            )
        except LibraryError:  # the command line says why
            return None, run
    return report, replace(run, layout=report.layout, deviation=report.deviation)


def _compared(run: Run, gpu: Device, environment: dict[str, str]) -> Run:
    """Take the deviation of the GPU from the CPU, on the model of the sample."""
    decoder = next(MODEL.glob("*Decoder*.gguf"))
    with tempfile.TemporaryDirectory(prefix="matrix-") as name:
        verdict = prove_device(
            *(run.build.found(), gpu, Workload(decoder, threads=1)),
            verdicts=Verdicts(Path(name)),
            environment=environment,
        )
    deviation = verdict.deviation if verdict.works else None
    return replace(run, gpu=gpu.description, deviation=deviation)


def _transcribed(run: Run, environment: dict[str, str]) -> Run:
    """Give the sample to the command line, which has no verdict to remember."""
    command = [sys.executable, "-m", "funasr_cli", "transcribe", SAMPLE, "-q"]
    command += ["--llama-bin", str(run.build.folder)]
    command += ["--device", run.device] if run.device else []
    own = {name: value for name, value in os.environ.items() if not name.startswith("FUNASR_")}
    with tempfile.TemporaryDirectory(prefix="matrix-") as name:
        place = {"XDG_CACHE_HOME": name, "FUNASR_MODEL_DIR": str(MODEL)}
        begin = time.perf_counter()
        try:
            done = subprocess.run(  # noqa: S603 - our own command line
                command,
                cwd=ROOT,
                env=own | place | environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=PATIENCE_S,
            )
        except subprocess.TimeoutExpired:
            return replace(run, outcome=CRASHED, detail="it hangs", seconds=PATIENCE_S)
        seconds = time.perf_counter() - begin
    expected = (ROOT / SAMPLE).with_suffix(".txt").read_text("utf-8")
    outcome, detail = judge(done.returncode, done.stdout, done.stderr, expected)
    detail = detail.replace(f"{run.build.folder}{os.sep}", "")
    return replace(run, outcome=outcome, detail=detail, code=done.returncode, seconds=seconds)


def judge(code: int, stdout: str, stderr: str, expected: str) -> tuple[str, str]:
    """Say what happened, and more about it."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    if code < 0:
        return CRASHED, signal.Signals(-code).name
    if code == REFUSED_CODE and len(lines) == 1:
        return REFUSED, lines[0].removeprefix("funasr: ")
    if code == 0 and stdout.strip() == expected.strip():
        return RIGHT, " ".join(lines)
    if code == 0:
        return DIFFERS, stdout.strip()
    return FAILED, " ".join(lines)


def record(builds: Sequence[Build]) -> None:
    """Add the first and the last build of each pattern that is recorded less than twice."""
    entries: list[dict[str, str]] = json.loads(RECORD.read_text("utf-8"))
    groups: dict[str, list[tuple[Build, dict[str, list[int]]]]] = {}
    for build in builds:
        if build.package != VULKAN and build.folder and build.release:
            said = look(build.found())
            if "model" in said:
                groups.setdefault(str(_defined(said, said)), []).append((build, said))
    new = []
    for group in groups.values():
        group.sort(key=lambda pair: _order(pair[0]))
        pattern, masks = _defined(group[0][1], group[0][1]), group[0][1]
        alike = [e["build"] for e in entries if _defined(_numbers(e), masks) == pattern]
        room = _MOST_OF_A_PATTERN - len(alike)
        ends = {pair[0].label: pair for pair in (group[-1], group[0]) if pair[0].label not in alike}
        new += list(ends.values())[: max(room, 0)]
    for build, said in sorted(new, key=lambda pair: _order(pair[0])):
        words = {name: " ".join(f"{word:x}" for word in said[name]) for name in _STRUCTS}
        entries.append({"build": build.label, **words})
    RECORD.write_text(json.dumps(entries, indent=1) + "\n", "utf-8")


def _defined(words: dict[str, list[int]], masks: dict[str, list[int]]) -> list[list[int]]:
    """Both structs, without their padding; a struct of another size is like none."""
    pairs = [(words[name], masks[f"{name}_mask"]) for name in _STRUCTS]
    return [
        [word & mask for word, mask in zip(row, own, strict=True)] if len(row) == len(own) else []
        for row, own in pairs
    ]


def _numbers(entry: dict[str, str]) -> dict[str, list[int]]:
    return {name: [int(word, 16) for word in entry[name].split()] for name in _STRUCTS}


def _order(build: Build) -> tuple[bool, list[int]]:
    """By llama.cpp's number; releases with a version number came after all with another."""
    numbers = [int(part) for part in re.findall(r"\d+", build.release)]
    return build.package == TARBALL and build.release[0] == "v", numbers


if __name__ == "__main__":
    sys.exit(main())
