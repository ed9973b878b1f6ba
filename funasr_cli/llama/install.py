"""Install a llama.cpp release: fetch, check, unpack, prove, and only then put in its place."""

import os
import re
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from funasr_cli.errors import InputError, LibraryError, UsageError
from funasr_cli.llama.library import DEFAULT_FILE, NONE, RUNTIME, Found, runtimes_folder
from funasr_cli.llama.releases import BUILD, RELEASES_PAGE, Release, library_of, workplace

if TYPE_CHECKING:
    from funasr_cli.llama.proving import LibraryReport

_ARCHIVE = re.compile(r"\.(zip|whl|tar|tgz|txz|tbz2?|tar\.(gz|xz|bz2))$", re.IGNORECASE)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")  # one letter is a drive
_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_UNFIT = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
_LONGEST_NAME = 80
_PIECE = 1 << 20
_TRIES, _PAUSE_S = 10, 0.3


def install(
    source: str,
    *,
    name: str | None = None,
    sha256: str | None = None,
    force: bool = False,
    progress: Callable[[int, int | None], None] = lambda _done, _total: None,
) -> tuple[Release, "LibraryReport"]:
    """Install a release that works on this machine; nothing is left of one that does not.

    Args:
        source: an archive, a folder with an unpacked release, or an address.
        name: what to call it; by default like the archive.
        sha256: what the archive must hash to.
        force: replace a release of this name.
        progress: is told how far a download is: bytes, and bytes in all if known.

    Raises:
        UsageError: the name is taken, or an option means nothing.
        InputError: the source cannot be read or downloaded.
        LibraryError: the archive is not what it should be, or its library does not work here.
        OutputError: the user's folder cannot be written.
    """
    from funasr_cli.llama.unpack import unpack

    path = _local(source, is_sealed=sha256 is not None)
    expected = _checked_hash(sha256, path)
    name = default_name(source) if name is None else checked_name(name)
    folder = runtimes_folder() / name
    if (folder.exists() or folder.is_symlink()) and not force:
        raise UsageError(
            f"{name} is installed already: --force replaces it, --name gives this one another name"
        )
    with workplace() as work:
        archive = path or _downloaded(source, work, progress, is_sealed=expected is not None)
        if expected:
            _compare(archive, expected, source)
        draft = work / "new" / name
        draft.mkdir(parents=True)
        unpack(archive, draft, label=source)
        report = _proven(draft, name)
        _swap(draft, folder, work)
    return Release(name, folder, library_of(folder)), report


def default_name(source: str) -> str:
    """Derive a release's name from its archive, folder or address.

    Raises:
        UsageError: nothing of it can be a name.
    """
    if _URL.match(source):
        last = unquote(urlsplit(source).path.rstrip("/").rpartition("/")[2])
    else:
        last = Path(os.path.abspath(os.path.expanduser(source))).name  # noqa: PTH100, PTH111
    stem = _ARCHIVE.sub("", last)
    name = _UNFIT.sub("_", stem)[:_LONGEST_NAME].strip(" .")
    if not name or _why_no_name(name):
        raise UsageError(f"{source}: cannot name a release; give it a name with --name")
    return name


def checked_name(name: str) -> str:
    """Return a release's name if every system can have a folder called so.

    Raises:
        UsageError: says why not.
    """
    if reason := _why_no_name(name):
        raise UsageError(f"--name {name!r}: {reason}")
    return name


def _why_no_name(name: str) -> str | None:
    if name.casefold() in {NONE, DEFAULT_FILE}:
        return "has a meaning of its own; choose another"
    if not name or name != name.strip(" .") or _UNFIT.search(name):
        return 'may not begin or end with a dot or space, nor contain any of < > : " / \\ | ? *'
    if len(name) > _LONGEST_NAME:
        return f"is longer than {_LONGEST_NAME} characters"
    return "is a device on Windows; choose another" if _DEVICES.fullmatch(name) else None


def _local(source: str, *, is_sealed: bool) -> Path | None:
    """The file or folder that a source names; None: it is an address, and may be used."""
    if _URL.match(source):
        from funasr_cli.llama.download import check_address

        if BUILD in source:
            raise UsageError(
                f"{source}: put the build's number in place of {BUILD}; {RELEASES_PAGE} shows it"
            )
        check_address(source, is_sealed=is_sealed)
        return None
    if not source.strip():
        raise UsageError("--from: is empty; name an archive, a folder or an address")
    path = Path(os.path.expanduser(source))  # noqa: PTH111 - pathlib would raise for nobody's home
    name_one = "name an archive, a folder or an address"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise InputError(f"{source}: {error.strerror or error}; {name_one}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{source}: is neither a file nor a folder; {name_one}")
    return path


def _checked_hash(text: str | None, path: Path | None) -> str | None:
    if text is None:
        return None
    if path and path.is_dir():
        raise UsageError(f"--sha256: {path} is a folder, and only a file has a hash; leave it out")
    match = _HASH.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"--sha256 {text}: is no SHA-256; it has 64 digits from 0-9 and a-f")
    return match[1]


def _compare(archive: Path, expected: str, source: str) -> None:
    digest = new_sha256()
    try:
        with archive.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror or error})") from error
    if digest.hexdigest() != expected:
        raise LibraryError(
            f"{source} is not the file you asked for: its sha256 is {digest.hexdigest()}, "
            f"--sha256 says {expected}; download it again, and do not use this one"
        )


def _downloaded(
    url: str, work: Path, progress: Callable[[int, int | None], None], *, is_sealed: bool
) -> Path:
    from funasr_cli.llama.download import download

    target = work / "archive"
    download(url, target, is_sealed=is_sealed, progress=progress)
    return target


def _proven(draft: Path, name: str) -> "LibraryReport":
    """Try the library where it lies; its messages must not name a folder that will be gone."""
    from funasr_cli.llama.proving import prove_library

    library = library_of(draft) or draft  # which says what it lacks
    try:
        return prove_library(Found(library, f"{RUNTIME}{name}"))
    except LibraryError as error:
        reason = str(error).replace(f"{draft}{os.sep}", "").replace(str(draft), name)
        raise LibraryError(f"{name} is not installed: {reason}") from error


def _swap(draft: Path, folder: Path, work: Path) -> None:
    """Put the new release in its place, and the old one where it will be deleted."""
    old = work / "old"
    with suppress(FileNotFoundError):
        _rename(folder, old)
    try:
        _rename(draft, folder)
    except BaseException:
        with suppress(FileNotFoundError):
            old.rename(folder)
        raise


def _rename(path: Path, to: Path) -> None:
    """Rename; on Windows a virus scanner may hold new files for a moment."""
    for _ in range(_TRIES if sys.platform == "win32" else 0):
        with suppress(PermissionError):
            path.rename(to)
            return
        time.sleep(_PAUSE_S)
    path.rename(to)
