"""What is taken out of a release, and what is refused."""

import tarfile
from pathlib import Path

import pytest
from made_archives import (
    CONTENT,
    KINDS,
    LINKS,
    file,
    held,
    link,
    official,
    special,
    write_tar,
    write_zip,
)

from funasr_cli.errors import LibraryError
from funasr_cli.llama.unpack import unpack as take

LLAMA = file("libllama.so")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "目标 folder"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_an_official_archive(tmp_path: Path, target: Path, kind: str) -> None:
    take(official(tmp_path, kind, name="发布 包.bin"), target)
    assert held(target) == CONTENT
    assert {p.name: str(p.readlink()) for p in target.iterdir() if p.is_symlink()} == LINKS


@pytest.mark.parametrize("kind", KINDS)
def test_without_links_there_are_copies(
    tmp_path: Path, target: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    take(official(tmp_path, kind), target)
    assert held(target) == CONTENT
    assert not any(path.is_symlink() for path in target.iterdir())


def test_a_disk_without_links(
    tmp_path: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "symlink_to", refuse)
    take(official(tmp_path), target)
    assert held(target) == CONTENT


def test_a_hard_link(tmp_path: Path, target: Path) -> None:
    members = [
        file("a/libllama.so.0", b"llama"),
        special("a/libllama.so", tarfile.LNKTYPE, "a/libllama.so.0"),
    ]
    take(write_tar(tmp_path / "a.tar.gz", members), target)
    assert held(target) == {"libllama.so": b"llama", "libllama.so.0": b"llama"}


def test_names_of_every_system(tmp_path: Path, target: Path) -> None:
    names = ["llama.dll", "GGML.DLL", "libllama.v0.5.0.so", "libggml.0.dylib", "LICENCE.txt"]
    left_out = ["llama-cli.exe", "llama.lib", "llama.so.txt", "sub/ggml-rpc.dll", "ab:c.dll"]
    take(write_zip(tmp_path / "a.zip", dict.fromkeys([*names, *left_out], b"")), target)
    assert sorted(held(target)) == sorted(names)


@pytest.mark.parametrize(
    "member",
    [
        file("/libggml.so"),
        file("../libggml.so"),
        file("a/../../libggml.so"),
        file("C:/libggml.so"),
        file("a\\libggml.so"),
        link("libggml.so", "/etc/passwd"),
        link("libggml.so", "../libggml.so"),
        link("program", "a/../../libggml.so"),
        link("libggml.so", "C:/libggml.so"),
        link("libggml.so", "a\\b"),
        link("libggml.so", ""),
        special("libggml.so", tarfile.LNKTYPE, "../libggml.so"),
        special("libggml.so", tarfile.LNKTYPE, "/etc/passwd"),
        special("null", tarfile.CHRTYPE),
        special("disk", tarfile.BLKTYPE),
        special("libggml.so", tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member[0].name} {member[0].linkname}",
)
def test_whatever_leads_out_is_refused(
    tmp_path: Path, target: Path, member: tuple[tarfile.TarInfo, bytes]
) -> None:
    source = write_tar(tmp_path / "a.tar.gz", [LLAMA, member])
    with pytest.raises(LibraryError, match=r"a\.tar\.gz holds .*do not trust it"):
        take(source, target)
    assert not held(target)


@pytest.mark.parametrize("name", ["/x", "../x", "a/../../x", "c:x", "a\\x", "a\0b"])
def test_whatever_leads_out_of_a_zip_is_refused(tmp_path: Path, target: Path, name: str) -> None:
    source = write_zip(tmp_path / "a.zip", {"libllama.so": b"", "#" * len(name): b""})
    content = source.read_bytes().replace(b"#" * len(name), name.encode())  # zipfile would clean it
    source.write_bytes(content)
    with pytest.raises(LibraryError, match="do not trust it"):
        take(source, target)


@pytest.mark.parametrize("linked", ["/etc/passwd", "../x", "a\\x"])
def test_links_of_a_zip(tmp_path: Path, target: Path, linked: str) -> None:
    source = write_zip(tmp_path / "a.zip", {"libllama.so": b""}, {"libggml.so": linked})
    with pytest.raises(LibraryError, match="do not trust it"):
        take(source, target)


def test_a_device_in_a_zip(tmp_path: Path, target: Path) -> None:
    source = write_zip(tmp_path / "a.zip", {"libllama.so": b""}, {"libggml.so": "x"})
    mode = (0o120777 << 16).to_bytes(4, "little")
    source.write_bytes(source.read_bytes().replace(mode, (0o020777 << 16).to_bytes(4, "little")))
    with pytest.raises(LibraryError, match="neither file nor folder nor link"):
        take(source, target)


@pytest.mark.parametrize(
    "links",
    [
        [link("a/libggml.so", "libggml.so.0")],
        [link("a/libggml.so", "../b/libggml.so")],
        [link("a/libggml.so", "llama-cli")],
        [link("a/libggml.so", "libggml.so.0"), link("a/libggml.so.0", "libggml.so")],
        [link("a/libggml.so", "libggml.so")],
    ],
)
def test_links_to_no_library_beside_them(
    tmp_path: Path, target: Path, links: list[tuple[tarfile.TarInfo, bytes]]
) -> None:
    others = [file("a/libllama.so"), file("b/libggml.so"), file("a/llama-cli")]
    source = write_tar(tmp_path / "a.tar.gz", [*others, *links])
    with pytest.raises(LibraryError, match=r"holds the link libggml\.so(\.0)? to "):
        take(source, target)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a/README.md"], r"holds no llama\.cpp library for this system"),
        (["a/libggml.so", "a/llama-cli"], r"holds no llama\.cpp library for this system"),
        (["a/libllama.so", "b/libllama.so"], r"several folders .*\(a, b\)"),
        (["libllama.so", "b/llama.dll"], r"several folders .*\(its top, b\)"),
        (["libllama.so", "libggml.so", "LIBGGML.so"], r"LIBGGML\.so twice"),
    ],
)
def test_archives_of_something_else(
    tmp_path: Path, target: Path, names: list[str], words: str
) -> None:
    with pytest.raises(LibraryError, match=words):
        take(write_tar(tmp_path / "a.tar.gz", map(file, names)), target)
