"""manifest.json: what an exported model says of itself. Written by `export`, read at load."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from funasr_cli.errors import ModelError

MANIFEST = "manifest.json"
SCHEMA = "funasr-model/1"

ENCODER_FILE = "Fun-ASR-Nano-Encoder-Adaptor.{dtype}.onnx"
CTC_FILE = "Fun-ASR-Nano-CTC.{dtype}.onnx"
DECODER_FILE = "Fun-ASR-Nano-Decoder.{dtype}.gguf"
TOKENS_FILE = "tokens.txt"

DEFAULT_TIME_OFFSET_S = -0.24
"""Seconds added to CTC times of a checkpoint that does not say: the only known observation
(Fun-ASR-GGUF commit 84f9a0d); a checkpoint's config.yaml may carry `ctc_time_offset_s`."""
DEFAULT_MAX_SEGMENT_S = 30.0
"""Longest segment in seconds; config.yaml may carry `max_segment_s`."""


@dataclass(frozen=True)
class Artefact:
    """One file of a model directory."""

    name: str
    dtype: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class ModelFacts:
    """Numbers of the model that the runtime needs and never hard-codes."""

    name: str
    encoder_dim: int
    """H, width of `encoder_out`."""
    llm_dim: int
    """D, width of `audio_embeds`."""
    llm_vocab: int
    use_low_frame_rate: bool
    downsample_rate: int
    ctc_vocab: int | None = None
    """Entries of tokens.txt, blank included; None without a CTC head."""
    blank_id: int | None = None
    system_prompt: bool = True
    """Whether the prompt has a system turn (`dataset_conf.sys_prompt`)."""
    think_block: bool = False
    """Whether an empty think block opens the answer (`dataset_conf.do_think: false`)."""
    time_offset_s: float = DEFAULT_TIME_OFFSET_S
    max_segment_s: float = DEFAULT_MAX_SEGMENT_S


@dataclass(frozen=True)
class Manifest:
    """The whole manifest."""

    model: ModelFacts
    encoder: Artefact | None = None
    ctc: Artefact | None = None
    decoder: Artefact | None = None
    tokens: Artefact | None = None
    source: dict[str, Any] = field(default_factory=dict)
    """`file`, `sha256`, `bytes`, `container`, `dtype` of the checkpoint."""
    audit: dict[str, Any] = field(default_factory=dict)
    """Per group of tensors: how many were expected and found; what was ignored."""
    tool: dict[str, str] = field(default_factory=dict)
    schema: str = SCHEMA

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def read_manifest(path: Path) -> Manifest:
    """Read manifest.json.

    Raises:
        ModelError: it is not JSON, of another schema, or lacks a field.
    """
    remedy = "export the model again: funasr export CHECKPOINT_DIR -o MODEL_DIR"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise ModelError(f"{path}: schema {raw['schema']!r}, expected {SCHEMA!r}; {remedy}")
        known = {f.name for f in fields(ModelFacts)}
        facts = ModelFacts(**{k: v for k, v in raw["model"].items() if k in known})
        encoder, ctc, decoder, tokens = (
            Artefact(**raw[key]) if raw.get(key) else None
            for key in ("encoder", "ctc", "decoder", "tokens")
        )
        return Manifest(
            model=facts,
            encoder=encoder,
            ctc=ctc,
            decoder=decoder,
            tokens=tokens,
            source=raw.get("source", {}),
            audit=raw.get("audit", {}),
            tool=raw.get("tool", {}),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: not a readable manifest ({error}); {remedy}") from error
