"""An install: a release that works, whole, or nothing at all."""

import errno
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

import pytest
from made_archives import CONTENT, TOP, held, official

from funasr_cli.errors import InputError, LibraryError, OutputError, UsageError
from funasr_cli.llama import proving, releases
from funasr_cli.llama.devices import Device
from funasr_cli.llama.install import default_name, install
from funasr_cli.llama.library import ENVIRONMENT, Found, runtimes_folder
from funasr_cli.llama.proving import LibraryReport
from funasr_cli.llama.releases import library_of

NAME = f"{TOP}-bin-ubuntu-x64"
REPORT = LibraryReport("b1234", "M3", (Device("CPU", "a processor", "cpu"),), ("no Vulkan",))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with nothing in it, and libraries that prove themselves."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "数据 dir"))
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(proving, "prove_library", lambda _: REPORT)
    return runtimes_folder()


def left(home: Path) -> set[str]:
    """Everything in the user's folder but the lock."""
    return {path.name for path in home.iterdir()} - {".lock"}


@pytest.mark.parametrize("kind", ["gz", "zip", "xz"])
def test_an_archive(home: Path, tmp_path: Path, kind: str) -> None:
    release, report = install(str(official(tmp_path, kind)))
    assert (release.name, report) == (NAME, REPORT)
    assert release.library == home / NAME / "libllama.so"
    assert held(home / NAME) == CONTENT
    assert release.size == sum(
        len(c) for n, c in CONTENT.items() if not (home / NAME / n).is_symlink()
    )
    assert left(home) == {NAME}


def test_a_folder_and_an_explicit_name(home: Path, tmp_path: Path) -> None:
    first, _ = install(str(official(tmp_path)), name="一个 release")
    second, _ = install(str(first.folder), name="另一个")
    assert held(second.folder) == CONTENT
    again, _ = install(str(first.folder), force=True)  # of itself
    assert (again, held(again.folder)) == (first, CONTENT)
    assert left(home) == {"一个 release", "另一个"}


def test_the_library_is_proved_before_it_is_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove(found: Found) -> LibraryReport:
        assert found.path.name == "libllama.so"
        assert held(found.path.parent) == CONTENT
        assert library_of(home) is None  # whoever looks for a library does not find this one
        raise LibraryError(f"{found.path} needs libvulkan.so.1, which is missing; install that")

    monkeypatch.setattr(proving, "prove_library", prove)
    with pytest.raises(LibraryError, match=rf"^{NAME} is not installed: libllama\.so needs libvul"):
        install(str(official(tmp_path)))
    assert not left(home)


