"""Opening, with the system's loader replaced: Windows and macOS are not at hand."""

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.errors import LibraryError
from funasr_cli.llama import binary, opening
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.opening import Library

Loader = Callable[..., object]


class Opened:
    """What CDLL returns: functions by name."""

    def __init__(self, *functions: str) -> None:
        for name in functions:
            setattr(self, name, name)


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of a Windows release, whose headers fit this machine."""
    folder = tmp_path / "发布 版"
    folder.mkdir()
    for name in ("llama.dll", "ggml.dll", "ggml-base.dll", "ggml-cpu-haswell.dll"):
        (folder / name).write_bytes(b"MZ")
    monkeypatch.setattr(binary, "why_unloadable", lambda *_, **__: None)
    return folder


def failing(message: str) -> Loader:
    def load(_: str, **__: object) -> object:
        raise OSError(message)

    return load


def test_windows(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide paths, the folder made known, and ggml_* found in the DLLs that export them."""
    added: list[str] = []
    asked: list[str] = []

    def load(name: str, **_: object) -> object:
        asked.append(name)
        functions = {"llama.dll": ["llama_decode"], "ggml.dll": ["ggml_backend_load_all"]}
        return Opened(*functions.get(Path(name).name, ["ggml_version"]))

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "add_dll_directory", added.append, raising=False)
    monkeypatch.setattr(ctypes, "CDLL", load)
    library = Library(Found(release / "llama.dll", "test"))
    assert added == [str(release)]
    assert asked == [str(release / name) for name in ("llama.dll", "ggml-base.dll", "ggml.dll")]
    for name in ("llama_decode", "ggml_backend_load_all", "ggml_version"):
        assert library.symbol(name) == name
    assert library.symbol("llama_nothing") is None
    assert library.found.is_multi_file


def test_parts_are_opened_first_where_the_library_does_not_find_them(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some wheels have no RUNPATH; nothing is made global for it."""
    asked: list[str] = []

    def load(name: str, *mode: object, **modes: object) -> object:
        assert not mode
        assert not modes
        asked.append(Path(name).name)
        if asked == ["llama.dll"]:
            raise OSError("libggml.so: cannot open shared object file: No such file or directory")
        return Opened()

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", load)
    Library(Found(release / "llama.dll", "test"))
    assert asked == ["llama.dll", "ggml-base.dll", "ggml.dll", "llama.dll"]


def test_parts_of_another_release_are_not_used(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library of one name is loaded once: a second release would run with the first's base."""
    home = {"ggml_type_size": str(tmp_path / "libggml-base.so"), "ggml_backend_dev_count": None}
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Opened(*home))
    monkeypatch.setattr(opening, "_file_of", home.get)
    with pytest.raises(LibraryError, match=r"would run with .*libggml-base.so.*a new process"):
        Library(Found(release / "llama.dll", "test"))
    home["ggml_type_size"] = str(release / "ggml-base.dll")
    Library(Found(release / "llama.dll", "test"))


def test_which_file_a_function_lies_in() -> None:
    library = Library(find())
    told = None if sys.platform == "win32" else str(find().path)
    assert opening._file_of(library.symbol("llama_decode")) == told


@pytest.mark.parametrize(
    ("loader_says", "we_say"),
    [
        ("libggml.so.0: cannot open shared object file: No such file", "unpack the whole"),
        ("libvulkan.so.1: cannot open shared object file: No such file", "take a CPU build"),
        ("libcudart.so.12: cannot open shared object file: No such file", "take a CPU build"),
        ("libgomp.so.1: cannot open shared object file: No such file", "libgomp1"),
        ("libxyz.so.1: cannot open shared object file: No such file", "needs libxyz.so.1"),
        ("dlopen(x): Library not loaded: @rpath/libggml.dylib\n  Referenced", "unpack the whole"),
        ("/x/libllama.so: undefined symbol: ggml_new_op", "mixes files of several"),
        ("[WinError 127] The specified procedure could not be found", "mixes files of several"),
        ("/lib/libc.so.6: version `GLIBC_2.38' not found", "built for a newer system"),
        ("code signature in <X> not valid for use: library load disallowed", "xattr"),
        ("[WinError 1114] initialisation failed", "cannot be loaded: [WinError 1114]"),
    ],
)
def test_the_loaders_words_become_advice(
    release: Path, monkeypatch: pytest.MonkeyPatch, loader_says: str, we_say: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", failing(loader_says))
    with pytest.raises(LibraryError) as error:
        Library(Found(release / "llama.dll", "test"))
    assert str(error.value).startswith(str(release))
    assert we_say in str(error.value)


@pytest.mark.parametrize(
    ("imports", "we_say"),
    [
        ({"llama.dll": ["KERNEL32.dll", "api-ms-win-crt-x.dll", "ggml.dll"]}, "cannot be loaded"),
        ({"llama.dll": ["MSVCP140.dll"]}, "needs MSVCP140.dll.*Visual C"),
        ({"ggml.dll": ["vulkan-1.dll"]}, "needs vulkan-1.dll.*graphics driver"),
        ({"llama.dll": ["ggml-rpc.dll"]}, "needs ggml-rpc.dll.*unpack the whole"),
    ],
)
def test_windows_does_not_say_which_dll_is_missing(
    release: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    imports: dict[str, list[str]],
    we_say: str,
) -> None:
    system = tmp_path / "System32"
    system.mkdir()
    (system / "KERNEL32.dll").touch()
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "add_dll_directory", str, raising=False)
    monkeypatch.setattr(binary, "imported_dlls", lambda path: imports.get(path.name, []))
    says = f"Could not find module '{release / 'llama.dll'}' (or one of its dependencies)."
    monkeypatch.setattr(ctypes, "CDLL", failing(says))
    with pytest.raises(LibraryError, match=we_say):
        Library(Found(release / "llama.dll", "test"))


def test_a_file_that_cannot_be_a_library_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "libllama.so"
    path.write_text("not found\n")
    monkeypatch.setattr(ctypes, "CDLL", failing("opened"))
    with pytest.raises(LibraryError, match="is not a shared library"):
        Library(Found(path, "test"))


def test_a_32_bit_python(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_POINTER_BYTES", 4)
    with pytest.raises(LibraryError, match="64-bit Python"):
        Library(Found(release / "llama.dll", "test"))
