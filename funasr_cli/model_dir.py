"""A model directory -> its files and facts, checked before anything is loaded."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.manifest import (
    CTC_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    MANIFEST,
    TOKENS_FILE,
    Artefact,
    ModelFacts,
    read_manifest,
)

MODEL_DIR_VARIABLE = "FUNASR_MODEL_DIR"
DEMO_MODEL = Path(__file__).parent / "demo_model"
HOW_TO_EXPORT = "make one with: funasr export CHECKPOINT_DIR -o MODEL_DIR"


@dataclass(frozen=True)
class ModelFiles:
    """Where the parts of one model lie."""

    path: Path
    encoder: Path
    ctc: Path | None
    """None: the checkpoint had no CTC head; no character times, no recall."""
    decoder: Path
    tokens: Path | None
    facts: ModelFacts | None
    """None for directories of other tools, which carry no manifest."""
    sha256: str = ""
    """Of the source checkpoint."""
    exact: bool = False
    """Whether the LLM was exported in float32: for comparing, so nothing may be rounded."""


def find_model(named: Path | None) -> Path:
    """Choose the directory: `named`, else $FUNASR_MODEL_DIR, else ./model, else the demo model."""
    if named is not None:
        return named
    variable = os.environ.get(MODEL_DIR_VARIABLE)
    if variable:
        return Path(variable)
    here = Path("model")
    return here if (here / MANIFEST).is_file() or list(here.glob("*.gguf")) else DEMO_MODEL


def open_model_dir(path: Path) -> ModelFiles:
    """Read a directory's manifest, or recognise the files of Fun-ASR-GGUF.

    Raises:
        ModelError: no such directory, or a file is missing or has another size than when
            it was exported.
    """
    if not path.is_dir():
        raise ModelError(f"{path}: no such model directory; {HOW_TO_EXPORT}")
    if not (path / MANIFEST).is_file():
        return _foreign(path)
    manifest = read_manifest(path / MANIFEST)
    for part in ("encoder", "decoder"):
        if getattr(manifest, part) is None:
            raise ModelError(f"{path / MANIFEST}: has no {part} yet; {HOW_TO_EXPORT}")
    return ModelFiles(
        path=path,
        encoder=_checked(path, manifest.encoder),
        ctc=_checked(path, manifest.ctc) if manifest.ctc else None,
        decoder=_checked(path, manifest.decoder),
        tokens=_checked(path, manifest.tokens) if manifest.tokens else None,
        facts=manifest.model,
        sha256=str(manifest.source.get("sha256", "")),
        exact=manifest.decoder is not None and manifest.decoder.dtype == "f32",
    )


def named_files(encoder: Path, ctc: Path | None, decoder: Path, tokens: Path | None) -> ModelFiles:
    """Take four files one by one; the manifest beside the encoder counts when it names it.

    Raises:
        ModelError: a file is missing, or there is a CTC head without tokens.
    """
    for file in filter(None, (encoder, ctc, decoder, tokens)):
        if not file.is_file():
            raise ModelError(f"{file}: no such file; {HOW_TO_EXPORT}")
    if ctc and not tokens:
        raise ModelError(f"{ctc}: needs its tokens.txt (tokens_path)")
    beside = encoder.parent / MANIFEST
    manifest = read_manifest(beside) if beside.is_file() else None
    ours = manifest and manifest.encoder and manifest.encoder.name == encoder.name
    return ModelFiles(
        path=encoder.parent,
        encoder=encoder,
        ctc=ctc,
        decoder=decoder,
        tokens=tokens,
        facts=manifest.model if manifest and ours else None,
        sha256=str(manifest.source.get("sha256", "")) if manifest and ours else "",
    )


def _checked(path: Path, artefact: Artefact | None) -> Path:
    if artefact is None or Path(artefact.name).name != artefact.name:
        raise ModelError(f"{path / MANIFEST}: names no usable file; {HOW_TO_EXPORT}")
    file = path / artefact.name
    if not file.is_file():
        raise ModelError(f"{file}: missing, but the manifest names it; {HOW_TO_EXPORT}")
    size = file.stat().st_size
    if size != artefact.bytes:
        raise ModelError(
            f"{file}: has {size:,} bytes, the manifest says {artefact.bytes:,}: "
            f"the copy is incomplete or was changed; copy it again, or {HOW_TO_EXPORT}"
        )
    return file


def _foreign(path: Path) -> ModelFiles:
    """Recognise what Fun-ASR-GGUF exports: the same names, no manifest."""
    encoder = _first(path, (ENCODER_FILE, "Fun-ASR-Nano-Encoder.{dtype}.onnx"))
    decoder = _first(path, (DECODER_FILE,))
    missing = [
        name for name, file in (("encoder (.onnx)", encoder), ("LLM (.gguf)", decoder)) if not file
    ]
    if encoder is None or decoder is None:
        raise ModelError(
            f"{path}: is not a model directory: no {' and no '.join(missing)}; {HOW_TO_EXPORT}"
        )
    ctc, tokens = _first(path, (CTC_FILE,)), path / TOKENS_FILE
    if ctc is not None and not tokens.is_file():
        raise ModelError(f"{tokens}: missing, but {ctc.name} needs it; {HOW_TO_EXPORT}")
    return ModelFiles(path, encoder, ctc, decoder, tokens if ctc else None, facts=None)


def _first(path: Path, patterns: Iterable[str]) -> Path | None:
    """Find the most exact of a part's variants."""
    exactness = ("fp32", "f32", "fp16", "f16", "bf16", "q8_0", "int8")
    for pattern in patterns:
        found = sorted(path.glob(pattern.format(dtype="*")))
        ranked = [f for dtype in exactness for f in found if f".{dtype}." in f.name]
        if found:
            return (ranked or found)[0]
    return None
