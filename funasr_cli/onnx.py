"""onnxruntime sessions: how they are opened, and nothing about what is in them."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from funasr_cli.errors import LibraryError, ModelError

if TYPE_CHECKING:
    import onnxruntime as ort


def usable_cores() -> int:
    """Count the cores this process may run on (containers and taskset included)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_session(path: Path, *, threads: int) -> "ort.InferenceSession":
    """Open a model on the CPU.

    Raises:
        ModelError: the file is not a model that this onnxruntime can run.
        LibraryError: onnxruntime itself cannot be imported.
    """
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise LibraryError(
            f"onnxruntime cannot be loaded ({error}); install it again: "
            "pip install --force-reinstall onnxruntime"
        ) from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors only: stderr belongs to the user
    # spinning threads would take the cores from llama.cpp between two encoder runs
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not path.is_file():
        raise ModelError(f"{path}: missing; export the model again or name another with -m")
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own, undocumented, family
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{path}: not an ONNX model that onnxruntime {ort.__version__} can run ({first})"
        ) from error
