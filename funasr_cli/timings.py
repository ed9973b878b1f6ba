"""How long each stage took: a value that the pipeline fills and the CLI renders."""

from dataclasses import dataclass, fields


@dataclass
class Timings:
    """Seconds spent in each stage of one input; `total` is the wall time around them all."""

    load: float = 0.0
    """Opening the model: sessions, GGUF, tokens. Paid once, charged to the first input."""
    decode_audio: float = 0.0
    """File to 16 kHz mono."""
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
