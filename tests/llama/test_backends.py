"""The backends of a release of several files, with ggml's loader replaced."""

import ctypes
from pathlib import Path

import pytest

from funasr_cli.errors import LibraryError
from funasr_cli.llama import backends, binary
from funasr_cli.llama.backends import load_backends
from funasr_cli.llama.log import Log

FILES = (
    "libggml-base.so", "libggml.v0.5.0.so", "libllama.so", "libllama-common.so",
    "libggml-cpu-x64.so", "libggml-cpu-haswell.so", "libggml-cpu-zen4.so",
    "libggml-vulkan.so", "libggml-vulkan.so.0", "libggml-vulkan.so.0.9.5",
    "libggml-cuda.so", "libggml-rpc.so", "README.md",
)  # fmt: skip
WRONG = {"libggml-hip.so": "is cut off: download or unpack it again"}
SCORES = {"libggml-cpu-x64.so": 1, "libggml-cpu-haswell.so": 64, "libggml-cpu-zen4.so": 0}


class FakeApi:
    """ggml_backend_load, with what it says of failures."""

    def __init__(self, log: Log, **failures: str) -> None:
        self.log = log
        self.failures = failures
        self.loaded: list[str] = []
        self.idle = "no such file"

    def ggml_backend_load(self, path: bytes) -> int | None:
        name = Path(path.decode()).name
        for part, reason in self.failures.items():
            if part in name:
                text = ctypes.create_string_buffer(f"load_backend: {reason}\n".encode())
                self.log._receive(4, ctypes.addressof(text), None)
                return None
        self.loaded.append(name)
        return 1

    def ggml_backend_dev_count(self) -> int:
        return sum(self.idle not in name for name in self.loaded)


@pytest.fixture(autouse=True)
def _any_file_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binary, "why_unloadable", lambda path, **_: WRONG.get(path.name))


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "发布"
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()
    monkeypatch.setattr(backends, "_score", lambda path: SCORES[path.name])
    return folder


def load(release: Path, **failures: str) -> tuple[list[str], tuple[str, ...]]:
    log = Log()
    api = FakeApi(log, **failures)
    problems = load_backends(api, log, release)  # type: ignore[arg-type]
    return api.loaded, problems


def test_each_backend_once_the_best_cpu_last(release: Path) -> None:
    loaded, problems = load(release)
    assert loaded == ["libggml-cuda.so", "libggml-vulkan.so", "libggml-cpu-haswell.so"]
    assert not problems


def test_windows_and_versioned_names(tmp_path: Path) -> None:
    for name in ("ggml-base.dll", "ggml.dll", "llama.dll", "ggml-cpu.dll", "ggml-vulkan.v1.dll"):
        (tmp_path / name).touch()
    assert load(tmp_path)[0] == ["ggml-vulkan.v1.dll", "ggml-cpu.dll"]


def test_a_missing_driver_is_named(release: Path) -> None:
    missing = "failed to load /x/libggml-vulkan.so: libvulkan.so.1: cannot open shared object file"
    loaded, problems = load(release, vulkan=missing)
    assert loaded == ["libggml-cuda.so", "libggml-cpu-haswell.so"]
    (problem,) = problems
    assert problem == (
        "libggml-vulkan.so cannot be used: needs libvulkan.so.1, which is missing; it belongs to "
        "the Vulkan loader: install that, or take a CPU build"
    )


def test_a_backend_without_a_device_is_named(release: Path) -> None:
    log = Log()
    api = FakeApi(log)
    api.idle = "vulkan"
    (problem,) = load_backends(api, log, release)  # type: ignore[arg-type]
    assert problem == "libggml-vulkan.so finds no device: install the graphics card's driver"


def test_any_other_reason_is_passed_on(release: Path) -> None:
    _, problems = load(release, cuda="incompatible API version (backend: 1, current: 2)")
    reason = "incompatible API version (backend: 1, current: 2)"
    assert problems == (f"libggml-cuda.so cannot be used: {reason}",)


def test_no_variant_that_runs_here_says_why(release: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever all of them lack is told when the best of them, of score 0, is loaded."""
    monkeypatch.setattr(backends, "_score", lambda _: 0)
    missing = "failed to load: libgomp.so.1: cannot open shared object file"
    loaded, problems = load(release, **{"ggml-cpu": missing})
    assert loaded == ["libggml-cuda.so", "libggml-vulkan.so"]
    assert "needs libgomp.so.1, which is missing" in problems[0]


def test_a_file_that_is_cut_off_is_named(release: Path) -> None:
    (release / "libggml-hip.so").touch()
    loaded, problems = load(release)
    assert "libggml-hip.so" not in loaded
    assert problems == ("libggml-hip.so is cut off: download or unpack it again",)


def test_a_file_without_a_score_scores_nothing(tmp_path: Path) -> None:
    text = tmp_path / "libggml-cpu-a.so"
    text.write_text("no library")
    assert backends._score(text) == 0


def test_a_library_that_cannot_load_them(release: Path) -> None:
    log = Log()
    api = FakeApi(log)
    api.ggml_backend_load = None  # type: ignore[method-assign, assignment]
    with pytest.raises(LibraryError, match="cannot load its backends"):
        load_backends(api, log, release)  # type: ignore[arg-type]
