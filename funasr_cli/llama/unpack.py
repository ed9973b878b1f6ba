"""Take the libraries of a llama.cpp release, out of an archive or a folder, into one folder."""

import os
import posixpath
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from funasr_cli.errors import LibraryError
from funasr_cli.llama import archives
from funasr_cli.llama.archives import Archive, Member, Refused, open_archive, reading, too_large
from funasr_cli.llama.library import DEPTHS, example_name, is_library_name

# libggml-cpu-haswell.so, libggml.so.0, libggml.v0.5.0.so, libggml.0.dylib, ggml-vulkan.dll
_LIBRARY = re.compile(r"[^.].*\.(so(\.\d+)*|dylib|dll|pyd)", re.IGNORECASE)
_LICENCE = re.compile(r"LICEN[CS]E.*", re.IGNORECASE)
_UNWRITABLE = re.compile(r'[<>:"|?*\x00-\x1f]|[. ]$')  # on one system or another


def unpack(source: Path, folder: Path, *, label: str = "") -> None:
    """Copy the libraries of a release into an empty folder, and its licences.

    Programs, headers and folders are left out. Links between two libraries stay links where
    the system has them.

    Args:
        source: an archive, or a folder with an unpacked release in it or a little below.
        folder: where to; exists.
        label: what messages call the archive; its path, if nothing else is given.

    Raises:
        LibraryError: damaged, of an unknown kind, not to be trusted, or no llama.cpp in it.
        InputError: the system cannot read it.
        OSError: the libraries cannot be written.
    """
    label = label or str(source)
    with ExitStack() as stack:
        with reading(label):
            if source.is_dir():
                archive: Archive = _Folder(source)
            else:
                archive = open_archive(source, label, stack)
            taken = _libraries(archive.members())
        left = archives.LIMIT_BYTES
        for name, member in taken.items():
            if member.target is None:
                left -= _copy(_pieces(archive, member, label), folder / name, left, label)
    for name, member in taken.items():
        if member.target is not None:
            left -= _link(folder, name, taken, left, label)


class _Folder:
    """A release that the user has unpacked; its files are his, so links may lead anywhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def members(self) -> Iterator[Member]:
        os.listdir(self._folder)  # noqa: PTH208 - glob takes what it may not look at for empty
        for depth in DEPTHS:
            hits = [p for p in self._folder.glob(depth) if is_library_name(p.name)]
            places = sorted({p.parent for p in hits if p.is_file()})
            if places:
                _one(list(map(str, places)))
                yield from self._files(places[0])
                return

    @staticmethod
    def _files(place: Path) -> Iterator[Member]:
        for path in sorted(place.iterdir()):
            if not path.is_file():
                continue
            link = str(path.readlink()) if path.is_symlink() else ""
            is_near = link == Path(link).name and _is_wanted(link) and (place / link).is_file()
            yield Member(path.name, link if is_near else None, path.stat().st_size, path)

    def open(self, member: Member) -> IO[bytes]:
        path: Path = member.handle
        return path.open("rb")


def _libraries(members: Iterable[Member]) -> dict[str, Member]:
    """Choose the files of the one folder that holds llama.cpp: name -> member."""
    found = list(members)
    place = _one(sorted({_parent(m.path) for m in found if is_library_name(_name(m.path))}))
    taken: dict[str, Member] = {}
    seen = set()  # without case: some disks know none
    for member in found:
        name = _name(member.path)
        if _parent(member.path) == place and _is_wanted(name):
            if name.casefold() in seen:
                raise Refused(f"holds {name} twice: take another archive")
            seen.add(name.casefold())
            taken[name] = member
    if sum(m.size for m in taken.values()) > archives.LIMIT_BYTES:
        raise too_large()
    for name in taken:
        _follow(name, taken, place)
    return taken


def _one(places: list[str]) -> str:
    if not places:
        raise Refused(
            f"holds no llama.cpp library for this system (such as {example_name()}): "
            "`funasr runtime install --help` names the right archives"
        )
    if len(places) > 1:
        listed = ", ".join(place or "its top" for place in places)
        raise Refused(
            f"holds several folders with a llama.cpp library ({listed}): unpack it, then --from "
            "one of them"
        )
    return places[0]


def _follow(name: str, taken: dict[str, Member], place: str) -> str:
    """Name the file at the end of a chain of links between libraries of one folder."""
    seen = [name]
    while (target := taken[seen[-1]].target) is not None:
        if _parent(target) != place or _name(target) not in taken or _name(target) in seen:
            raise Refused(
                f"holds the link {seen[-1]} to {target}, which is no library beside it: it is "
                "incomplete or not to be trusted, download it again"
            )
        seen.append(_name(target))
    return seen[-1]


def _link(folder: Path, name: str, taken: dict[str, Member], left: int, label: str) -> int:
    """Make a link, or a copy where the system has none; return the bytes it takes."""
    if can_link():
        try:
            (folder / name).symlink_to(_name(str(taken[name].target)))
        except OSError:  # a disk without links
            pass
        else:
            return 0
    end = _follow(name, taken, _parent(str(taken[name].target)))
    with (folder / end).open("rb") as file:
        return _copy(iter(lambda: file.read(archives.PIECE), b""), folder / name, left, label)


def can_link() -> bool:
    """Whether every user may make symbolic links; on Windows only some may."""
    return sys.platform != "win32"


def _pieces(archive: Archive, member: Member, label: str) -> Iterator[bytes]:
    with reading(label), archive.open(member) as stream:
        while piece := stream.read(archives.PIECE):
            yield piece


def _copy(pieces: Iterator[bytes], target: Path, left: int, label: str) -> int:
    """Write a file and make sure it is on the disk; return its size."""
    size = 0
    with target.open("xb") as file:
        for piece in pieces:
            size += len(piece)
            if size > left:  # headers lie
                raise LibraryError(f"{label} {too_large()}")
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size


def _is_wanted(name: str) -> bool:
    is_ours = _LIBRARY.fullmatch(name) or _LICENCE.fullmatch(name)
    return bool(is_ours) and not _UNWRITABLE.search(name)


def _parent(path: str) -> str:
    return posixpath.dirname(path)


def _name(path: str) -> str:
    return posixpath.basename(path)
