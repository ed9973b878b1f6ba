"""What is freed goes back to the system: the size of a model is the size of the process."""

import platform
import subprocess
import sys

import pytest

from funasr_cli.memory import _glibc, available_bytes, returning_freed_blocks
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.onnx import Session

FREEING = """
import ctypes, sys
from contextlib import nullcontext
from pathlib import Path
from funasr_cli.memory import returning_freed_blocks

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def block(size):
    at = libc.malloc(size)
    ctypes.memset(at, 1, size)
    return at

libc.free(block(30_000_000))  # from now on glibc keeps what is smaller
before = resident()
with returning_freed_blocks() if sys.argv[1] == "yes" else nullcontext():
    blocks = [(block(2_000_000), block(20_000)) for _ in range(50)]
    for large, _small in blocks:  # the small ones stay between them
        libc.free(large)
print(resident() - before)
"""


def kept_bytes(returning: str) -> int:
    arguments = [sys.executable, "-c", FREEING, returning]
    return int(subprocess.run(arguments, capture_output=True, check=True).stdout)  # noqa: S603


@pytest.mark.skipif(_glibc() is None, reason="only glibc keeps large freed blocks")
def test_large_freed_blocks_go_back_to_the_system() -> None:
    assert kept_bytes("no") > 90_000_000
    assert kept_bytes("yes") < 5_000_000


@pytest.mark.skipif(_glibc() is None, reason="only glibc keeps freed blocks")
def test_what_a_run_has_freed_goes_back() -> None:
    script = FREEING.replace("returning_freed_blocks() if", "nullcontext() if").replace(
        "print(resident", "memory.give_back_freed()\nprint(resident"
    )
    script = script.replace(
        "import ctypes, sys", "import ctypes, sys\nfrom funasr_cli import memory"
    )
    arguments = [sys.executable, "-c", script, "no"]
    kept = int(subprocess.run(arguments, capture_output=True, check=True).stdout)  # noqa: S603
    assert kept < 5_000_000


def test_an_error_passes_through() -> None:
    with pytest.raises(KeyError), returning_freed_blocks():
        raise KeyError


def test_a_session_keeps_no_memory_of_its_last_run() -> None:
    session = Session(next(DEMO_MODEL.glob("*Encoder*")), threads=1)
    entry = "memory.enable_memory_arena_shrinkage"
    if platform.machine().lower() in {"x86_64", "amd64", "arm64", "aarch64"}:
        assert session._run_options.get_run_config_entry(entry) == "cpu:0"


def test_free_memory_is_a_sensible_number() -> None:
    free = available_bytes()
    assert free is None or 1_000_000 < free < 1 << 50
