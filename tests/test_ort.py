import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from funasr_cli import ort
from funasr_cli.errors import LibraryError, ModelError
from funasr_cli.onnx import Session, available_providers


def test_onnxruntime_notes_nothing_about_the_user(tmp_path: Path) -> None:
    """Its wheels since 1.32 write a device id into the cache on import, unless told before."""
    script = """
from pathlib import Path
from funasr_cli.llama.library import find
from funasr_cli.llama.process import start
from funasr_cli.diagnosis.machine import check_packages
from funasr_cli.onnx import available_providers
check_packages(); available_providers(); start()
"""
    root = str(Path(ort.__file__).parents[1])
    folders = {name: str(tmp_path) for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    without = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", script], env={**without, **folders, "PYTHONPATH": root}, check=True
    )
    assert list(tmp_path.rglob("*")) == []


def test_the_user_s_own_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    ort.load()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"


@pytest.mark.parametrize("told", ["OSError('boom')", "AttributeError('boom')"])
def test_one_that_fails_while_it_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    (tmp_path / "onnxruntime.py").write_text(f"raise {told}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    with pytest.raises(LibraryError, match=r"cannot be loaded \(boom\)"):
        ort.load()


def test_a_half_installed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", ModuleType("onnxruntime"))
    with pytest.raises(LibraryError, match="half installed: pip uninstall -y onnxruntime"):
        ort.load()
    assert available_providers() == ()


def test_a_broken_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(LibraryError, match="force-reinstall onnxruntime"):
        ort.load()


@pytest.mark.parametrize(
    "told",
    [
        "Load model from a.onnx failed:std::bad_alloc",
        "Load model from a.onnx failed:bad allocation",
        "bfc_arena.cc:358 Failed to allocate memory for requested buffer of size 9",
    ],
)
def test_too_little_memory_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(told)

    path = tmp_path / "a.onnx"
    path.touch()
    monkeypatch.setattr(ort.load(), "InferenceSession", fail)
    with pytest.raises(ModelError, match="too little memory: close other programs") as caught:
        Session(path, threads=1)
    assert "export" not in str(caught.value)


def test_a_damaged_file_is_not_short_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"garbage")
    with pytest.raises(ModelError, match="the file is damaged or made wrongly") as caught:
        Session(path, threads=1)
    assert "memory" not in str(caught.value)
