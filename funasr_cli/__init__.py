"""Offline speech to text with Fun-ASR-Nano.

    from funasr_cli import Transcriber, TranscribeOptions

    with Transcriber() as transcriber:
        print(transcriber.transcribe("speech.mp3", TranscribeOptions(language="zh")).text)

Names are imported when they are first used, so that `import funasr_cli` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from funasr_cli.version import __version__

if TYPE_CHECKING:
    from funasr_cli.compat import create_asr_engine
    from funasr_cli.errors import (
        CoverageError,
        DecodeError,
        FunasrError,
        InputError,
        LibraryError,
        MissingCtcError,
        ModelError,
        OutputError,
        UnusableError,
        UsageError,
    )
    from funasr_cli.options import RuntimeOptions, TranscribeOptions
    from funasr_cli.results import (
        CharTime,
        DecodeStats,
        HotwordHit,
        ModelInfo,
        Notice,
        Replacement,
        Segment,
        Transcript,
    )
    from funasr_cli.timings import Timings
    from funasr_cli.transcriber import Transcriber

_HOME = {
    "create_asr_engine": "compat",
    "CoverageError": "errors",
    "DecodeError": "errors",
    "FunasrError": "errors",
    "InputError": "errors",
    "LibraryError": "errors",
    "MissingCtcError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "UnusableError": "errors",
    "UsageError": "errors",
    "RuntimeOptions": "options",
    "TranscribeOptions": "options",
    "CharTime": "results",
    "DecodeStats": "results",
    "HotwordHit": "results",
    "ModelInfo": "results",
    "Notice": "results",
    "Replacement": "results",
    "Segment": "results",
    "Transcript": "results",
    "Timings": "timings",
    "Transcriber": "transcriber",
}

__all__ = [  # noqa: RUF022 - grouped as a reader looks for them
    "Transcriber",
    "TranscribeOptions",
    "RuntimeOptions",
    "Transcript",
    "Segment",
    "CharTime",
    "HotwordHit",
    "Replacement",
    "DecodeStats",
    "ModelInfo",
    "Notice",
    "Timings",
    "create_asr_engine",
    "FunasrError",
    "UsageError",
    "UnusableError",
    "ModelError",
    "MissingCtcError",
    "LibraryError",
    "InputError",
    "DecodeError",
    "CoverageError",
    "OutputError",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Import a public name from its module (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Show the lazy names to tab completion too."""
    return sorted({*globals(), *__all__})
