"""Which file is chosen, of all that lie around."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from funasr_cli import folders
from funasr_cli.errors import LibraryError
from funasr_cli.llama import library
from funasr_cli.llama.library import Found, find


class Machine:
    """A home with nothing installed, until a test puts something there."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "项目"
        self.cwd = root / "工作 dir"
        self.data = root / "data"
        self.packages = root / "site-packages"
        for folder in (self.checkout, self.cwd, self.data, self.packages):
            folder.mkdir()

    def put(self, *names: str, folder: Path) -> Path:
        """Create files, with the folders above them."""
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"not a library, but its name is right")
        return folder / names[0]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)

    def find_spec(name: str) -> ModuleSpec | None:
        folder = made.packages / name
        if not folder.is_dir():
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(folder)]
        return spec

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.setattr(
        library, "__file__", str(made.checkout / "funasr_cli" / "llama" / "library.py")
    )
    monkeypatch.chdir(made.cwd)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(made.data))
    monkeypatch.delenv(library.ENVIRONMENT, raising=False)
    return made


def test_the_order(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place in turn, from the last to the first: the newcomer always wins."""
    with pytest.raises(LibraryError, match="pip install xllamacpp"):
        find()
    places = [
        (machine.packages / "llama_cpp", "lib/libllama.so", "package llama_cpp"),
        (machine.packages / "xllamacpp", "xllamacpp.abi3.so", "package xllamacpp"),
        (machine.data, "funasr-cli/llama_bin/libllama.so", "data"),
        (machine.cwd, "llama_bin/libllama.so", "工作"),
        (machine.checkout, "llama_bin/libllama.so", "项目"),
    ]
    for folder, name, source in places:
        path = machine.put(name, folder=folder)
        found = find()
        assert found.path == path
        assert source in found.source
    by_variable = machine.put("v/libllama.so", folder=tmp_path)
    monkeypatch.setenv(library.ENVIRONMENT, str(by_variable.parent))
    assert find() == Found(by_variable, library.ENVIRONMENT)
    by_option = machine.put("o/libllama.so", folder=tmp_path)
    assert find(by_option.parent) == Found(by_option, "--llama-bin")
    assert find(by_option) == Found(by_option, "--llama-bin")


def test_packages_are_not_imported() -> None:
    """Importing xllamacpp would run its code, and register its backends."""
    already = "xllamacpp" in sys.modules
    find()
    assert ("xllamacpp" in sys.modules) == already


def test_an_empty_llama_bin_is_passed_over(machine: Machine) -> None:
    machine.put("llama_bin/README.md", folder=machine.cwd)
    package = machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    assert find().path == package


@pytest.mark.parametrize("content", [[], ["README.md"], ["libggml.so", "libllama-common.so"]])
def test_a_named_folder_is_never_passed_over(machine: Machine, content: list[str]) -> None:
    machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    named = machine.cwd / "release"
    named.mkdir()
    if content:
        machine.put(*content, folder=named)
    with pytest.raises(LibraryError, match=r"release holds no llama\.cpp library"):
        find(named)


def test_a_named_path_that_does_not_exist(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    with pytest.raises(LibraryError, match=r"--llama-bin: .*absent does not exist"):
        find(Path("absent"))
    monkeypatch.setenv(library.ENVIRONMENT, "/absent")
    with pytest.raises(LibraryError, match=r"FUNASR_LLAMA_BIN: .*absent does not exist"):
        find()


def test_a_relative_path_becomes_absolute(machine: Machine) -> None:
    path = machine.put("release/libllama.so", folder=machine.cwd)
    assert find(Path("release")).path == path


def test_the_users_home(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(machine.data))
    monkeypatch.setenv("USERPROFILE", str(machine.data))
    path = machine.put("release/libllama.so", folder=machine.data)
    assert find(Path("~/release")).path == path


@pytest.mark.parametrize(
    "name",
    [
        "libllama.so",
        "libllama.so.0",
        "libllama.so.0.0.1234",
        "libllama.v0.5.0.so",
        "libllama.dylib",
        "libllama.0.dylib",
        "libllama.0.0.1234.dylib",
        "llama.dll",
        "LLAMA.DLL",
        "libllama.dll",
    ],
)
def test_names_of_a_library(machine: Machine, name: str) -> None:
    machine.put(name, "libllama-common.so", "llama-cli", "llama-server.exe", folder=machine.cwd)
    assert find(machine.cwd).path.name == name


def test_the_plainest_of_several_names(machine: Machine) -> None:
    names = ["libllama.so.0.0.1234", "libllama.so", "libllama.so.0"]
    machine.put(*names, folder=machine.cwd)
    assert find(machine.cwd).path.name == "libllama.so"


@pytest.mark.parametrize("below", ["build/bin", "llama-b1234", "bins/linux-x64"])
def test_an_archive_may_unpack_into_folders(machine: Machine, below: str) -> None:
    path = machine.put(f"{below}/libllama.so", f"{below}/libggml-base.so", folder=machine.cwd)
    found = find(machine.cwd)
    assert found.path == path
    assert found.is_multi_file


def test_two_releases_are_not_chosen_between(machine: Machine) -> None:
    machine.put("llama-b1/libllama.so", "llama-b2/libllama.so", folder=machine.cwd / "llama_bin")
    with pytest.raises(LibraryError, match=r"several llama\.cpp releases"):
        find()


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("libggml-base.so", "ggml-base"),
        ("libggml-base.so.0", "ggml-base"),
        ("libggml.v0.5.0.so", "ggml"),
        ("ggml-cpu.dll", "ggml-cpu"),
        ("libggml.0.dylib", "ggml"),
    ],
)
def test_parts_of_a_release(machine: Machine, name: str, part: str) -> None:
    machine.put("libllama.so", name, "libggml-cpu-haswell.so", folder=machine.cwd)
    found = find(machine.cwd)
    parts = {p: found.part(p) for p in ("ggml", "ggml-base", "ggml-cpu")}
    assert parts.pop(part) == machine.cwd / name
    assert set(parts.values()) == {None}


def test_a_package_imported_without_a_spec_is_passed_over(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_spec(name: str) -> None:
        raise ValueError(f"{name}.__spec__ is None")

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    with pytest.raises(LibraryError, match=r"no llama\.cpp library found"):
        find()
    assert machine.packages.is_dir()


@pytest.mark.parametrize(
    ("platform", "tail"),
    [
        ("win32", ("Local", "funasr-cli")),
        ("darwin", ("Application Support", "funasr-cli")),
        ("linux", ("data", "funasr-cli")),
    ],
)
def test_user_data_folder(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, platform: str, tail: tuple[str, str]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert folders.user_data_folder().parts[-2:] == tail
    assert machine.data.is_dir()


def test_a_current_folder_that_is_gone(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    package = machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    assert find().path == package
    with pytest.raises(LibraryError, match="give an absolute path"):
        find(Path("relative"))


def test_a_folder_that_may_not_be_looked_into_is_passed_over(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated: a test run by root looks into everything."""
    package = machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    real = Path.glob

    def glob(folder: Path, pattern: str) -> object:
        if library.FOLDER in folder.parts:
            raise PermissionError(13, "Permission denied")
        return real(folder, pattern)

    monkeypatch.setattr(Path, "glob", glob)
    assert find().path == package


def test_a_default_that_was_emptied_is_refused(machine: Machine) -> None:
    home = library.runtimes_folder()
    (home / "b1").mkdir(parents=True)
    (home / library.DEFAULT_FILE).write_text("b1\n")
    machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    with pytest.raises(LibraryError, match="holds no library any more"):
        find()


def test_a_user_whom_the_system_does_not_know(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    package = machine.put("xllamacpp/xllamacpp.abi3.so", folder=machine.packages)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert folders.user_data_folder().is_absolute()
    assert folders.user_cache_folder().is_absolute()
    assert find().path == package
