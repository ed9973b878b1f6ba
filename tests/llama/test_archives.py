"""Damaged archives, bombs, and files that are no archives."""

import gzip
import random
import tarfile
from pathlib import Path

import pytest
from made_archives import CONTENT, KINDS, file, held, link, official, write_tar, write_zip

from funasr_cli.errors import InputError, LibraryError
from funasr_cli.llama import archives, unpack
from funasr_cli.llama.unpack import unpack as take


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "目标 folder"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n<!DOCTYPE html><html>", "is a web page"),
        (b"7z\xbc\xaf\x27\x1c" * 500, "is neither a zip nor a tar archive"),
        (gzip.compress(b"\x7fELF" * 500), "is neither a zip nor a tar archive"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, target: Path, content: bytes, words: str) -> None:
    source = tmp_path / "a.zip"
    source.write_bytes(content)
    with pytest.raises(LibraryError, match=words):
        take(source, target)


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_noticed(tmp_path: Path, target: Path, kind: str) -> None:
    source = official(tmp_path, kind)
    whole = source.read_bytes()
    end = len(whole.rstrip(b"\0")) if kind == "" else len(whole)  # a tar is padded with zeros
    for n in sorted({*range(1, end, max(1, end // 40)), end - 1}):
        source.write_bytes(whole[:n])
        with pytest.raises(LibraryError, match=r"damaged or cut off|neither a zip nor a tar"):
            take(source, target)
        for path in target.iterdir():
            path.unlink()


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2", "zip"])
def test_damage_is_noticed_or_does_no_harm(tmp_path: Path, target: Path, kind: str) -> None:
    source = official(tmp_path, kind)
    whole = source.read_bytes()
    end = whole.index(b"PK\1\2") if kind == "zip" else len(whole)  # a zip's list has no checksum
    dice = random.Random(1)  # noqa: S311 - reproducible
    for _ in range(150):
        broken = bytearray(whole)
        broken[dice.randrange(end)] ^= 1 << dice.randrange(8)
        source.write_bytes(broken)
        try:
            take(source, target)
        except LibraryError:
            pass
        else:
            got = held(target)
            assert all(CONTENT[name] == got[name] for name in got if name in CONTENT)
        for path in target.iterdir():
            path.unlink()


def test_a_password(tmp_path: Path, target: Path) -> None:
    source = write_zip(tmp_path / "a.zip", {"libllama.so": b"x"})
    content = bytearray(source.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    source.write_bytes(content)
    with pytest.raises(LibraryError, match="protected by a password: unpack it with another"):
        take(source, target)


def test_a_method_that_python_lacks(tmp_path: Path, target: Path) -> None:
    source = write_zip(tmp_path / "a.zip", {"libllama.so": b"x"})
    content = bytearray(source.read_bytes())
    content[8] = content[content.index(b"PK\1\2") + 10] = 9  # deflate64
    source.write_bytes(content)
    with pytest.raises(LibraryError, match="in a way that Python cannot unpack"):
        take(source, target)


@pytest.mark.parametrize("kind", [*KINDS, "folder"])
def test_bombs(tmp_path: Path, target: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LIMIT_BYTES", 40_000)
    source = official(tmp_path, kind if kind in KINDS else "gz")
    if kind == "folder":
        source = tmp_path
        (source / "libllama.so").write_bytes(bytes(40_001))
    with pytest.raises(LibraryError, match="unpacks to more than"):
        take(source, target)


def test_copies_of_links_count(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [file("libllama.so.0", bytes(30_000)), link("libllama.so", "libllama.so.0")]
    source = write_tar(tmp_path / "a.tar.gz", members)
    monkeypatch.setattr(archives, "LIMIT_BYTES", 50_000)
    take(source, target)
    (target / "libllama.so").unlink()
    (target / "libllama.so.0").unlink()
    monkeypatch.setattr(unpack, "can_link", lambda: False)
    with pytest.raises(LibraryError, match="unpacks to more than"):
        take(source, target)


def test_too_many_files(tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LIMIT_MEMBERS", 5)
    for kind in ("gz", "zip"):
        with pytest.raises(LibraryError, match="or 5 files"):
            take(official(tmp_path, kind), target)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.REGTYPE])
@pytest.mark.parametrize("size", [1 << 40, -512])
def test_absurd_headers(tmp_path: Path, target: Path, kind: bytes, size: int) -> None:
    info = tarfile.TarInfo("libllama.so")
    info.type, info.size = kind, size
    head = info.tobuf(tarfile.GNU_FORMAT)
    source = tmp_path / "a.tar.gz"
    source.write_bytes(gzip.compress(head + bytes(100_000)))
    with pytest.raises(LibraryError, match=r"damaged or cut off|unpacks to more than"):
        take(source, target)


def test_nothing_to_read(tmp_path: Path, target: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        take(tmp_path / "absent.zip", target)
