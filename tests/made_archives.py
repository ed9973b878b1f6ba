"""Archives as llama.cpp's releases have them, and as they must not be."""

import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

TOP = "llama-b1234"
FILES = {
    "libllama.so.0.0.1234": b"llama" * 5000,
    "libggml-base.so.0.9.5": b"base" * 3000,
    "libggml-cpu-haswell.so": b"haswell" * 2000,
    "LICENSE": b"MIT",
    "LICENSE-curl": b"curl",
}
LINKS = {
    "libllama.so": "libllama.so.0",
    "libllama.so.0": "libllama.so.0.0.1234",
    "libggml-base.so": "libggml-base.so.0.9.5",
}
CONTENT = {**FILES, **{n: FILES.get(t) or FILES[LINKS[t]] for n, t in LINKS.items()}}
"""What an installed release holds, links followed."""
LEFT_OUT = {
    "llama-cli": b"program",
    "._libllama.so": b"of a Mac",
    "README.md": b"",
    "include/llama.h": b"header",
}
KINDS = ["gz", "xz", "bz2", "", "zip"]


def held(folder: Path) -> dict[str, bytes]:
    """What a folder holds."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def file(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return special(name, tarfile.SYMTYPE, target)


def write_tar(
    path: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]], mode: str = "gz"
) -> Path:
    with tarfile.open(path, f"w:{mode}") as archive:  # type: ignore[call-overload]
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def write_zip(
    path: Path, files: Mapping[str, bytes], links: Mapping[str, str] | None = None
) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for name, target in (links or {}).items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o120777 << 16
            archive.writestr(info, target)
    return path


def official(folder: Path, mode: str = "gz", name: str | None = None) -> Path:
    """An archive in the form of the official ones, `mode` zip included."""
    if mode == "zip":
        files = {f"{TOP}/{n}": content for n, content in {**FILES, **LEFT_OUT}.items()}
        links = {f"{TOP}/{n}": target for n, target in LINKS.items()}
        return write_zip(folder / (name or f"{TOP}-bin-ubuntu-x64.zip"), files, links)
    members = [special(f"{TOP}/", tarfile.DIRTYPE)]
    members += [link(f"{TOP}/{n}", target) for n, target in LINKS.items()]
    members += [link(f"{TOP}/llama", "../llama-b1234/llama-cli")]
    members += [file(f"{TOP}/{n}", content) for n, content in {**FILES, **LEFT_OUT}.items()]
    name = name or f"{TOP}-bin-ubuntu-x64.tar.{mode}".rstrip(".")
    return write_tar(folder / name, members, mode)
