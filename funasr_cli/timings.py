"""How long each stage took: a value that the pipeline fills and the CLI renders."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from threading import Lock
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")
_ADDING = Lock()
"""Two threads measure: the encoder's ahead, and a segment's halves."""


@contextmanager
def shared_out(stage: str, parts: Sequence[tuple["Timings", int]]) -> Iterator[None]:
    """Add the time spent in the block to a stage of several inputs, each by its share.

    Args:
        stage: name of the stage.
        parts: an input's timings, and how much of the work was its.
    """
    begin = perf_counter()
    try:
        yield
    finally:
        seconds, whole = perf_counter() - begin, sum(part for _, part in parts)
        for timings, part in parts:
            timings.add(stage, seconds * part / whole)


@dataclass
class Timings:
    """Seconds spent in each stage of one input; `total` is the wall time around them all.

    Stages overlap where the encoder works ahead of the LLM: their sum may exceed the total.
    """

    load: float = 0.0
    """Opening the model: sessions, GGUF, tokens. Paid once, charged to the first input."""
    decode_audio: float = 0.0
    """File to 16 kHz mono."""
    vad: float = 0.0
    """Telling speech from everything else."""
    encode: float = 0.0
    """Encoder and adaptor (ONNX)."""
    ctc: float = 0.0
    """CTC head (ONNX) and its greedy tokens."""
    hotwords: float = 0.0
    """Recall of hotwords by sound."""
    prompt: float = 0.0
    """Prompt text and its tokens."""
    prefill: float = 0.0
    """Evaluating prompt and audio rows in the LLM."""
    generate: float = 0.0
    """Producing text tokens."""
    align: float = 0.0
    """Character times."""
    write: float = 0.0
    """Writing results."""
    total: float = 0.0

    def stages(self) -> dict[str, float]:
        """The stages in the order of the pipeline, without `total`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "total"}

    def as_dict(self) -> dict[str, float]:
        """All fields, seconds rounded to 0.1 ms."""
        return {f.name: round(getattr(self, f.name), 4) for f in fields(self)}

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time spent in the block to a stage."""
        begin = perf_counter()
        try:
            yield
        finally:
            self.add(stage, perf_counter() - begin)

    def add(self, stage: str, seconds: float) -> None:
        """Add seconds to a stage."""
        with _ADDING:
            setattr(self, stage, getattr(self, stage) + seconds)

    def settle(self, load: float) -> None:
        """Set `load`, and `total` to what this input took of the time that inputs share."""
        self.load = load
        self.total = sum(self.stages().values())

    def measure_each(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """Pass items on; add the time spent producing them to a stage."""
        source = iter(items)
        while True:
            with self.measure(stage):
                item = next(source, None)
            if item is None:
                return
            yield item


class EngineTimings(Timings):
    """Our timings, with Fun-ASR-GGUF's names for those stages that it calls otherwise."""

    @property
    def load_audio(self) -> float:
        """File to 16 kHz mono."""
        return self.decode_audio

    @property
    def prepare(self) -> float:
        """Hotwords and prompt."""
        return self.hotwords + self.prompt

    @property
    def inject(self) -> float:
        """Evaluating prompt and audio rows in the LLM."""
        return self.prefill

    @property
    def llm_generate(self) -> float:
        """Producing text tokens."""
        return self.generate
