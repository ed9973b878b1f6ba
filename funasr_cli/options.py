"""Every option of a transcription: one default each, written here and nowhere else."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_MAX_HOTWORDS = 10
DEFAULT_HOTWORD_THRESHOLD = 0.6


@dataclass(frozen=True)
class TranscribeOptions:
    """What to do with one input."""

    language: str | None = None
    """Any name `languages.prompt_language` knows; None or `auto`: the model decides."""
    hotwords: tuple[str, ...] = ()
    """Words to write right; the whole list, of any length."""
    hotword_aliases: tuple[tuple[str, str], ...] = ()
    """(spoken form, written form): other ways to say one of `hotwords`."""
    hotword_recall: bool = True
    """Put only the words heard in the CTC text into the prompt when there are more than
    `max_hotwords`; False: the whole list goes in, as the official runtime does."""
    hotword_threshold: float = DEFAULT_HOTWORD_THRESHOLD
    """Least similarity by sound, 0..1."""
    max_hotwords: int = DEFAULT_MAX_HOTWORDS
    """Most words in one prompt."""
    context: str = ""
    """Free text about the recording: topic, names, style."""
    itn: bool = True
    """Write numbers, dates and units as digits."""
    start: float = 0.0
    """Seconds to skip at the beginning of the input."""
    duration: float | None = None
    """Seconds to transcribe from there; None = to the end."""
    max_new_tokens: int | None = None
    """Most tokens a segment may get; None: a budget from its length."""
    guard: bool = True
    """Detect loops, NaN and truncation, retry, and fall back to the CTC text."""
    vad: bool = True
    """Cut long audio at its quietest points; False: plain windows of `max_segment_s`."""


@dataclass(frozen=True)
class RuntimeOptions:
    """What the models run on."""

    threads: int | None = None
    """Threads of each runtime; None = the cores this process may use."""
    llama_bin: Path | None = None
    """Folder or file of a llama.cpp build; None: $FUNASR_LLAMA_BIN, llama_bin/, packages."""
