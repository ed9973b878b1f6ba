"""Read a zip or a tar of any kind, believing nothing that it says.

Archives come from the network: one with a path out of its folder, with devices or with headers
of absurd size is refused, never repaired.
"""

import bz2
import gzip
import lzma
import posixpath
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from funasr_cli.errors import InputError, LibraryError

LIMIT_BYTES = 8 << 30
"""Most that a release may unpack to; the largest known ones, with CUDA, have 2 GB."""
LIMIT_MEMBERS = 50_000

PIECE = 1 << 20
_LONGEST_READ = 16 << 20  # tarfile reads a header at once, whatever length it claims
_ELSEWHERE = "unpack it with another program and name the folder with --from"
_ENCRYPTED = 1
_UNIX = 3
_DRIVE = re.compile(r"[A-Za-z]:")
_WEB_PAGE = (b"<!doctype html", b"<html")
_PACKERS: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, IndexError, KeyError, OverflowError, ValueError),
)


@dataclass(frozen=True)
class Member:
    """One file or link."""

    path: str
    """Within the archive: `llama-b1234/libllama.so`."""
    target: str | None = None
    """Of a link: the path within the archive that it points to."""
    size: int = 0
    """Bytes that a header promises."""
    handle: Any = None
    """What the archive's reader knows it by."""


class Archive(Protocol):
    """What can be unpacked."""

    def members(self) -> Iterator[Member]:
        """Go through files and links; folders are passed over."""

    def open(self, member: Member) -> IO[bytes]:
        """Open a file."""


def open_archive(source: Path, label: str, stack: ExitStack) -> Archive:
    """Open an archive, by what it is and not by its name; `stack` closes it.

    Raises:
        LibraryError: it is none; names it by `label`.
    """
    file: IO[bytes] = stack.enter_context(source.open("rb"))
    head = _head(file)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _Zip(stack.enter_context(zipfile.ZipFile(file)))
    for magic, unpacker in _PACKERS.items():
        if head.startswith(magic):
            file = stack.enter_context(unpacker(file))
            head = _head(file)
    if head[257:262] == b"ustar":
        return _Tar(file, stack)
    if head.lstrip().lower().startswith(_WEB_PAGE):
        what = "is a web page, not an archive: take the address of the archive itself"
    elif not head:
        what = "is empty: download it again"
    else:
        what = f"is neither a zip nor a tar archive: take one that is, or {_ELSEWHERE}"
    raise LibraryError(f"{label} {what}")


def _head(file: IO[bytes]) -> bytes:
    head = file.read(tarfile.BLOCKSIZE)
    file.seek(0)
    return head


@contextmanager
def reading(label: str) -> Iterator[None]:
    """Name the archive in everything that goes wrong while it is read.

    Raises:
        LibraryError: it is damaged, refused or packed in a way that Python cannot unpack.
        InputError: the system cannot read it.
    """
    try:
        yield
    except Refused as error:
        raise LibraryError(f"{label} {error}") from error
    except NotImplementedError as error:
        why = f"is packed in a way that Python cannot unpack ({error})"
        raise LibraryError(f"{label} {why}: {_ELSEWHERE}") from error
    except _DAMAGE as error:
        why = str(error) or type(error).__name__
        raise _damaged(label, why) from error
    except OSError as error:
        if error.errno is None:  # the words of gzip and bz2
            raise _damaged(label, str(error)) from error
        raise InputError(f"{label}: cannot be read ({error.strerror})") from error


def _damaged(label: str, why: str) -> LibraryError:
    return LibraryError(f"{label} is damaged or cut off ({why}): download it again")


class Refused(Exception):  # noqa: N818 - never leaves this package: `reading` names the archive
    """What no honest release holds."""


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive

    def members(self) -> Iterator[Member]:
        infos = self._zip.infolist()
        if len(infos) > LIMIT_MEMBERS:
            raise too_large()
        for info in infos:
            if info.flag_bits & _ENCRYPTED:
                raise Refused(f"is protected by a password: {_ELSEWHERE}")
            path = _inside(info.orig_filename)  # the other name is cleaned already
            kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == _UNIX else 0
            if info.is_dir():
                continue
            if kind == stat.S_IFLNK:
                with self._zip.open(info) as file:
                    text = file.read(4096).decode()
                yield Member(path, _pointed_at(path, text), handle=info)
            elif kind in {0, stat.S_IFREG}:
                yield Member(path, size=info.file_size, handle=info)
            else:
                raise _odd(path)

    def open(self, member: Member) -> IO[bytes]:
        info: zipfile.ZipInfo = member.handle
        return self._zip.open(info)


class _Tar:
    def __init__(self, stream: IO[bytes], stack: ExitStack) -> None:
        self._stream = _Wary(stream)
        tar = tarfile.open(fileobj=self._stream, mode="r:")  # type: ignore[call-overload]  # noqa: SIM115
        self._tar: tarfile.TarFile = stack.enter_context(tar)

    def members(self) -> Iterator[Member]:
        total = 0
        for n, info in enumerate(self._tar):
            total += info.size
            if info.size < 0:
                raise tarfile.ReadError("a negative size")
            if total > LIMIT_BYTES or n >= LIMIT_MEMBERS:  # before what it promises is read
                raise too_large()
            path = _inside(info.name)
            if info.issym():
                yield Member(path, _pointed_at(path, info.linkname), handle=info)
            elif info.islnk():
                yield Member(path, _inside(info.linkname), handle=info)
            elif info.isreg():
                yield Member(path, size=info.size, handle=info)
            elif not info.isdir():
                raise _odd(path)
        self._check_end()

    def open(self, member: Member) -> IO[bytes]:
        file = self._tar.extractfile(member.handle)
        if file is None:
            raise tarfile.ReadError(f"{member.path} has no content")
        return file

    def _check_end(self) -> None:
        """Read on: tarfile takes a damaged header for the end, and never sees gzip's checksum."""
        self._stream.seek(self._tar.offset)
        if self._stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("its end is missing")
        left = LIMIT_BYTES
        while piece := self._stream.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise too_large()


class _Wary:
    """A stream that reads no piece of absurd length."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _LONGEST_READ:
            raise tarfile.ReadError(f"a header of {size} bytes")
        return self._stream.read(size)


def too_large() -> Refused:
    """Say that there is more in it than a release can have."""
    return Refused(
        f"unpacks to more than {LIMIT_BYTES / (1 << 30):g} GB or {LIMIT_MEMBERS} files: that is no "
        "llama.cpp release"
    )


def _odd(path: str) -> Refused:
    return Refused(f"holds {path!r}, which is neither file nor folder nor link: do not trust it")


def _inside(path: str) -> str:
    """Normalise a path within the archive; refuse one that leads out of it."""
    parts = path.split("/")
    if _is_foreign(path) or ".." in parts:
        raise Refused(f"holds {path!r}, a path that leads out of its folder: do not trust it")
    return posixpath.normpath(path)


def _pointed_at(path: str, text: str) -> str:
    """Where a symbolic link leads, within the archive; refuse one that leads out of it."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
    if _is_foreign(text) or target.split("/")[0] == "..":
        raise Refused(f"holds {path!r}, a link to {text!r}: do not trust it")
    return target


def _is_foreign(path: str) -> bool:
    """Whether it is absolute on some system, or nothing that a release needs."""
    is_odd = not path or "\0" in path or "\\" in path or path.startswith("/")
    return is_odd or _DRIVE.match(path) is not None
