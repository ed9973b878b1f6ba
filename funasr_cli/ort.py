"""onnxruntime as a module: imported without its telemetry, and before llama.cpp."""

import os
from typing import Any

from funasr_cli.errors import LibraryError


def load() -> Any:  # noqa: ANN401 - a module without types
    """Import onnxruntime.

    Its Linux wheels since 1.32 note a device id and events in the user's cache as soon as they
    are imported; this variable alone prevents it.

    Raises:
        LibraryError: it is missing or broken.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as error:
        raise LibraryError(
            f"onnxruntime cannot be loaded ({error}); install it again: "
            "pip install --force-reinstall onnxruntime"
        ) from error
    return onnxruntime
