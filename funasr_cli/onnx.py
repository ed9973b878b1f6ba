"""onnxruntime sessions: how they are opened and run, and nothing about what is in them."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from funasr_cli import ort
from funasr_cli.errors import (
    TOO_LITTLE_MEMORY,
    InputError,
    LibraryError,
    ModelError,
    tells_of_memory,
)
from funasr_cli.manifest import broken, unreadable
from funasr_cli.memory import give_back_freed, returning_freed_blocks
from funasr_cli.protocols import Floats

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CPU_PROVIDER = "CPUExecutionProvider"
_ARENA_MACHINES = frozenset({"x86_64", "amd64", "aarch64", "arm64"})
"""Where onnxruntime computes on the CPU in memory that it keeps from run to run."""
_NUMBERED = frozenset({"CUDAExecutionProvider", "DmlExecutionProvider"})
LOUDEST = 1e6
"""Samples beyond this are no sound: full scale is 1, and of some careless programs 32768."""


def usable_cores() -> int:
    """Count the cores this process may run on (containers and taskset included)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_providers() -> tuple[str, ...]:
    """Name the execution providers of the installed onnxruntime; none where it is broken."""
    try:
        return tuple(ort.load().get_available_providers())
    except LibraryError:
        return ()


def runtime_version() -> str:
    """The version of onnxruntime.

    Raises:
        LibraryError: it cannot be imported.
    """
    return str(ort.load().__version__)


class Session:
    """An opened ONNX model; whatever fails is an error that names its file.

    Raises:
        ModelError: the file is not a model that this onnxruntime can run.
        LibraryError: onnxruntime itself cannot be imported, or cannot start the provider.
    """

    def __init__(
        self, path: Path, *, threads: int, provider: str = CPU_PROVIDER, device_id: int = 0
    ) -> None:
        self.path = path
        with returning_freed_blocks():
            self._session = _open(path, threads, provider, device_id)
        self._run_options = _run_options()
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self.inputs: dict[str, str] = {i.name: i.type for i in inputs}
        """Name -> element type, in the graph's order."""
        self.outputs: tuple[str, ...] = tuple(o.name for o in outputs)
        self._shapes: dict[str, Sequence[Any]] = {v.name: v.shape for v in (*inputs, *outputs)}

    def width(self, name: str) -> int | None:
        """Last dimension of an input or output; None when it is free."""
        *_, last = self._shapes[name] or [None]
        return last if isinstance(last, int) else None

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Any]) -> list[Any]:
        """Compute `outputs`, arrays in this order.

        Raises:
            ModelError: onnxruntime failed.
        """
        give_back_freed()  # a millisecond before a run of hundreds, in which memory is at its most
        try:
            return list(self._session.run(outputs, feeds, self._run_options))
        except Exception as error:
            told = _first_line(error)
            raise _failed(self.path, told, f"onnxruntime cannot run it ({told})") from error

    def require_finite(self, *results: Floats, of: Floats | None = None) -> None:
        """Refuse results that are not finite: they would become a nonsense text.

        Args:
            results: what the graph gave.
            of: the sound that it was given, which may be to blame.

        Raises:
            InputError: `of` is no sound.
            ModelError: the file is to blame.
        """
        if all(np.isfinite(r).all() for r in results):
            return
        if of is not None and not np.abs(of).max(initial=0) < LOUDEST:  # so too with NaN
            raise InputError(
                "the sound has samples that are infinite, not numbers or far too large: convert "
                "it again from its source"
            )
        raise broken(self.path, "gives numbers that are not finite")


def _open(path: Path, threads: int, provider: str, device_id: int) -> "InferenceSession":
    runtime = ort.load()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what goes wrong is raised: stderr belongs to the user
    # spinning threads would take the cores from llama.cpp between two encoder runs
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        path.open("rb").close()  # onnxruntime says the same of all that it cannot read
    except OSError as error:
        raise unreadable(path, error) from error
    # planned for one length of sound, and every segment has its own: 6 MB for nothing
    options.enable_mem_pattern = False
    if provider == "DmlExecutionProvider":  # it refuses sessions without this, or with a pattern
        options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    numbered = {"device_id": device_id} if provider in _NUMBERED else {}
    chosen: list[Any] = [] if provider == CPU_PROVIDER else [(provider, numbered)]
    try:
        session = runtime.InferenceSession(str(path), options, providers=[*chosen, CPU_PROVIDER])
    except Exception as error:  # onnxruntime raises its own, undocumented, family
        version, told = runtime.__version__, _first_line(error)
        reason = f"not an ONNX model that onnxruntime {version} can run ({told})"
        raise _failed(path, told, reason) from error
    if provider not in session.get_providers():  # it says nothing, and takes the CPU instead
        version = runtime.__version__
        raise LibraryError(f"onnxruntime {version} cannot start {provider} here")
    return session


def _run_options() -> Any:  # noqa: ANN401 - a class without types
    """Give memory back after each run: 30 s of sound take 60 MB, which the LLM can use."""
    options = ort.load().RunOptions()
    if platform.machine().lower() in _ARENA_MACHINES:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _failed(path: Path, told: str, reason: str) -> ModelError:
    """Blame the file, unless memory is to blame: exporting again would not mend that."""
    if tells_of_memory(told):
        return ModelError(f"{path}: {TOO_LITTLE_MEMORY} ({told})")
    return broken(path, reason)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
