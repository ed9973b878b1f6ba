"""manifest.json: what an exported model says of itself. Written by `export`, read at load."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

from funasr_cli.errors import ModelError
from funasr_cli.units import MAX_TIME_OFFSET_S

MANIFEST = "manifest.json"
SCHEMA = "funasr-model/1"
PARTS = ("encoder", "ctc", "decoder", "tokens")
"""Fields of `Manifest` that are files."""

ENCODER_FILE = "Fun-ASR-Nano-Encoder-Adaptor.{dtype}.onnx"
CTC_FILE = "Fun-ASR-Nano-CTC.{dtype}.onnx"
DECODER_FILE = "Fun-ASR-Nano-Decoder.{dtype}.gguf"
TOKENS_FILE = "tokens.txt"

CHECKPOINT = "FunAudioLLM/Fun-ASR-Nano-2512"
"""The checkpoint to name where none is known: OWNER/NAME on the hubs."""
HOW_TO_EXPORT = f"export the model with: funasr export {CHECKPOINT} -o model"
"""The remedy that ends most messages about models; ./model is found without being named."""

LOW_FRAME_RATE = 8
"""LFR frames per audio row of models with `use_low_frame_rate`: the reference halves three times,
rounding up (`fake_token_len` in FunASR's `fun_asr_nano/model.py`)."""
DEFAULT_TIME_OFFSET_S = -0.24
"""Seconds added to CTC times of a checkpoint that does not say: the only known observation
(Fun-ASR-GGUF commit 84f9a0d); a checkpoint's config.yaml may carry `ctc_time_offset_s`."""
DEFAULT_MAX_SEGMENT_S = 30.0
"""Longest segment in seconds; config.yaml may carry `max_segment_s`."""
SEGMENT_S = (0.5, 600.0)
"""Least and greatest `max_segment_s`: memory grows with it."""


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

    def artefacts(self) -> dict[str, Artefact]:
        """The files that there are, by their part."""
        held = {part: getattr(self, part) for part in PARTS}
        return {part: artefact for part, artefact in held.items() if artefact is not None}

    def to_json(self) -> str:
        """The text of manifest.json."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


_INT, _BOOL, _NUMBER = "a whole number", "true or false", "a number"
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": ("a text", lambda v: isinstance(v, str)),
    **{
        name: (f"{_INT} above 0", lambda v: _is_int(v) and v > 0)
        for name in ("encoder_dim", "llm_dim", "llm_vocab", "downsample_rate")
    },
    **{
        name: (_BOOL, lambda v: isinstance(v, bool))
        for name in ("use_low_frame_rate", "system_prompt", "think_block")
    },
    "ctc_vocab": (f"{_INT} above 1, or null", lambda v: v is None or (_is_int(v) and v > 1)),
    "blank_id": (f"{_INT}, or null", lambda v: v is None or _is_int(v)),
    "time_offset_s": (
        f"{_NUMBER} from -{MAX_TIME_OFFSET_S:g} to {MAX_TIME_OFFSET_S:g}",
        lambda v: _is_number(v) and abs(v) <= MAX_TIME_OFFSET_S,
    ),
    "max_segment_s": (
        f"{_NUMBER} from {SEGMENT_S[0]:g} to {SEGMENT_S[1]:g}",
        lambda v: _is_number(v) and SEGMENT_S[0] <= v <= SEGMENT_S[1],
    ),
}
"""Field of `ModelFacts` -> what it must be, in words and as a test."""


def read_manifest(path: Path) -> Manifest:
    """Read manifest.json.

    Raises:
        ModelError: it cannot be read, is not JSON, of another schema, or lacks a field or has
            one of a wrong type or out of its range.
    """
    try:
        with path.open(encoding="utf-8") as file:
            raw = json.load(file)
        if raw["schema"] != SCHEMA:
            raise ModelError(
                f"{path}: schema {raw['schema']!r}, expected {SCHEMA!r}; {HOW_TO_EXPORT}"
            )
        encoder, ctc, decoder, tokens = (
            Artefact(**_known(Artefact, raw[part])) if raw.get(part) else None for part in PARTS
        )
        manifest = Manifest(
            model=ModelFacts(**_known(ModelFacts, raw["model"])),
            encoder=encoder,
            ctc=ctc,
            decoder=decoder,
            tokens=tokens,
            source=dict(raw.get("source", {})),
            audit=dict(raw.get("audit", {})),
            tool=dict(raw.get("tool", {})),
        )
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: not a readable manifest ({error}); {HOW_TO_EXPORT}") from error
    if problem := _problem(manifest):
        raise ModelError(f"{path}: {problem}; {HOW_TO_EXPORT}")
    return manifest


def damaged_files(folder: Path) -> list[str]:
    """Name the files of a model directory whose sha256 is not the manifest's, or that are gone.

    Reads all of them: a second or more per gigabyte.

    Raises:
        ModelError: the manifest or a file cannot be read.
    """
    held = read_manifest(folder / MANIFEST).artefacts()
    return [a.name for a in held.values() if _sha256(folder / a.name) != a.sha256]


def broken(file: Path, symptom: str) -> ModelError:
    """Make the error about a file that opened, but does not work: names what is damaged."""
    try:
        manifest = read_manifest(file.parent / MANIFEST)
        damaged = damaged_files(file.parent)
        is_ours = file.name in {a.name for a in manifest.artefacts().values()}
    except ModelError:
        is_ours = False
    if not is_ours:
        return ModelError(
            f"{file}: {symptom}: the file is damaged or made wrongly; copy it again, or "
            f"{HOW_TO_EXPORT}"
        )
    if not damaged:
        return ModelError(
            f"{file}: {symptom}, although its sha256 is the one in {MANIFEST}; {HOW_TO_EXPORT}"
        )
    return ModelError(
        f"{file}: {symptom}: damaged, as the sha256 in {MANIFEST} tells: {', '.join(damaged)}; "
        f"copy the model again, or {HOW_TO_EXPORT}"
    )


def unreadable(path: Path, error: OSError) -> ModelError:
    """Make the error about a file that the system does not let us read; no export helps there."""
    if isinstance(error, PermissionError):
        return ModelError(f"{path}: permission denied; let this user read it (chmod, chown)")
    if isinstance(error, FileNotFoundError):
        return ModelError(f"{path}: missing; {HOW_TO_EXPORT}")
    return ModelError(f"{path}: cannot be read ({error.strerror or error}); copy it again")


def _known(kind: type[Any], raw: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a later version may have added."""
    return {f.name: raw[f.name] for f in fields(kind) if f.name in raw}


def _problem(manifest: Manifest) -> str | None:
    """Say what is wrong with the values; None: nothing."""
    facts = manifest.model
    for name, (wanted, fits) in _RULES.items():
        if not fits(value := getattr(facts, name)):
            return f"model.{name} is {value!r}, not {wanted}"
    if facts.ctc_vocab is not None and facts.blank_id != facts.ctc_vocab - 1:
        return f"model.blank_id is {facts.blank_id!r}, not the last of {facts.ctc_vocab} tokens"
    if manifest.ctc and not (manifest.tokens and facts.ctc_vocab):
        return f"has a ctc, but no {'model.ctc_vocab' if manifest.tokens else 'tokens'}"
    for part, artefact in manifest.artefacts().items():
        if not _is_int(artefact.bytes):
            return f"{part}.bytes is {artefact.bytes!r}, not {_INT}"
        # a name with a folder could lead anywhere
        if not isinstance(artefact.name, str) or Path(artefact.name).name != artefact.name:
            return f"{part}.name is {artefact.name!r}, no usable file name"
    return None


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_int(value) or isinstance(value, float)


def _sha256(file: Path) -> str:
    """Hash a file; "" when there is none."""
    digest = sha256()
    try:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise unreadable(file, error) from error
    return digest.hexdigest()
