"""A model directory -> its files and facts, checked before anything is loaded."""

import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.manifest import (
    CHECKPOINT,
    CTC_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    HOW_TO_EXPORT,
    MANIFEST,
    TOKENS_FILE,
    Artefact,
    ModelFacts,
    read_manifest,
    unreadable,
)

MODEL_DIR_VARIABLE = "FUNASR_MODEL_DIR"
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
DEMO_MODEL = Path(__file__).parent / "demo_model"


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
    chosen = named or os.environ.get(MODEL_DIR_VARIABLE)
    if chosen:
        # no shell has expanded a variable's ~; pathlib would raise for the home of nobody
        return Path(os.path.expanduser(chosen))  # noqa: PTH111
    here = Path("model")
    try:
        is_model = (here / MANIFEST).is_file() or any(here.glob("*.gguf"))
    except OSError:
        is_model = True  # to be told why it cannot be read, not to get the demo model's text
    return here if is_model else DEMO_MODEL


def how_to_export(path: Path) -> str:
    """Say how a model directory is made that is not there.

    Who names it OWNER/NAME means a checkpoint on a hub, unless there is a folder OWNER.
    """
    name = path.as_posix()
    if _REPOSITORY.fullmatch(name) and not path.parent.is_dir():
        return HOW_TO_EXPORT.replace(CHECKPOINT, name)
    return HOW_TO_EXPORT


def open_model_dir(path: Path) -> ModelFiles:
    """Read a directory's manifest, or recognise the files of Fun-ASR-GGUF.

    Raises:
        ModelError: no such directory, or a file is missing or has another size than when
            it was exported.
    """
    try:
        names = os.listdir(path)  # noqa: PTH208 - iterdir() hides what went wrong before 3.13
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError(f"{path}: no such model directory; {how_to_export(path)}") from error
    except OSError as error:
        raise unreadable(path, error) from error
    if MANIFEST not in names:
        return _foreign(path)
    manifest = read_manifest(path / MANIFEST)
    if manifest.encoder is None or manifest.decoder is None:
        lacking = "decoder" if manifest.encoder else "encoder"
        raise ModelError(f"{path / MANIFEST}: has no {lacking} yet; {HOW_TO_EXPORT}")
    return ModelFiles(
        path=path,
        encoder=_checked(path, manifest.encoder),
        ctc=_checked(path, manifest.ctc) if manifest.ctc else None,
        decoder=_checked(path, manifest.decoder),
        tokens=_checked(path, manifest.tokens) if manifest.tokens else None,
        facts=manifest.model,
        sha256=str(manifest.source.get("sha256", "")),
        exact=manifest.decoder.dtype == "f32",
    )


def named_files(encoder: Path, ctc: Path | None, decoder: Path, tokens: Path | None) -> ModelFiles:
    """Take four files one by one; the manifest beside the encoder counts when it names it.

    Raises:
        ModelError: a file is missing, or there is a CTC head without tokens.
    """
    for file in filter(None, (encoder, ctc, decoder, tokens)):
        _size(file, otherwise="no such file")
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


def _checked(path: Path, artefact: Artefact) -> Path:
    file = path / artefact.name
    size = _size(file, otherwise="missing, but the manifest names it")
    if size != artefact.bytes:
        raise ModelError(
            f"{file}: has {size:,} bytes, the manifest says {artefact.bytes:,}: "
            f"the copy is incomplete or was changed; copy it again, or {HOW_TO_EXPORT}"
        )
    return file


def _size(file: Path, *, otherwise: str) -> int:
    """Count a file's bytes; `otherwise` says what is wrong when there is no such file."""
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError(f"{file}: {otherwise}; {HOW_TO_EXPORT}") from error
    except OSError as error:
        raise unreadable(file, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise ModelError(f"{file}: {otherwise}: this is no file; {HOW_TO_EXPORT}")
    return found.st_size


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
    if ctc is not None:
        _size(tokens, otherwise=f"missing, but {ctc.name} needs it")
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
