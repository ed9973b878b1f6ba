"""Load the backends of a multi-file release: its own files, each once, and say why one fails.

`ggml_backend_load_all_from_path` would do for the good case. It keeps silent about a GPU backend
whose driver is missing, and it also loads what the variable GGML_BACKEND_PATH names.
"""

import ctypes
import os
import re
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from funasr_cli.errors import LibraryError
from funasr_cli.llama import binary
from funasr_cli.llama.api import Api
from funasr_cli.llama.library import TAIL
from funasr_cli.llama.log import Log
from funasr_cli.llama.opening import origin_of

_BACKEND = re.compile(rf"(lib)?ggml-(?P<kind>[a-z0-9]+)(-(?P<variant>\w+))?{TAIL}", re.IGNORECASE)
_NOT_LOADED = frozenset({"base", "rpc"})  # no backend; one that works over a network
_OF_GPUS = frozenset({"vulkan", "cuda", "hip", "metal", "sycl"})
_LAST = "cpu"  # the order of devices is that of loading: the CPU comes last, as in llama.cpp


def load_backends(api: Api, log: Log, folder: Path) -> tuple[str, ...]:
    """Register every backend of a folder, of the CPU's variants the best for this processor.

    Returns:
        What is wrong with those that cannot be used, a sentence each.

    Raises:
        LibraryError: the library has no function to load them.
    """
    if api.ggml_backend_load is None:
        raise LibraryError(f"{folder}: a llama.cpp of several files that cannot load its backends")
    problems = []
    kinds = _backend_files(folder)
    for kind in sorted(kinds, key=lambda k: (k == _LAST, k)):
        path = _best(kinds[kind])
        log.clear()
        if reason := binary.why_unloadable(
            path, format_=binary.host_format(), machine=binary.host_machine()
        ):
            problems.append(f"{path.name} {reason}")
            continue
        before = api.ggml_backend_dev_count()
        if not api.ggml_backend_load(os.fsencode(path)):
            problems.append(f"{path.name} cannot be used: {_why(log)}")
        elif kind in _OF_GPUS and api.ggml_backend_dev_count() == before:
            problems.append(f"{path.name} finds no device: install the graphics card's driver")
    return tuple(problems)


def _backend_files(folder: Path) -> dict[str, list[Path]]:
    """By kind, the files of its variants; of several names of one file the plainest."""
    plainest: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.iterdir(), key=lambda p: (len(p.name), p.name)):
        match = _BACKEND.fullmatch(path.name)
        if match and match["kind"].lower() not in _NOT_LOADED:
            key = match["kind"].lower(), (match["variant"] or "").lower()
            plainest.setdefault(key, path)
    kinds = defaultdict[str, list[Path]](list)
    for (kind, _), path in plainest.items():
        kinds[kind].append(path)
    return kinds


def _best(variants: list[Path]) -> Path:
    """Choose by the score that each variant gives itself on this processor.

    0: it cannot run here; loading it will say why.
    """
    return variants[0] if len(variants) == 1 else max(variants, key=_score)


def _score(path: Path) -> int:
    with suppress(OSError, AttributeError):
        function = ctypes.CDLL(str(path)).ggml_backend_score
        function.restype, function.argtypes = ctypes.c_int, []
        return int(function())
    return 0


def _why(log: Log) -> str:
    """The loader's reason, with where the missing part comes from."""
    reason = log.reason()
    missing = re.search(r"(?:: |^)([\w@/.+-]+\.(?:so|dylib|dll)[\w.]*): cannot open", reason)
    if missing:
        return f"needs {missing[1]}, which is missing; {origin_of(missing[1])}"
    if "returned NULL" in reason:  # llama.cpp says no more than this
        return "it finds no driver that works: install the graphics card's driver"
    return reason
