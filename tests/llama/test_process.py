"""What happens once in a process: seen from fresh ones, where a crash is a result."""

import dataclasses
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_gguf import TinyModel

import funasr_cli
from funasr_cli.errors import LibraryError
from funasr_cli.llama import process
from funasr_cli.llama.library import find

PREFIX = """
import os, sys
from pathlib import Path
import numpy as np
from funasr_cli.errors import FunasrError
from funasr_cli.llama.runtime import open_language_model
from funasr_cli.protocols import Rows
ONE = np.array([1], np.int32)
def opened(llama_bin=None, **settings):
    settings = {"n_ctx": 64, "threads": 1} | settings
    return open_language_model(Path(sys.argv[1]), llama_bin=llama_bin, **settings)
"""


def run(tiny: TinyModel, code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run code in a fresh interpreter that treats warnings as errors."""
    root = str(Path(funasr_cli.__file__).parents[1])
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-c", PREFIX + code, str(tiny.path)],
        env={**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "utf-8", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def refusal(tiny: TinyModel, path: Path) -> str:
    """What is said of an unusable library; the process must end by itself."""
    code = f"""
try:
    opened(llama_bin=Path({str(path)!r}))
except FunasrError as error:
    print(type(error).__name__, error)
"""
    result = run(tiny, code)
    assert result.returncode == 0, result
    assert result.stderr == ""
    assert result.stdout.startswith("LibraryError ")
    assert result.stdout.count("\n") == 1
    return result.stdout


def test_llama_cpp_prints_nothing(tiny: TinyModel) -> None:
    result = run(tiny, "opened().close()")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_debug_shows_its_log(tiny: TinyModel) -> None:
    result = run(tiny, "opened().close()", FUNASR_DEBUG="1")
    assert result.returncode == 0
    assert result.stdout == ""
    assert "general.architecture" in result.stderr


def test_an_open_model_at_exit(tiny: TinyModel) -> None:
    """Forgetting to close is untidy, not fatal."""
    assert run(tiny, "model = opened(); model.evaluate([Rows(0, 0, ONE)])").returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_a_forked_child_is_told_instead_of_hanging(tiny: TinyModel) -> None:
    code = """
import warnings
warnings.simplefilter("ignore")  # newer Pythons warn of fork with threads: that is the point
model = opened(threads=2)
model.evaluate([Rows(0, 0, ONE)])
child = os.fork()
if not child:
    for call in (lambda: model.evaluate([Rows(0, 1, ONE)]), lambda: model.piece(1), opened):
        try:
            call()
        except FunasrError as error:
            print(type(error).__name__, "spawn" in str(error), flush=True)
    model.close()
    os._exit(0)
os.waitpid(child, 0)
model.evaluate([Rows(0, 1, ONE)])
print("the parent goes on")
"""
    result = run(tiny, code)
    assert result.stdout.splitlines() == ["LibraryError True"] * 3 + ["the parent goes on"]


def test_the_same_library_by_another_name(tiny: TinyModel, tmp_path: Path) -> None:
    link = tmp_path / find().path.name
    link.symlink_to(find().path)
    result = run(tiny, f"opened(); opened(llama_bin=Path({str(link)!r})); print('fine')")
    assert result.stdout == "fine\n", result.stderr


@pytest.mark.parametrize("other", ["module", "copy"])
def test_another_llama_cpp_in_the_process_does_no_harm(
    tiny: TinyModel, tmp_path: Path, other: str
) -> None:
    """A program that imported the package, and one that opened a second build."""
    copy = tmp_path / "别的 build" / "libllama.so"
    copy.parent.mkdir()
    shutil.copyfile(find().path, copy)
    opens_copy = f"import ctypes; ctypes.CDLL({str(copy)!r})"
    first = {"module": "import xllamacpp", "copy": opens_copy}[other]
    code = f"""
{first}
from funasr_cli.deviation import deviation
from funasr_cli.llama import probe
with open_language_model(probe.MODEL, n_ctx=64, threads=1) as model:
    found = probe.answers(model, probe.questions(model.n_embd, rows=6))
    names = [device.name for device in model.backend.devices()]
print(deviation(found, np.load(probe.ANSWERS)) < probe.TOLERANCE, names.count("CPU"))
"""
    assert run(tiny, code).stdout == "True 1\n"


def test_switches_are_set_before_the_library_is_opened(tiny: TinyModel) -> None:
    code = """
from funasr_cli.llama.process import outside_environment, start
start(environment={"GGML_VK_DISABLE_F16": "1"})
print(os.environ["GGML_VK_DISABLE_F16"], "GGML_VK_DISABLE_F16" in outside_environment())
opened().close()
start(environment={"GGML_VK_DISABLE_F16": "1"})
try:
    start(environment={})
except FunasrError as error:
    print(error)
"""
    result = run(tiny, code)
    lines = result.stdout.splitlines()
    assert lines[0] == "1 False", result
    assert "with other switches (GGML_VK_DISABLE_F16=1)" in lines[1]
    assert lines[1].endswith("to use it with none")


def test_the_cpu_is_to_be_had_whatever_the_process_has_started(tiny: TinyModel) -> None:
    code = """
from funasr_cli import RuntimeOptions, Transcriber
from funasr_cli.llama.process import start
start(environment={"GGML_VK_DISABLE_F16": "1"})
for device in ("auto", "cpu", "auto"):
    Transcriber("funasr_cli/demo_model", RuntimeOptions(threads=1, device=device)).close()
print("fine")
"""
    assert run(tiny, f"os.chdir({str(Path(funasr_cli.__file__).parents[1])!r})\n{code}").stdout == (
        "fine\n"
    )


def test_a_second_library_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would run with parts of the first."""
    other = tmp_path / "libllama.so"
    other.touch()
    backend = dataclasses.replace(process.start(), path=other)
    monkeypatch.setattr(process._PROCESS, "backend", backend)
    with pytest.raises(LibraryError, match="this process already uses"):
        process.start()


@pytest.mark.parametrize("content", [b"", b"Not Found\n", b"\x7fELF" + bytes(60)])
def test_files_that_are_no_library(tiny: TinyModel, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "libllama.so"
    path.write_bytes(content)
    assert str(path) in refusal(tiny, path)


@pytest.mark.parametrize("share", [0.001, 0.2])
def test_a_library_that_is_cut_off(tiny: TinyModel, tmp_path: Path, share: float) -> None:
    """Loading it would end the process with SIGBUS."""
    whole = find().path
    path = tmp_path / whole.name
    with whole.open("rb") as file:
        path.write_bytes(file.read(int(whole.stat().st_size * share)))
    assert "cut off" in refusal(tiny, path)


def test_a_library_of_something_else(tiny: TinyModel) -> None:
    """A real one, without a single function that we need."""
    spec = importlib.util.find_spec("numpy.random._generator")
    assert spec is not None
    text = refusal(tiny, Path(spec.origin or ""))
    assert "it lacks" in text
    assert "functions, llama_backend_init" in text


def unknown_layout(tiny: TinyModel, offset: int, value: int, code: str) -> str:
    """Run with a context struct whose defaults differ in one word."""
    patch = f"""
from funasr_cli.llama import process
real = process.recognise
def recognise(model, context):
    context = bytearray(context)
    context[{offset}:{offset + 4}] = ({value}).to_bytes(4, sys.byteorder)
    return real(model, bytes(context))
process.recognise = recognise
"""
    result = run(tiny, patch + code)
    assert result.returncode == 0, result
    return result.stdout


def test_an_unknown_tail_runs_with_the_minimal_settings(tiny: TinyModel) -> None:
    code = """
with opened(n_seq=2) as model:
    print(model.evaluate([Rows(1, 0, ONE)])[0].shape, model.n_ctx >= 64, model.backend.warning)
"""
    text = unknown_layout(tiny, 72, 7, code)
    assert text.startswith(f"(1, {len(tiny.tokens)}) True ")
    assert "unknown llama.cpp layout, using the minimal settings" in text


def test_an_unknown_start_is_refused(tiny: TinyModel) -> None:
    code = """
try:
    opened()
except FunasrError as error:
    print(error)
"""
    text = unknown_layout(tiny, 4, 99, code)
    assert "not supported: llama_context_params does not start with" in text
    assert "ggml" in text
    assert "2025-06" in text
