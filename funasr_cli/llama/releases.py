"""The llama.cpp releases that this program keeps for the user, and where to get them.

Each is one folder of `library.runtimes_folder()`, which appears there whole or not at all.
"""

import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO

from funasr_cli.errors import LibraryError, OutputError, UsageError
from funasr_cli.llama import binary
from funasr_cli.llama.library import (
    DEFAULT_FILE,
    DEPTHS,
    NONE,
    Found,
    default_note,
    places,
    runtimes_folder,
    search,
)

RELEASES_PAGE = "https://github.com/ggml-org/llama.cpp/releases/latest"
BUILD = "bNNNN"
"""Stands for the number of a build in `official_archives`."""

# system, processor -> what the build computes on, end of its archive's name
_OFFICIAL = {
    ("win32", "x86_64"): (("CPU", "win-cpu-x64.zip"), ("Vulkan", "win-vulkan-x64.zip")),
    ("win32", "arm64"): (("CPU", "win-cpu-arm64.zip"),),
    ("linux", "x86_64"): (("CPU", "ubuntu-x64.tar.gz"), ("Vulkan", "ubuntu-vulkan-x64.tar.gz")),
    ("linux", "arm64"): (("CPU", "ubuntu-arm64.tar.gz"), ("Vulkan", "ubuntu-vulkan-arm64.tar.gz")),
    ("darwin", "arm64"): (("Metal", "macos-arm64.tar.gz"),),
    ("darwin", "x86_64"): (("CPU", "macos-x64.tar.gz"),),
}
_WORK = ".installing-"
_LOCK = ".lock"


def official_archives() -> tuple[tuple[str, str], ...]:
    """The official builds for this system and processor: what for, address.

    Every build computes on the CPU; `BUILD` in an address stands for its number.
    """
    folder = f"{RELEASES_PAGE.removesuffix('latest')}download/{BUILD}"
    ends = _OFFICIAL.get((sys.platform, binary.host_machine()), ())
    return tuple((use, f"{folder}/llama-{BUILD}-bin-{end}") for use, end in ends)


@dataclass(frozen=True)
class Release:
    """An installed release."""

    name: str
    folder: Path
    library: Path | None
    """The file to open; None: there is none, or several releases lie in this folder."""

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        files = (p.lstat() for p in self.folder.rglob("*") if p.is_file() and not p.is_symlink())
        return sum(f.st_size for f in files)


def installed() -> list[Release]:
    """Every release in the user's folder, by name."""
    with suppress(OSError):
        folders = sorted(p for p in runtimes_folder().iterdir() if p.is_dir())
        return [Release(p.name, p, library_of(p)) for p in folders if p.name[0] != "."]
    return []


def find_release(name: str) -> Release:
    """Look up an installed release.

    Raises:
        UsageError: there is none of this name; lists those that there are.
    """
    known = {release.name: release for release in installed()}
    if name in known:
        return known[name]
    if not known:
        raise UsageError(
            f"{name}: no release is installed in {runtimes_folder()}; "
            "`funasr runtime install --help` tells where to get one"
        )
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UsageError(f"{name}: no such release; {hint}Installed: {', '.join(known)}")


def set_default(release: Release | None) -> None:
    """Make an installed release the one to use; None: none of them.

    Raises:
        LibraryError: there is nothing in it to use.
        OutputError: the note cannot be written.
    """
    if release and release.library is None:
        raise LibraryError(f"{release.folder} holds no llama.cpp library, or several: remove it")
    note = runtimes_folder() / DEFAULT_FILE
    draft = note.with_name(f".{DEFAULT_FILE}.new")
    with writing():
        if release is None and not installed():
            note.unlink(missing_ok=True)
        else:
            draft.write_text(f"{release.name if release else NONE}\n", "utf-8")
            draft.replace(note)


def remove(release: Release) -> None:
    """Delete a release, and the note that it is the default.

    Raises:
        OutputError: it is in use or may not be deleted.
    """
    with workplace() as work:
        release.folder.rename(work / "old")
        if default_note() in {release.name, NONE}:
            set_default(None)


def others() -> Iterator[Found | LibraryError]:
    """Go through the libraries outside of the user's releases, in the order of `library.find`.

    A place that would make it fail stands there as the error.
    """
    for folder, source in places():
        is_home = folder == runtimes_folder()
        try:
            path = search(folder)
        except LibraryError as error:
            if not is_home:
                yield error
            continue
        if path and not (is_home and path.parent != folder):
            yield Found(path, source)


@contextmanager
def workplace() -> Iterator[Path]:
    """A new folder beside the releases to work in; gone afterwards, however the work ends.

    What a killed process left there is cleaned up first.

    Raises:
        OutputError: the user's folder cannot be written, or another process works there.
    """
    home = runtimes_folder()
    with writing():
        home.mkdir(parents=True, exist_ok=True)
        with (home / _LOCK).open("ab") as lock:
            if not _is_alone(lock):
                raise OutputError(f"{home}: another `funasr runtime` is at work there; wait for it")
            for leftover in home.glob(f"{_WORK}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            top = home / f"{_WORK}{secrets.token_hex(4)}"
            # so deep that nobody who looks for a library finds what is half-written
            work = top.joinpath(*"_" * len(DEPTHS))
            try:
                work.mkdir(parents=True)
                yield work
            finally:
                shutil.rmtree(top, ignore_errors=True)


@contextmanager
def writing() -> Iterator[None]:
    """Name the user's folder in whatever goes wrong while something is written there."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{runtimes_folder()}: cannot be written ({error.strerror or error}); make room on its "
            "disk, let this user write there, and close programs that use a release of it"
        ) from error


def _is_alone(lock: IO[bytes]) -> bool:
    """Lock a file until it is closed; the system does that for processes that are killed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a network disk without locks
        return True
    return True


def library_of(folder: Path) -> Path | None:
    """The file of a release that is opened; None: it has none, or those of several releases."""
    with suppress(LibraryError, OSError):
        return search(folder)
    return None
