"""Can this machine transcribe, with what, how fast, and what must be mended?"""

from collections.abc import Iterator
from pathlib import Path

from funasr_cli.diagnosis.checks import Check, Diagnosis
from funasr_cli.diagnosis.machine import check_command, check_ffmpeg, check_packages, check_python
from funasr_cli.diagnosis.model import check_memory, check_model
from funasr_cli.diagnosis.runtimes import (
    check_devices,
    check_providers,
    find_library,
    self_test,
)
from funasr_cli.llama.proving import Workload
from funasr_cli.onnx import usable_cores

__all__ = ["Check", "Diagnosis", "diagnose", "diagnose_devices"]


def diagnose(model: Path | None, llama_bin: Path | None, threads: int | None) -> Iterator[Check]:
    """Look at everything, each thing as it is found; the last ones take seconds.

    Args:
        model: model directory; None: the one that `funasr transcribe` would take.
        llama_bin: library or folder; None: likewise.
        threads: of the self-test; None: the usable cores.
    """
    yield check_python()
    packages = check_packages()
    yield packages
    yield check_command()
    found, report, library = find_library(llama_bin)
    yield library
    if report:
        yield check_devices(report)
    yield check_providers()
    files, checked = check_model(model)
    yield checked
    if files:
        yield check_memory(files)
    yield check_ffmpeg()
    if found and report and files and "problem" not in {packages.status, checked.status}:
        workload = Workload(files.decoder, threads or usable_cores(), files.exact)
        # an encoder of another tool has inputs of its own
        yield self_test(found, report, workload, files.encoder if files.facts else None)


def diagnose_devices(llama_bin: Path | None) -> Iterator[Check]:
    """Look at what could be computed on, and at nothing else."""
    _, report, library = find_library(llama_bin)
    if library.status != "ok":
        yield library
    if report:
        yield check_devices(report)
    yield check_providers()
