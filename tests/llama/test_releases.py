"""The releases in the user's folder: chosen, removed; and where others come from."""

from pathlib import Path

import pytest

from funasr_cli.errors import LibraryError, UsageError
from funasr_cli.llama import library, releases
from funasr_cli.llama.library import ENVIRONMENT, Found, find, runtimes_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with nothing in it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "数据 dir"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.chdir(tmp_path)
    return runtimes_folder()


def put(home: Path, name: str) -> None:
    (home / name).mkdir(parents=True, exist_ok=True)
    (home / name / "libllama.so").write_bytes(b"library")


def test_choose_and_remove(home: Path) -> None:
    assert releases.installed() == []
    assert library.default_note() is None
    for name in ("b1", "b2"):
        put(home, name)
    first, second = releases.installed()
    releases.set_default(first)
    assert find() == Found(home / "b1" / "libllama.so", "funasr runtime: b1")
    releases.set_default(second)
    assert library.default_note() == "b2"
    releases.set_default(None)
    # two that nobody chose are no quarrel: the next place is looked at
    assert home not in library.llama_bin_folders()
    assert find().source.startswith("package ")
    releases.set_default(second)
    releases.remove(first)
    assert {p.name for p in home.iterdir()} == {".lock", "b2", "default"}
    releases.remove(second)
    assert {p.name for p in home.iterdir()} == {".lock"}
    releases.set_default(None)


def test_names_of_nobody(home: Path) -> None:
    with pytest.raises(UsageError, match="b1: no release is installed in"):
        releases.find_release("b1")
    put(home, "llama-b1")
    with pytest.raises(UsageError, match=r"did you mean llama-b1\? Installed: llama-b1$"):
        releases.find_release("lama-b1")
    with pytest.raises(UsageError, match=r"no such release; Installed: llama-b1$"):
        releases.find_release("../..")
    (home / "empty").mkdir()
    with pytest.raises(LibraryError, match=r"empty holds no llama\.cpp library"):
        releases.set_default(releases.find_release("empty"))


@pytest.mark.parametrize(
    ("system", "machine", "ends"),
    [
        ("win32", "x86_64", ["win-cpu-x64.zip", "win-vulkan-x64.zip"]),
        ("win32", "arm64", ["win-cpu-arm64.zip"]),
        ("linux", "x86_64", ["ubuntu-x64.tar.gz", "ubuntu-vulkan-x64.tar.gz"]),
        ("linux", "arm64", ["ubuntu-arm64.tar.gz", "ubuntu-vulkan-arm64.tar.gz"]),
        ("darwin", "arm64", ["macos-arm64.tar.gz"]),
        ("darwin", "x86_64", ["macos-x64.tar.gz"]),
        ("linux", "riscv64", []),
    ],
)
def test_official_archives(
    system: str, machine: str, ends: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("funasr_cli.llama.binary.host_machine", lambda: machine)
    folder = "https://github.com/ggml-org/llama.cpp/releases/download/bNNNN/llama-bNNNN-bin-"
    assert [url for _, url in releases.official_archives()] == [f"{folder}{end}" for end in ends]


def test_what_lies_elsewhere(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def packages(name: str) -> list[Path]:
        return [tmp_path / "site-packages" / name]

    monkeypatch.setattr(library, "_package_folders", packages)
    put(home, "b1")
    put(home, "b2")
    assert list(releases.others()) == []
    put(tmp_path / "site-packages" / "llama_cpp", "lib")
    put(tmp_path, "llama_bin")
    put(home, ".")
    assert list(releases.others()) == [
        Found(tmp_path / "llama_bin" / "libllama.so", str(tmp_path / "llama_bin")),
        Found(home / "libllama.so", str(home)),
        Found(packages("llama_cpp")[0] / "lib" / "libllama.so", "package llama_cpp"),
    ]
    (tmp_path / "llama_bin" / "libllama.so").unlink()
    put(tmp_path / "llama_bin", "b1")
    put(tmp_path / "llama_bin", "b2")
    assert isinstance(next(iter(releases.others())), LibraryError)
