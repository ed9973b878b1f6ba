"""Every option of a transcription: one default each, written here and nowhere else.

A value that means nothing is refused where it is made, not minutes later in the pipeline.
"""

from dataclasses import dataclass
from math import inf
from operator import index
from pathlib import Path

from funasr_cli.device_names import AUTO, parse_device
from funasr_cli.errors import UsageError
from funasr_cli.required import pairs_once, require, words_once
from funasr_cli.units import MAX_TIME_OFFSET_S

DEFAULT_MAX_HOTWORDS = 10
DEFAULT_HOTWORD_THRESHOLD = 0.6
DEFAULT_DEVICE = AUTO
MAX_SLOTS = 64
"""Sequences that every build of llama.cpp can hold."""
MAX_VAD_MS = 60_000
LEAST_SEGMENT_S = 2.0
"""A segment must hold more than its overlaps with its neighbours."""
MAX_OVERLAP_S = 3.0
MAX_THREADS = 1024
"""Far more than help; onnxruntime hangs when it is asked for 100,000."""


@dataclass(frozen=True)
class TranscribeOptions:
    """What to do with one input.

    `hotwords` and `hotword_aliases` take any sequence; it becomes a tuple without empty words
    and repetitions.

    Raises:
        UsageError: a value means nothing; the message names the field.
    """

    language: str | None = None
    """Any name `languages.prompt_language` knows; None or `auto`: the model decides."""
    hotwords: tuple[str, ...] = ()
    """Words to write right; the whole list, of any length."""
    hotword_aliases: tuple[tuple[str, str], ...] = ()
    """(spoken form, written form): other ways to say one of `hotwords`."""
    hotword_recall: bool = True
    """Put only the words that CTC heard into the prompt; False: the whole list goes in, as the
    official runtime does."""
    hotword_threshold: float = DEFAULT_HOTWORD_THRESHOLD
    """Least similarity by sound, 0..1."""
    max_hotwords: int = DEFAULT_MAX_HOTWORDS
    """Most words in one prompt."""
    hotword_replace: float | None = None
    """Write a recalled word over a span of the text that sounds like it, at least so similar
    (0..1), and stands where CTC heard it; None: never."""
    context: str = ""
    """Free text about the recording: topic, names, style."""
    itn: bool = True
    """Write numbers, dates and units as digits."""
    start: float = 0.0
    """Seconds to skip at the beginning of the input."""
    duration: float | None = None
    """Seconds to transcribe from there; None = to the end."""
    time_offset: float | None = None
    """Seconds added to every time, because CTC hears late or early; None: the model's own offset
    (its manifest)."""
    max_new_tokens: int | None = None
    """Most tokens a segment may get; None: a budget from its length."""
    guard: bool = True
    """Detect loops, NaN and truncation, retry, and fall back to the CTC text."""
    vad: bool = True
    """Transcribe only what is speech, cut in its pauses; False: plain windows of the model's
    longest segment."""
    vad_threshold: float = 0.5
    """How likely sound must be speech, 0..1."""
    vad_min_speech_duration_ms: int = 100
    """Shorter speech is taken for noise."""
    vad_min_silence_duration_ms: int = 500
    """Shorter silence is part of the speech around it."""
    vad_max_speech_duration_s: float | None = None
    """Longest segment; None, or more than that: what the model was trained on."""
    vad_speech_pad_ms: int = 400
    """How much sound is kept on both sides of speech."""
    overlap: float = 1.5
    """Seconds that segments share where a cut falls into speech, and are joined by."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hotwords", words_once(self.hotwords))
        object.__setattr__(self, "hotword_aliases", pairs_once(self.hotword_aliases))
        require(
            "hotword_threshold (--hotword-threshold)",
            self.hotword_threshold,
            lambda x: 0 <= x <= 1,
            "0 to 1",
        )
        require(
            "max_hotwords (--max-hotwords)",
            self.max_hotwords,
            lambda n: index(n) >= 0,
            "0 or more",
        )
        if self.hotword_replace is not None:
            require(
                "hotword_replace (--hotword-replace)",
                self.hotword_replace,
                lambda x: 0 < x <= 1,
                "more than 0, at most 1; None for never",
            )
            if not self.hotword_recall:
                raise UsageError(
                    "hotword_replace (--hotword-replace) needs recall: it goes by where words were "
                    "heard; leave out --no-hotword-recall"
                )
        require("start (--start)", self.start, lambda s: 0 <= s < inf, "seconds from 0 on")
        if self.duration is not None:
            require(
                "duration (--duration)",
                self.duration,
                lambda s: 0 < s < inf,
                "more than 0 seconds; None for all",
            )
        self._require_vad()
        if self.time_offset is not None:
            require(
                "time_offset (--time-offset)",
                self.time_offset,
                lambda s: abs(s) <= MAX_TIME_OFFSET_S,
                f"seconds from -{MAX_TIME_OFFSET_S:g} to {MAX_TIME_OFFSET_S:g}; None for the "
                "model's own",
            )
        if self.max_new_tokens is not None:
            require(
                "max_new_tokens (--max-new-tokens)",
                self.max_new_tokens,
                lambda n: index(n) >= 1,
                "1 or more; None for a budget from the length",
            )

    def _require_vad(self) -> None:
        longest = self.vad_max_speech_duration_s
        require(
            "vad_threshold (--vad-threshold)",
            self.vad_threshold,
            lambda x: 0 < x < 1,
            "more than 0, less than 1",
        )
        for name in ("min_speech_duration", "min_silence_duration", "speech_pad"):
            require(
                f"vad_{name}_ms (--vad-{name.replace('_', '-')}-ms)",
                getattr(self, f"vad_{name}_ms"),
                lambda n: 0 <= index(n) <= MAX_VAD_MS,
                f"0 to {MAX_VAD_MS} milliseconds",
            )
        if longest is not None:
            require(
                "vad_max_speech_duration_s (--vad-max-speech-duration-s)",
                longest,
                lambda s: s >= LEAST_SEGMENT_S,
                f"{LEAST_SEGMENT_S:g} seconds or more; None for what the model was trained on",
            )
        require(
            "overlap (--overlap)",
            self.overlap,
            lambda s: 0 <= s <= MAX_OVERLAP_S,
            f"0 to {MAX_OVERLAP_S:g} seconds",
        )


@dataclass(frozen=True)
class RuntimeOptions:
    """What the models run on.

    Raises:
        UsageError: a value means nothing; the message names the field.
    """

    threads: int | None = None
    """Threads of each runtime; None = the cores this process may use."""
    llama_bin: Path | None = None
    """Folder or file of a llama.cpp build; None: $FUNASR_LLAMA_BIN, the default of `funasr
    runtime`, llama_bin/, packages."""
    slots: int | None = None
    """Segments that are decoded side by side; None: as many as pay on the device."""
    drafts: bool = True
    """Let the CTC text propose tokens where that pays on the device; the text stays the same."""
    ahead: int | None = None
    """Segments that the encoder may be ahead of the LLM; None: 4 for an LLM on a GPU, else 0."""
    device: str = DEFAULT_DEVICE
    """auto: a discrete GPU, else an integrated one, else the CPU, whichever proves itself;
    cpu; gpu; vulkan[:N], cuda[:N], metal, ...: that one, or an error where there is none."""
    n_gpu_layers: int | None = None
    """Layers of the LLM on the GPU; None: all."""
    vulkan_f16: bool = True
    """Half precision on Vulkan devices; a device that it spoils is tried without it."""
    vulkan_coopmat: bool = True
    """Cooperative matrices on Vulkan devices; likewise."""

    def __post_init__(self) -> None:
        if self.threads is not None:
            require(
                "threads (--threads)",
                self.threads,
                lambda n: 1 <= index(n) <= MAX_THREADS,
                f"1 to {MAX_THREADS}; None for the usable cores",
            )
        if self.slots is not None:
            require(
                "slots (--slots)",
                self.slots,
                lambda n: 1 <= index(n) <= MAX_SLOTS,
                f"1 to {MAX_SLOTS}; None for as many as pay",
            )
        if self.ahead is not None:
            require("ahead", self.ahead, lambda n: 0 <= index(n) <= MAX_SLOTS, f"0 to {MAX_SLOTS}")
        if self.n_gpu_layers is not None:
            require(
                "n_gpu_layers (--n-gpu-layers)",
                self.n_gpu_layers,
                lambda n: index(n) >= -1,
                "0 or more; -1 or None for all",
            )
        parse_device(self.device)
