"""How much memory a process may still take, and giving back what it has freed."""

import ctypes
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc's malloc.h."""
_LARGE = 1 << 20
"""A matrix of the encoder has at least as many bytes."""
_LARGEST = 1 << 24
"""More than the logits of a step; onnxruntime's own blocks, which it frees after a run, are
larger. glibc's threshold ends at twice as much when it has seen blocks of every size."""


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        ("total", ctypes.c_uint64),
        ("available", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 5),
    )


def available_bytes() -> int | None:
    """Bytes that can be taken without swapping; containers' limits count; None: unknown."""
    with suppress(OSError, ValueError, AttributeError, subprocess.SubprocessError):
        if sys.platform == "win32":
            return _windows()
        if sys.platform == "darwin":
            return _macos()
        return _linux()
    return None


@contextmanager
def returning_freed_blocks() -> Iterator[None]:
    """Let large blocks that are freed in this block go back to the system at once.

    glibc keeps those that are smaller than the largest it has seen freed: onnxruntime reads a
    model of 0.9 GB, copies and frees it tensor by tensor, and up to 0.7 GB of that stayed in the
    process. Other systems give them back by themselves.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_MMAP_THRESHOLD, _LARGE)
    try:
        yield
    finally:
        # what is computed in large blocks again and again shall find them warm
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST)
        libc.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
        libc.malloc_trim(0)


def give_back_freed() -> None:
    """Give freed memory back to the system: glibc keeps it, 30 MB of it after an encoder's run."""
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def _linux() -> int | None:
    info = Path("/proc/meminfo").read_text("ascii", "replace")
    found = re.search(r"^MemAvailable:\s+(\d+) kB", info, re.MULTILINE)
    free = int(found[1]) * 1024 if found else None
    with suppress(OSError, ValueError):  # no such group, or the limit is "max"
        limit = int((_CGROUP / "memory.max").read_text())
        left = limit - int((_CGROUP / "memory.current").read_text()) + _reclaimable()
        return left if free is None else min(free, left)
    return free


def _reclaimable() -> int:
    """Bytes of files that were read, which a container's use counts and its kernel gives back."""
    with suppress(OSError):
        stat = (_CGROUP / "memory.stat").read_text()
        found = re.search(r"^inactive_file (\d+)$", stat, re.MULTILINE)
        return int(found[1]) if found else 0
    return 0


def _macos() -> int | None:
    told = subprocess.run(
        ["/usr/bin/vm_stat"], capture_output=True, text=True, check=True, timeout=5
    ).stdout
    page = re.search(r"page size of (\d+) bytes", told)
    pages = re.findall(r"^Pages (?:free|inactive|speculative):\s+(\d+)", told, re.MULTILINE)
    return int(page[1]) * sum(map(int, pages)) if page and pages else None


def _windows() -> int | None:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return int(status.available) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
