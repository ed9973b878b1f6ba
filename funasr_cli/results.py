"""What the stages hand to each other and what the user gets: plain frozen values.

All times are seconds from the start of the input.
"""

from dataclasses import dataclass, field

from funasr_cli.timings import Timings

RESULT_SCHEMA = "funasr-transcript/1"


@dataclass(frozen=True)
class CtcToken:
    """One token of the greedy CTC path, repeats collapsed and blanks dropped."""

    id: int
    piece: bytes
    """Raw bytes: a character may be spread over several tokens."""
    start: float
    end: float
    confidence: float
    """Highest posterior over the token's frames, 0..1."""
    alternatives: tuple[tuple[bytes, float], ...] = ()
    """Pieces of other tokens that may have been said instead, with their highest posteriors."""


@dataclass(frozen=True)
class CharTime:
    """One character of the final text and where it was spoken."""

    text: str
    start: float
    end: float
    confidence: float
    """CTC posterior of the sound it was aligned to; 0 where nothing was heard for it."""


@dataclass(frozen=True)
class HotwordHit:
    """A word of the user's list that the CTC text suggests, and what became of it."""

    word: str
    similarity: float
    """1 = sounds exactly alike; 0 = taken without having been heard."""
    start: float | None = None
    end: float | None = None
    """Where it was heard; None where it was not."""
    in_prompt: bool = False
    """Whether the LLM was given it for the answer that was kept."""
    in_text: bool = False
    """Whether it stands in the text, written as in the list."""
    taken_for: str | None = None
    """Everyday words that CTC wrote in its place, if they were likelier: it was left out."""


@dataclass(frozen=True)
class Replacement:
    """A span of the text that gave way to a word of the user's list."""

    before: str
    """What the LLM wrote."""
    after: str
    """The word."""
    start: float
    end: float
    similarity: float
    """Of the two, by sound."""


@dataclass(frozen=True)
class DecodeStats:
    """What the language model did for one segment."""

    calls: int = 0
    """llama_decode calls."""
    rows: int = 0
    """Rows evaluated over all calls, prompt included."""
    drafted: int = 0
    accepted: int = 0
    retries: int = 0


@dataclass(frozen=True)
class Notice:
    """Something the user should know about a result."""

    code: str
    """Stable name for programs, e.g. `truncated`, `loop`, `no-ctc`."""
    message: str
    segment: int | None = None


@dataclass(frozen=True)
class Segment:
    """A piece of at most `max_segment_s` seconds, decoded on its own."""

    id: int
    start: float
    end: float
    text: str
    ctc_text: str
    hotwords: tuple[HotwordHit, ...]
    chars: tuple[CharTime, ...]
    token_ids: tuple[int, ...]
    decode: DecodeStats
    replacements: tuple[Replacement, ...] = ()
    """In the order of the text; `token_ids` are still those of the LLM."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model wrote a transcript."""

    name: str
    path: str
    sha256: str
    """Of the source checkpoint, from the manifest; empty when unknown."""
    decoder: str
    """File name of the GGUF."""
    llama: str
    """The llama.cpp library in use."""
    device: str = "CPU"
    """What the LLM runs on, as llama.cpp names it."""
    encoder_provider: str = "CPUExecutionProvider"
    """What the encoder runs on, as onnxruntime names it."""


@dataclass(frozen=True)
class Transcript:
    """Everything about one input."""

    path: str
    start: float
    """Where in the input the transcript begins."""
    duration: float
    """Seconds of sound from there."""
    sample_rate: int
    language: str | None
    """The language asked for; None = the model decides."""
    text: str
    segments: tuple[Segment, ...]
    model: ModelInfo
    timings: Timings
    warnings: tuple[Notice, ...] = field(default=())
    speech: float | None = None
    """Seconds in which somebody spoke; None: nobody listened for that."""
    coverage: float | None = None
    """Share of the speech that text stands for, 0..1."""
    failure: str | None = None
    """Why this must not be called a success, whatever was written; None: it may."""
