"""Folders, patterns, lists and files -> the inputs of a batch, each with its place in the tree."""

import glob
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from funasr_cli.cli.arguments import STDIN
from funasr_cli.errors import InputError

_AUDIO = (
    "aac ac3 aif aiff amr ape au caf dts flac m4a m4b mka mp2 mp3 oga ogg opus qcp ra spx tta voc "
    "w64 wav weba wma wv"
)
_VIDEO = "3g2 3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv rm rmvb ts vob webm wmv"
MEDIA = frozenset(f"{_AUDIO} {_VIDEO}".split())
"""Suffixes of what is taken from folders; a file that is named is taken whatever it is called."""


@dataclass(frozen=True)
class Input:
    """One recording of a batch."""

    path: str
    """As it is opened and told of."""
    key: str
    """Absolute, its folder without links: the same however the file is named."""
    below: Path
    """Folder that it has in the tree, relative."""


@dataclass(frozen=True)
class Gathered:
    """What a batch has to do with."""

    inputs: tuple[Input, ...]
    missing: tuple[tuple[str, str], ...]
    """(name, reason) of what was asked for and is not there."""


def gather(paths: Sequence[str], lists: Sequence[str], *, recursive: bool) -> Gathered:
    """Find the recordings.

    Those of one folder have the tree of that folder; of several folders, each has its own under
    its name. Files that are named have the tree below the folder that all of them share.

    Args:
        paths: files, folders and patterns.
        lists: files of paths, one a line or separated by NUL; - is stdin.
        recursive: also take what is in folders of folders.

    Raises:
        InputError: a list cannot be read.
    """
    missing: list[tuple[str, str]] = []
    named = [*paths, *(name for one in lists for name in read_list(one))]
    files: list[str] = []
    folders: list[str] = []
    for name in named:
        found = expanded(name)
        if not found:
            missing.append((name, "no file matches this pattern"))
        for one in found:
            (folders if os.path.isdir(one) else files).append(one)  # noqa: PTH112 - as typed
    inputs: dict[str, Input] = {}
    for folder in folders:
        found_here = list(_in_folder(folder, recursive=recursive))
        if not found_here:
            deeper = "" if recursive else "; -r looks into the folders in it"
            missing.append((folder, f"no recordings in this folder{deeper}"))
        for path, below in found_here:
            own = below if len(folders) == 1 else Path(Path(_key(folder)).name, below)
            _add(inputs, path, own)
    shared = _shared(files)
    for path in files:
        if not os.path.lexists(path):
            missing.append((path, "no such file"))
        else:
            _add(inputs, path, _below(path, shared))
    return Gathered(tuple(inputs.values()), tuple(missing))


def read_list(name: str) -> Iterator[str]:
    """Read paths, one a line or, if there is a NUL, separated by it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if name != STDIN:
            data = Path(name).read_bytes()
        elif sys.stdin is None:
            raise InputError("--from-file -: stdin is closed")
        else:
            data = sys.stdin.buffer.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--from-file {name}: cannot be read ({reason})") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    entries = data.split(b"\0") if b"\0" in data else data.splitlines()
    for entry in entries:
        if entry.strip():
            yield entry.decode("utf-8", "surrogateescape")


def expanded(name: str) -> list[str]:
    """Expand a pattern that no shell has (Windows); whatever exists is no pattern.

    Returns:
        What there is, in order; nothing where nothing matches. Of what matches, pipes and
        devices are left out.
    """
    try:
        if not glob.has_magic(name) or os.path.lexists(name):
            return [name]
    except ValueError:
        return [name]
    found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 - as it was typed
    return [one for one in found if not _is_special(one)]


def _in_folder(folder: str, *, recursive: bool) -> Iterator[tuple[str, Path]]:
    """Yield (path, its folder relative to `folder`); what is hidden or no file is left out."""
    for where, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if recursive and not name.startswith("."))
        below = Path(os.path.relpath(where, folder))
        for name in sorted(names):
            path = os.path.join(where, name)  # noqa: PTH118 - as it was typed
            if _is_media(name) and not _is_special(path):
                yield path, below


def _is_media(name: str) -> bool:
    stem, _, suffix = name.rpartition(".")
    return bool(stem) and not stem.startswith(".") and suffix.lower() in MEDIA


def _is_special(path: str) -> bool:
    """Whether this is a pipe, a socket or a device: to read it could take for ever."""
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - ten thousand of them
    except OSError:
        return False  # reading it tells what is wrong
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _shared(files: Iterable[str]) -> str | None:
    """Name the folder that all files are below; None where there is none (drives of Windows)."""
    try:
        return os.path.commonpath([os.path.dirname(_key(path)) for path in files])  # noqa: PTH120
    except ValueError:
        return None


def _below(path: str, shared: str | None) -> Path:
    if shared is None:
        return Path()
    return Path(os.path.relpath(os.path.dirname(_key(path)), shared))  # noqa: PTH120


def _add(inputs: dict[str, Input], path: str, below: Path) -> None:
    key = _key(path)
    inputs.setdefault(os.path.normcase(key), Input(path, key, below))


def _key(path: str) -> str:
    folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - pathlib is ten times slower
    return os.path.join(_real(folder), name)  # noqa: PTH118


@lru_cache(maxsize=4096)
def _real(folder: str) -> str:
    return os.path.realpath(folder)
