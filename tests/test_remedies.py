"""What `funasr doctor` advises for a llama.cpp that fails: the cause decides."""

from pathlib import Path

import pytest

from funasr_cli.diagnosis import remedies, runtimes
from funasr_cli.llama import library
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import LibraryReport

CPU = Device("CPU", "a processor", "cpu")
NO_DEVICE = "libggml-vulkan.so finds no device: install the graphics card's driver"
NO_LOADER = "libggml-vulkan.so cannot be used: needs libvulkan.so.1, which is missing; install it"
NO_BLAS = "libggml-blas.so cannot be used: needs libopenblas.so, which is missing; install it"


def report(*problems: str, gpu_crash: str = "") -> LibraryReport:
    return LibraryReport("ggml 1", "M3+C7", (CPU,), problems, gpu_crash=gpu_crash)


def release(folder: Path, *parts: str) -> Found:
    for name in ("libllama.so", "libggml-base.so", *parts):
        (folder / name).write_bytes(b"")
    return Found(folder / "libllama.so", "--llama-bin")


def test_a_library_of_the_user_s_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(library.ENVIRONMENT, raising=False)
    *_, check = runtimes.find_library(tmp_path / "gone")
    assert (check.status, check.remedy.split(",")[0]) == ("problem", "leave --llama-bin out")
    (tmp_path / "libllama.so").write_text("no library")
    *_, check = runtimes.find_library(tmp_path)
    assert (check.status, check.remedy.split(",")[0]) == ("problem", "leave --llama-bin out")
    monkeypatch.setenv(library.ENVIRONMENT, str(tmp_path / "gone"))
    *_, check = runtimes.find_library(None)
    assert (check.status, check.remedy) == ("problem", "unset FUNASR_LLAMA_BIN")


def test_a_default_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(library.ENVIRONMENT, raising=False)
    monkeypatch.setattr(library, "runtimes_folder", lambda: tmp_path)
    (tmp_path / library.DEFAULT_FILE).write_text("b1")
    *_, check = runtimes.find_library(None)
    assert (check.status, check.remedy) == ("problem", "funasr runtime use none")


@pytest.mark.parametrize(
    ("told", "remedy"),
    [
        (report(NO_DEVICE), remedies.DRIVER),
        (report("x: it finds no driver that works"), remedies.DRIVER),
        (report(NO_LOADER), remedies.DRIVER),
        (report(gpu_crash="it crashed"), remedies.NEWER_DRIVER),
        (report(NO_BLAS), remedies.OTHER_BUILD),
    ],
)
def test_a_part_that_fails(
    monkeypatch: pytest.MonkeyPatch, told: LibraryReport, remedy: str
) -> None:
    monkeypatch.delenv(library.ENVIRONMENT, raising=False)
    monkeypatch.setattr(runtimes, "prove_library", lambda _, **__: told)
    *_, check = runtimes.find_library(None)
    assert (check.status, check.remedy) == ("note", remedy)


def test_no_gpu_of_a_build_with_a_backend_for_one(tmp_path: Path) -> None:
    found = release(tmp_path, "libggml-vulkan.so")
    assert remedies.mend_no_gpu(found, report()).endswith(remedies.DRIVER)
    assert remedies.mend_no_gpu(found, report(gpu_crash="x")).endswith(remedies.NEWER_DRIVER)
    single = tmp_path / "one" / "libllama.so"
    single.parent.mkdir()
    single.write_bytes(b"..ggml_backend_vk_reg..")
    assert remedies.mend_no_gpu(Found(single, ""), report()).endswith(remedies.DRIVER)


def test_no_gpu_of_a_build_without(tmp_path: Path) -> None:
    assert "a build for it" in remedies.mend_no_gpu(release(tmp_path), report())
    assert "a build for it" in remedies.mend_no_gpu(find(), report())
    empty = tmp_path / "one" / "libllama.so"
    empty.parent.mkdir()
    empty.write_bytes(b"")
    assert "a build for it" in remedies.mend_no_gpu(Found(empty, ""), report())
