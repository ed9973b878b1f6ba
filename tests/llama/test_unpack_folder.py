"""A release that the user has unpacked himself."""

from pathlib import Path

import pytest
from made_archives import FILES, LEFT_OUT, LINKS

from funasr_cli.errors import LibraryError
from funasr_cli.llama.unpack import unpack


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def put(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "include").mkdir()
    for name, content in {**FILES, **LEFT_OUT}.items():
        (folder / name).write_bytes(content)
    for name, to in LINKS.items():
        (folder / name).symlink_to(to)
    return folder


@pytest.mark.parametrize("below", [".", "build/bin", "llama b1234/库"])
def test_libraries_of_a_folder(tmp_path: Path, target: Path, below: str) -> None:
    put(tmp_path / "发布" / below)
    unpack(tmp_path / "发布", target)
    assert {p.name for p in target.iterdir()} == {*FILES, *LINKS}
    assert {p.name: str(p.readlink()) for p in target.iterdir() if p.is_symlink()} == LINKS
    assert (target / "libllama.so").read_bytes() == FILES["libllama.so.0.0.1234"]


def test_links_to_elsewhere_become_files(tmp_path: Path, target: Path) -> None:
    """Package managers make such folders: /opt/homebrew/lib, say."""
    cellar = put(tmp_path / "cellar")
    source = tmp_path / "lib"
    source.mkdir()
    (source / "libllama.so").symlink_to(cellar / "libllama.so")
    (source / "libggml-base.so").symlink_to("../cellar/libggml-base.so.0.9.5")
    (source / "libgone.so").symlink_to("nowhere")
    unpack(source, target)
    assert {p.name for p in target.iterdir()} == {"libllama.so", "libggml-base.so"}
    assert not any(p.is_symlink() for p in target.iterdir())
    assert (target / "libllama.so").read_bytes() == FILES["libllama.so.0.0.1234"]


def test_folders_with_none_or_several(tmp_path: Path, target: Path) -> None:
    (tmp_path / "several" / "empty").mkdir(parents=True)
    with pytest.raises(LibraryError, match=r"several holds no llama\.cpp library"):
        unpack(tmp_path / "several", target)
    for name in ("b1", "b2"):
        put(tmp_path / "several" / name)
    with pytest.raises(LibraryError, match=r"several folders .*b1, .*b2\)"):
        unpack(tmp_path / "several", target)
