"""Open a llama.cpp library, or say in one sentence why that cannot be done.

Paths are absolute, nothing changes the working directory, and symbols stay private to our
handles: a second build of llama.cpp in the process, opened by someone else, is not disturbed.
"""

import ctypes
import os
import re
import struct
import sys
from pathlib import Path
from typing import Any

from funasr_cli.errors import LibraryError
from funasr_cli.llama import binary
from funasr_cli.llama.library import Found

# in the order in which they need each other
_PARTS = ("ggml-base", "ggml-cpu", "ggml")
_POINTER_BYTES = 8

_MISSING = (
    re.compile(r"^(?P<name>[^:]+): cannot open shared object file"),  # Linux
    re.compile(r"Library not loaded: (?P<name>\S+)"),  # macOS
)
_MIXED = ("undefined symbol", "Symbol not found", "WinError 127")
# start of a dependency's name -> where it comes from
_ORIGINS = {
    "vcruntime": "it belongs to Microsoft's Visual C++ Redistributable: install that",
    "msvcp": "it belongs to Microsoft's Visual C++ Redistributable: install that",
    "libgomp": "it belongs to the compiler's runtime: install your system's package libgomp1",
    "vulkan": "it belongs to the graphics driver: install that, or take a CPU build",
    "libvulkan": "it belongs to the Vulkan loader: install that, or take a CPU build",
    "cuda": "it belongs to CUDA: install that, or take a CPU build",
    "cublas": "it belongs to CUDA: install that, or take a CPU build",
    "libcuda": "it belongs to CUDA: install that, or take a CPU build",
    "libcublas": "it belongs to CUDA: install that, or take a CPU build",
    "ggml": "unpack the whole llama.cpp release, not only this file",
    "libggml": "unpack the whole llama.cpp release, not only this file",
    "@rpath/libggml": "unpack the whole llama.cpp release, not only this file",
}


class Library:
    """An opened library; it stays open for the life of the process.

    Raises:
        LibraryError: the file cannot be loaded; names it and says what to do.
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.path = found.path
        self._handles = _open(found)
        if found.is_multi_file and (other := self._part_of_another()):
            raise LibraryError(
                f"{self.path} would run with {other}, which this process had opened before: "
                "start a new process, and import no other program that uses llama.cpp in it"
            )

    def _part_of_another(self) -> str | None:
        """Name the file of another release that answers for ours: one name is loaded once."""
        for name in ("ggml_type_size", "ggml_backend_dev_count"):  # in ggml-base, in ggml
            function = self.symbol(name)
            home = _file_of(function) if function is not None else None
            if home and not Path(home).parent.samefile(self.path.parent):
                return home
        return None

    def symbol(self, name: str) -> Any | None:  # noqa: ANN401 - ctypes' functions have no type
        """A function of the library, or None."""
        # an attribute is resolved once and kept: whoever declares it declares it for all
        return next((getattr(h, name) for h in self._handles if hasattr(h, name)), None)


def _open(found: Found) -> list[ctypes.CDLL]:
    """Open the library, and on Windows the parts that export ggml_*."""
    if struct.calcsize("P") != _POINTER_BYTES:
        raise LibraryError("llama.cpp needs a 64-bit Python: install one")
    path = found.path
    parts = [part for name in _PARTS if (part := found.part(name))]
    for file in (path, *parts):
        reason = binary.why_unloadable(
            file, format_=binary.host_format(), machine=binary.host_machine()
        )
        if reason:
            raise LibraryError(f"{file} {reason}")
    # a failed check inside llama.cpp aborts; without this it would start a debugger first
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")
    try:
        if sys.platform == "win32":
            os.add_dll_directory(str(path.parent))
            # GetProcAddress does not look into a library's own dependencies
            return [ctypes.CDLL(str(p)) for p in (path, *parts)]
        return [_open_posix(path, parts)]
    except OSError as error:
        raise LibraryError(_explain(path, parts, error)) from error


def _open_posix(path: Path, parts: list[Path]) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        if not parts:
            raise
    # no RUNPATH: whoever is loaded already satisfies a dependency of the same name
    for part in parts:
        ctypes.CDLL(str(part))
    return ctypes.CDLL(str(path))


class _DlInfo(ctypes.Structure):
    """`Dl_info` of <dlfcn.h>."""

    _fields_ = (
        ("fname", ctypes.c_char_p),
        ("fbase", ctypes.c_void_p),
        ("sname", ctypes.c_char_p),
        ("saddr", ctypes.c_void_p),
    )


def _file_of(function: Any) -> str | None:  # noqa: ANN401 - ctypes' functions have no type
    """Which file a function lies in; None where the system does not tell (Windows)."""
    if sys.platform == "win32":
        return None
    info = _DlInfo()
    dladdr = getattr(ctypes.CDLL(None), "dladdr", None)
    address = ctypes.cast(function, ctypes.c_void_p)
    if dladdr is None or not dladdr(address, ctypes.byref(info)) or not info.fname:
        return None
    return os.fsdecode(info.fname)


def _explain(path: Path, parts: list[Path], error: OSError) -> str:
    """Turn the loader's words into what is wrong and what to do."""
    text = str(error)
    if missing := _missing_dependency(path, parts, text):
        return f"{path} needs {missing}, which is missing; {origin_of(missing)}"
    if any(sign in text for sign in _MIXED):
        return f"{path}: its folder mixes files of several llama.cpp releases ({text}): keep one"
    if "GLIBC" in text:
        return f"{path} was built for a newer system ({text}): `pip install xllamacpp` instead"
    if "system policy" in text or "code signature" in text:
        return (
            f"{path} is blocked by macOS: `xattr -dr com.apple.quarantine {path.parent}` ({text})"
        )
    return f"{path} cannot be loaded: {text}; take another build (`funasr runtime install --help`)"


def origin_of(missing: str) -> str:
    """Say where a missing library comes from, and so what to do."""
    for start, origin in _ORIGINS.items():
        if missing.lower().startswith(start):
            return origin
    return "install it, or take another build"


def _missing_dependency(path: Path, parts: list[Path], text: str) -> str | None:
    """Name of the library that the loader did not find; None: something else is wrong."""
    for pattern in _MISSING:
        found = pattern.search(text)
        if found and found["name"] != str(path):
            return found["name"]
    if "or one of its dependencies" not in text:
        return None
    # Windows does not say which: look where it looks
    system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
    for library in (path, *parts):
        for name in binary.imported_dlls(library):
            is_virtual = name.lower().startswith(("api-ms-", "ext-ms-"))
            if not is_virtual and not any((d / name).exists() for d in (path.parent, system)):
                return name
    return None