def test_a_taken_name(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = official(tmp_path)
    install(str(source))
    (home / NAME / "old").write_bytes(b"")
    with pytest.raises(UsageError, match="is installed already: --force replaces it, --name"):
        install(str(source))
    install(str(source), name="other")
    install(str(source), force=True)
    assert held(home / NAME) == CONTENT
    assert left(home) == {NAME, "other"}

    def refuse(_: Found) -> LibraryReport:
        raise LibraryError("it crashes")

    monkeypatch.setattr(proving, "prove_library", refuse)
    with pytest.raises(LibraryError, match="it crashes"):
        install(str(source), force=True)
    assert held(home / NAME) == CONTENT


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(errno.ENOSPC, "No space left")])
def test_nothing_half_written_stays(
    home: Path,
    tmp_path: Path,
    error: type[BaseException] | OSError,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise error

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises((KeyboardInterrupt, OutputError)) as caught:
        install(str(official(tmp_path)))
    assert not left(home)
    if isinstance(error, OSError):
        assert str(caught.value).startswith(f"{home}: cannot be written (No space left); make room")


def test_the_old_release_comes_back_if_the_new_one_cannot_be_put(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = official(tmp_path)
    install(str(source))
    rename = Path.rename

    def fail(self: Path, to: Path) -> Path:
        if "new" in self.parts:
            raise PermissionError(errno.EACCES, "Access denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OutputError, match=r"Access denied.*close programs that"):
        install(str(source), force=True)
    assert held(home / NAME) == CONTENT
    assert left(home) == {NAME}


def test_a_scanner_that_holds_files_for_a_moment(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename, tries = Path.rename, []

    def hold(self: Path, to: Path) -> Path:
        tries.append(self)
        if len(tries) < 4:
            raise PermissionError(errno.EACCES, "Access denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", hold)
    monkeypatch.setattr("funasr_cli.llama.install._PAUSE_S", 0)
    monkeypatch.setattr(releases, "_is_alone", lambda _: True)
    source = str(official(tmp_path))
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert install(source)[0].library
    assert not left(runtimes_folder()) - {NAME}
    assert not home.exists()


def test_leftovers_of_a_killed_install(home: Path, tmp_path: Path) -> None:
    with releases.workplace() as work:
        (work / "libllama.so").write_bytes(b"half")
        (work / "old").mkdir()
        (work / "old" / "libllama.so").write_bytes(b"what it would have replaced")
        top = home / work.relative_to(home).parts[0]
        shutil.copytree(top, home / ".installing-dead")
    assert left(home) == {".installing-dead"}
    assert not releases.installed()
    assert library_of(home) is None
    install(str(official(tmp_path)))
    assert left(home) == {NAME}


def test_one_at_a_time(home: Path, tmp_path: Path) -> None:
    home.mkdir(parents=True)
    with (home / ".lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(OutputError, match="another `funasr runtime` is at work"):
            install(str(official(tmp_path)))
    install(str(official(tmp_path)))


def test_a_hash(home: Path, tmp_path: Path) -> None:
    source = official(tmp_path)
    right = hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(LibraryError, match=f"its sha256 is {right}, --sha256 says {'0' * 64}"):
        install(str(source), sha256="0" * 64)
    assert not left(home)
    install(str(source), sha256=f" sha256:{right.upper()}\n")
    for wrong in ("", "0" * 63, "g" * 64, "md5:" + "0" * 64):
        with pytest.raises(UsageError, match="is no SHA-256"):
            install(str(source), sha256=wrong, force=True)
    with pytest.raises(UsageError, match="is a folder"):
        install(str(tmp_path), sha256=right)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", ".a", "a.", "a ", "None", "default"]
)
@pytest.mark.parametrize("more", ["", "x" * 81, "NUL", "com1.zip", "a:b", "a\nb"])
def test_names_that_no_release_can_have(tmp_path: Path, name: str, more: str) -> None:
    with pytest.raises(UsageError, match=r"^--name "):
        install(str(tmp_path), name=more or name)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/llama-b1-bin-win-vulkan-x64.zip", "llama-b1-bin-win-vulkan-x64"),
        ("llama-b1-bin.tar.gz", "llama-b1-bin"),
        ("b1.TGZ", "b1"),
        ("发布 b1.tar.xz", "发布 b1"),
        ("a:b?.zip", "a_b_"),
        ("build/b1.2/", "b1.2"),
        ("https://x.org/b1/%E5%8C%85%20b1.tar.gz?token=1", "包 b1"),
        ("https://x.org/b1/..%2f..%5cb1.zip", "_.._b1"),
        (f"{'long' * 50}.zip", "long" * 20),
    ],
)
def test_names_of_archives(source: str, name: str) -> None:
    assert default_name(source) == name


@pytest.mark.parametrize("source", ["https://x.org", "https://x.org/.zip", "none.zip", "nul.zip"])
def test_archives_whose_name_cannot_be_taken(source: str) -> None:
    with pytest.raises(UsageError, match="give it a name with --name"):
        default_name(source)


def test_sources_that_do_not_exist(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"no\.zip: No such file or directory; name an archive"):
        install("no.zip")
    with pytest.raises(InputError, match="is neither a file nor a folder"):
        install("pipe")
    with pytest.raises(UsageError, match="--from: is empty"):
        install(" ")
    with pytest.raises(UsageError, match=r"put the build's number in place of bNNNN"):
        install(f"{releases.RELEASES_PAGE}/llama-bNNNN-bin-ubuntu-x64.tar.gz")


def test_a_folder_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match=r"llama_bin: cannot be written \(Not a directory\)"):
        install(str(official(tmp_path)))
