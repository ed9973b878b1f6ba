"""Find a llama.cpp library.

Two kinds exist: official releases are several files in one folder (libllama, libggml,
libggml-base and backends that are loaded at run time), and some Python packages carry one
object that exports the whole C API.
"""

import importlib.util
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import LibraryError
from funasr_cli.folders import user_data_folder

ENVIRONMENT = "FUNASR_LLAMA_BIN"
FOLDER = "llama_bin"
DEFAULT_FILE = "default"
"""In the folder of installed releases: the name of the one to use."""
NONE = "none"
"""In its place: releases lie there, and none of them is to be used."""
RUNTIME = "funasr runtime: "
"""Start of `Found.source` for an installed release; its name follows."""

# libllama.so, libllama.so.0, libllama.v0.5.0.so, libllama.vulkan.b7698.so, libllama.0.dylib,
# llama.dll; not libllama-common. The last one is the extension of the package xllamacpp.
TAIL = r"(\.[\w.]+)?\.(so(\.\d+)*|dylib|dll)"
_NAMES = (
    re.compile(rf"(lib)?llama{TAIL}", re.IGNORECASE),
    re.compile(r"xllamacpp(\..+)?\.(so|pyd)", re.IGNORECASE),
)
# archives unpack to `build/bin/`, `llama-b1234/`, `package/bins/linux-x64/`
DEPTHS = ("*", "*/*", "*/*/*", "*/*/*/*")


@dataclass(frozen=True)
class Found:
    """A library that may be opened, and how we came to it."""

    path: Path
    """Absolute; the file that exports llama_*."""
    source: str
    """The option, variable, folder or package that led to it."""

    def part(self, name: str) -> Path | None:
        """The file of another part of a multi-file release, such as `ggml-base`."""
        pattern = re.compile(rf"(lib)?{name}{TAIL}", re.IGNORECASE)
        hits = [p for p in self.path.parent.iterdir() if pattern.fullmatch(p.name)]
        return min(hits, key=_plainness, default=None)

    @property
    def is_multi_file(self) -> bool:
        """Whether ggml lies beside it, in files of its own."""
        return self.part("ggml-base") is not None


def find(llama_bin: Path | None = None) -> Found:
    """Choose the library: option, environment, `funasr runtime`, llama_bin/ folders, packages.

    Args:
        llama_bin: a library or a folder that holds one; it is used or refused, never
            passed over.

    Raises:
        LibraryError: the named path holds none, or there is none anywhere.
    """
    named, source = llama_bin, "--llama-bin"
    if named is None and os.environ.get(ENVIRONMENT):
        named, source = Path(os.environ[ENVIRONMENT]), ENVIRONMENT
    if named is not None:
        try:
            # pathlib would raise for the home of nobody
            full = Path(os.path.expanduser(named)).absolute()  # noqa: PTH111
        except FileNotFoundError as error:
            raise LibraryError(
                f"{source}: {named} is relative to a folder that is gone; give an absolute path"
            ) from error
        return _explicit(full, source)
    if folder := default_runtime():
        if found := search(folder):
            return Found(found, f"{RUNTIME}{folder.name}")
        raise LibraryError(
            f"{folder}, the llama.cpp of `funasr runtime`, holds no library any more: "
            "`funasr runtime use none`, or install it again"
        )
    for folder, source in places():
        if path := search(folder):
            return Found(path, source)
    raise LibraryError(
        "no llama.cpp library found: `pip install xllamacpp`, or `funasr runtime install --help`"
    )


def places() -> Iterator[tuple[Path, str]]:
    """Where a library is looked for when none is named: folder and `Found.source`, in order."""
    for folder in dict.fromkeys(llama_bin_folders()):
        yield folder, str(folder)
    for package, subfolder in (("xllamacpp", ""), ("llama_cpp", "lib")):
        for folder in _package_folders(package):
            yield folder / subfolder, f"package {package}"


def llama_bin_folders() -> list[Path]:
    """Where a user may drop a release: beside the package, here, and in the user's data."""
    beside = Path(__file__).parents[2] / FOLDER
    # an installed package has site-packages beside it, which is nobody's place for libraries
    places = [beside] if beside.is_dir() else []
    with suppress(OSError):  # the working directory was deleted
        places.append(Path.cwd() / FOLDER)
    if default_note() != NONE:
        places.append(runtimes_folder())
    return places


def runtimes_folder() -> Path:
    """Where `funasr runtime install` puts releases, one folder each."""
    return user_data_folder() / FOLDER


def default_note() -> str | None:
    """Read which release is to be used, there or not; NONE: none of them; None: nobody said."""
    try:
        return (runtimes_folder() / DEFAULT_FILE).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def default_runtime() -> Path | None:
    """The folder of the release that `funasr runtime` made the default; None: there is none.

    Raises:
        LibraryError: it is gone.
    """
    name = default_note()
    if name is None or name == NONE:
        return None
    folder, note = runtimes_folder() / name, runtimes_folder() / DEFAULT_FILE
    if not name or Path(name).name != name or not folder.is_dir():
        raise LibraryError(
            f"{note} names {name!r} as the llama.cpp to use, and there is no such folder: "
            "`funasr runtime list`, then `funasr runtime use NAME` or `funasr runtime use none`"
        )
    return folder


def _explicit(path: Path, source: str) -> Found:
    try:
        # is_file() and glob() take what they may not look at for missing
        if stat.S_ISREG(path.stat().st_mode):
            return Found(path, source)
        os.listdir(path)  # noqa: PTH208
        library = search(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise LibraryError(
            f"{source}: {path} does not exist; name the folder of an unpacked llama.cpp release, "
            f"or leave {source} out"
        ) from error
    except OSError as error:
        raise LibraryError(
            f"{source}: {path}: {error.strerror or error}; let this user read it, or name another"
        ) from error
    if library is None:
        raise LibraryError(
            f"{source}: {path} holds no llama.cpp library (such as {example_name()}); "
            "unpack a llama.cpp release there"
        )
    return Found(library, source)


def search(folder: Path) -> Path | None:
    """The library of the release in a folder or a little below it; None: there is none."""
    for depth in DEPTHS:
        try:
            hits = [p for p in folder.glob(depth) if is_library_name(p.name) and p.is_file()]
        except PermissionError:  # whoever named a folder is told by _explicit
            return None
        places = sorted({hit.parent for hit in hits})
        if len(places) > 1:
            listed = ", ".join(map(str, places))
            raise LibraryError(
                f"{folder} holds several llama.cpp releases ({listed}): "
                f"keep one, or name one with --llama-bin, {ENVIRONMENT} or `funasr runtime use`"
            )
        if hits:
            return min(hits, key=_plainness)
    return None


def _plainness(path: Path) -> tuple[int, str]:
    """Sort key: libllama.so before libllama.so.0 before libllama.so.0.0.1234."""
    return len(path.name), path.name


def is_library_name(name: str) -> bool:
    """Whether a file of this name could export llama_*."""
    return any(pattern.fullmatch(name) for pattern in _NAMES)


def example_name() -> str:
    """What llama.cpp's main file is called on this system."""
    return {"win32": "llama.dll", "darwin": "libllama.dylib"}.get(sys.platform, "libllama.so")


def _package_folders(package: str) -> Iterator[Path]:
    """Where an installed package lies, without importing it: that would run its code."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # imported by someone else, in a way that left no spec
        return
    if spec is not None:
        yield from map(Path, spec.submodule_search_locations or ())
