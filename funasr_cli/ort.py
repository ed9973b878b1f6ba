"""onnxruntime as a module: imported without its telemetry, and before llama.cpp."""

import os
from typing import Any

from funasr_cli.errors import LibraryError


def load() -> Any:  # noqa: ANN401 - a module without types
    """Import onnxruntime.

    Its Linux wheels since 1.32 note a device id and events in the user's cache as soon as they
    are imported; this variable alone prevents it.

    Raises:
        LibraryError: it is missing or broken; the command that mends it follows the last colon.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except Exception as error:  # a broken installation raises anything
        raise LibraryError(
            f"onnxruntime cannot be loaded ({_first_line(error)}); install it again: "
            "pip install --force-reinstall onnxruntime"
        ) from error
    # onnxruntime and onnxruntime-gpu own the same folder: removing one guts the other
    if not hasattr(onnxruntime, "InferenceSession"):
        raise LibraryError(
            "onnxruntime is only half installed: "
            "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime"
        )
    return onnxruntime


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
