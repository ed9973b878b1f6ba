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

ENVIRONMENT = "FUNASR_LLAMA_BIN"
FOLDER = "llama_bin"

# libllama.so, libllama.so.0, libllama.v0.5.0.so, libllama.0.dylib, llama.dll; not
# libllama-common. The last one is the extension of the package xllamacpp.
_NAMES = (
    re.compile(r"(lib)?llama(\.v?\d[\w.]*)?\.(so(\.\d+)*|dylib|dll)", re.IGNORECASE),
    re.compile(r"xllamacpp(\..+)?\.(so|pyd)", re.IGNORECASE),
)
_DEPTHS = ("*", "*/*", "*/*/*")  # archives unpack to `build/bin/` or `llama-b1234/`


@dataclass(frozen=True)
class Found:
    """A library that may be opened, and how we came to it."""

    path: Path
    """Absolute; the file that exports llama_*."""
    source: str
    """The option, variable, folder or package that led to it."""

    def part(self, name: str) -> Path | None:
        """The file of another part of a multi-file release, such as `ggml-base`."""
        pattern = re.compile(rf"(lib)?{name}(\.v?\d[\w.]*)?\.(so(\.\d+)*|dylib|dll)", re.IGNORECASE)
        hits = [p for p in self.path.parent.iterdir() if pattern.fullmatch(p.name)]
        return min(hits, key=_plainness, default=None)

    @property
    def is_multi_file(self) -> bool:
        """Whether ggml lies beside it, in files of its own."""
        return self.part("ggml-base") is not None


def find(llama_bin: Path | None = None) -> Found:
    """Choose the library: option, environment, llama_bin/ folders, installed packages.

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
        # pathlib would raise for the home of nobody
        return _explicit(Path(os.path.expanduser(named)).absolute(), source)  # noqa: PTH111
    for folder in llama_bin_folders():
        if path := _search(folder):
            return Found(path, str(folder))
    for package, subfolder in (("xllamacpp", ""), ("llama_cpp", "lib")):
        for folder in _package_folders(package):
            if path := _search(folder / subfolder):
                return Found(path, f"package {package}")
    raise LibraryError(
        "no llama.cpp library found: `pip install xllamacpp`, or unpack a llama.cpp release "
        f"into {llama_bin_folders()[0]} (see llama_bin/README.md)"
    )


def llama_bin_folders() -> list[Path]:
    """Where a user may drop a release: beside the package, here, and in the user's data."""
    beside = Path(__file__).parents[2] / FOLDER
    # an installed package has site-packages beside it, which is nobody's place for libraries
    places = [beside] if beside.is_dir() else []
    with suppress(OSError):  # the working directory was deleted
        places.append(Path.cwd() / FOLDER)
    return [*places, user_data_folder() / FOLDER]


def user_data_folder() -> Path:
    """This program's folder for data that outlives an upgrade."""
    home = Path.home()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or home / ".local" / "share"
    return Path(base) / "funasr-cli"


def _explicit(path: Path, source: str) -> Found:
    try:
        # is_file() and glob() take what they may not look at for missing
        if stat.S_ISREG(path.stat().st_mode):
            return Found(path, source)
        os.listdir(path)  # noqa: PTH208
        library = _search(path)
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
            f"{source}: {path} holds no llama.cpp library (such as {_example_name()}); "
            "unpack a llama.cpp release there"
        )
    return Found(library, source)


def _search(folder: Path) -> Path | None:
    """The library of the release in a folder or a little below it; None: there is none."""
    for depth in _DEPTHS:
        hits = [p for p in folder.glob(depth) if _is_library_name(p.name) and p.is_file()]
        places = sorted({hit.parent for hit in hits})
        if len(places) > 1:
            listed = ", ".join(map(str, places))
            raise LibraryError(
                f"{folder} holds several llama.cpp releases ({listed}): "
                f"keep one, or name one with --llama-bin or {ENVIRONMENT}"
            )
        if hits:
            return min(hits, key=_plainness)
    return None


def _plainness(path: Path) -> tuple[int, str]:
    """Sort key: libllama.so before libllama.so.0 before libllama.so.0.0.1234."""
    return len(path.name), path.name


def _is_library_name(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in _NAMES)


def _example_name() -> str:
    return {"win32": "llama.dll", "darwin": "libllama.dylib"}.get(sys.platform, "libllama.so")


def _package_folders(package: str) -> Iterator[Path]:
    """Where an installed package lies, without importing it: that would run its code."""
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # imported by someone else, in a way that left no spec
        return
    if spec is not None:
        yield from map(Path, spec.submodule_search_locations or ())
