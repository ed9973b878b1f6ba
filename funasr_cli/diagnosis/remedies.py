"""What mends a llama.cpp that cannot be used, or sees no GPU: it depends on the cause."""

import mmap
import os
from contextlib import ExitStack, suppress
from pathlib import Path

from funasr_cli.llama.library import ENVIRONMENT, NONE, Found, default_note
from funasr_cli.llama.proving import GPU_PARTS, LibraryReport

OTHER_BUILD = "funasr runtime install --help (another build of llama.cpp)"
DRIVER = "install the graphics driver, then: funasr doctor --retest"
NEWER_DRIVER = "install a newer graphics driver or build, then: funasr doctor --retest"
_NO_DRIVER = ("finds no device", "no driver")
_MARKS = (b"ggml_backend_vk", b"ggml_backend_cuda", b"ggml_backend_metal", b"ggml_backend_sycl")
"""Starts of the functions of a GPU's backend."""


def mend_library(
    llama_bin: Path | None, found: Found | None, report: LibraryReport | None = None
) -> str:
    """Name the command for a library that is not found, fails, or works in part.

    Args:
        llama_bin: what the user named.
        found: the library; None: there is none.
        report: what it says; None: it failed its test.
    """
    if report and report.gpu_crash:
        return NEWER_DRIVER
    if report and any(map(_is_of_driver, report.problems)):
        return DRIVER
    if llama_bin is not None:
        return "leave --llama-bin out, or name the folder of a llama.cpp release"
    if os.environ.get(ENVIRONMENT):
        return f"unset {ENVIRONMENT}"
    if found is None and default_note() not in {None, NONE}:
        return "funasr runtime use none"
    return OTHER_BUILD


def mend_no_gpu(found: Found, report: LibraryReport) -> str:
    """Say in a few words what a GPU would need to be seen."""
    if report.gpu_crash:
        return f"the build has a backend for one: {NEWER_DRIVER}"
    if _has_gpu_backend(found):
        return f"the build has a backend for one: {DRIVER}"
    return "one needs its driver and a build for it: funasr runtime install --help"


def _is_of_driver(problem: str) -> bool:
    if "which is missing" in problem:
        return any(part in problem for part in GPU_PARTS)
    return any(words in problem for words in _NO_DRIVER)


def _has_gpu_backend(found: Found) -> bool:
    """Whether a build could use GPUs: by its files, or what is inside of a single one."""
    if found.is_multi_file:
        return any(map(found.part, GPU_PARTS))
    with ExitStack() as stack:
        stack.enter_context(suppress(OSError, ValueError))
        file = stack.enter_context(found.path.open("rb"))
        data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return any(data.find(mark) >= 0 for mark in _MARKS)
    return False
