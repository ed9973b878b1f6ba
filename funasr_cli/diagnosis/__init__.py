"""Can this machine transcribe, with what, how fast, and what must be mended?"""

from collections.abc import Iterator
from pathlib import Path

from funasr_cli.diagnosis.checks import Check, Diagnosis
from funasr_cli.diagnosis.machine import check_command, check_ffmpeg, check_packages, check_python
from funasr_cli.diagnosis.model import check_memory, check_model
from funasr_cli.options import RuntimeOptions

__all__ = ["Check", "Diagnosis", "diagnose", "diagnose_devices"]

# `runtimes` needs numpy, which may be what is broken: it is imported after `packages` told


def diagnose(model: Path | None, runtime: RuntimeOptions) -> Iterator[Check]:
    """Look at everything, each thing as it is found; the last ones take seconds.

    Args:
        model: model directory; None: the one that `funasr transcribe` would take.
        runtime: the llama.cpp to look at, and the threads of the self-test.
    """
    yield check_python()
    packages = check_packages()
    yield packages
    yield check_command()
    found = report = None
    if _has_numpy(packages):
        from funasr_cli.diagnosis.runtimes import check_devices, check_providers, find_library

        found, report, library = find_library(runtime.llama_bin)
        yield library
        if found and report:
            yield check_devices(found, report)
        yield check_providers()
    files, checked = check_model(model)
    yield checked
    if files:
        yield check_memory(files)
    yield check_ffmpeg()
    if found and report and files and "problem" not in {packages.status, checked.status}:
        from funasr_cli.diagnosis.runtimes import self_test

        yield self_test(found, report, files, runtime)


def diagnose_devices(llama_bin: Path | None) -> Iterator[Check]:
    """Look at what could be computed on, and at nothing else."""
    packages = check_packages()
    if packages.status == "problem":
        yield packages
    if not _has_numpy(packages):
        return
    from funasr_cli.diagnosis.runtimes import check_devices, check_providers, find_library

    found, report, library = find_library(llama_bin)
    if library.status != "ok":
        yield library
    if found and report:
        yield check_devices(found, report)
    yield check_providers()


def _has_numpy(packages: Check) -> bool:
    return "numpy" not in packages.facts["broken"]
