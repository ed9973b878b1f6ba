"""A checkpoint in the official layout -> a model directory."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import replace
from typing import TYPE_CHECKING

from funasr_cli.errors import UnusableError, UsageError
from funasr_cli.export.model_folder import (
    existing_model,
    merged,
    publish,
    same_checkpoint,
    staging,
    stale_files,
)
from funasr_cli.export.source import open_source
from funasr_cli.manifest import (
    CTC_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    MANIFEST,
    TOKENS_FILE,
    Artefact,
    Manifest,
)
from funasr_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from funasr_cli.export.remote import Order
    from funasr_cli.export.source import Source

    Progress = Callable[[str, float], None]

PARTS = frozenset({"encoder", "ctc", "decoder"})
CTC_TYPES = ("int8", "fp32")
DECODER_TYPES = ("q8_0", "f16", "bf16", "f32")
_NEEDED = ("torch", "onnx", "yaml", "gguf")


def export_model(  # noqa: PLR0913 - each is an option of the command
    checkpoint: Path,
    output: Path,
    *,
    ctc_type: str = "int8",
    decoder_type: str = "q8_0",
    with_ctc: bool = True,
    force: bool = False,
    parts: frozenset[str] = PARTS,
    origin: Order | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Export a checkpoint.

    Args:
        checkpoint: folder with config.yaml, model.pt and the language model's folder.
        output: folder to write; made if it is missing.
        ctc_type: numbers of the CTC head, one of CTC_TYPES.
        decoder_type: numbers of the language model, one of DECODER_TYPES.
        with_ctc: False: no CTC head, so no character times.
        force: replace what `output` holds, once the new files are complete.
        parts: what to export, of PARTS; the rest of an existing model stays.
        origin: the repository that it was downloaded from, for the manifest and the model's name.
        progress: hears a stage's name and the fraction of it that is done.

    Returns:
        The manifest, as written.

    Raises:
        UsageError: an unknown type or part.
        MissingCtcError: the checkpoint's CTC head is missing or incomplete.
        ModelError: the checkpoint is incomplete, broken or of another kind; or `output` holds a
            model already and `force` is not set.
        UnusableError: a package that the export needs is not installed.
        OutputError: the files cannot be written.
    """
    _check_request(ctc_type, decoder_type, parts)
    if not with_ctc:
        parts -= {"ctc"}
    before = check_output(output, parts, force=force)
    hear = progress or _silent
    source = open_source(
        checkpoint, with_ctc="ctc" in parts, progress=lambda done: hear("checkpoint", done)
    )
    if origin is not None:
        source = replace(source, name=origin.name, origin=source.origin | origin.to_json())
    kept = same_checkpoint(before, output, source.origin["sha256"], force=force)
    with staging(output) as folder:
        manifest = write_model(source, folder, parts, (ctc_type, decoder_type), hear)
        manifest = merged(kept, manifest, parts, with_ctc=with_ctc)
        (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        publish(folder, output, stale_files(before, manifest))
    return manifest


def check_output(
    output: Path, parts: frozenset[str] = PARTS, *, force: bool = False
) -> Manifest | None:
    """Check what can be checked before a checkpoint is there: nobody waits for a download in vain.

    Returns:
        The manifest of the model in `output`; None: there is none.

    Raises:
        ModelError: `output` holds one of `parts` and `force` is not set.
        UnusableError: a package that the export needs is not installed.
    """
    _check_packages()
    return existing_model(output, parts, force=force)


def _check_request(ctc_type: str, decoder_type: str, parts: frozenset[str]) -> None:
    if ctc_type not in CTC_TYPES:
        raise UsageError(f"CTC type {ctc_type!r}: choose one of {', '.join(CTC_TYPES)}")
    if decoder_type not in DECODER_TYPES:
        raise UsageError(f"decoder type {decoder_type!r}: choose one of {', '.join(DECODER_TYPES)}")
    if not parts or parts - PARTS:
        raise UsageError(f"parts to export: some of {', '.join(sorted(PARTS))}")


def _check_packages() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UnusableError(
            f"an export needs {', '.join(missing)}: pip install 'funasr-cli[export]' (the CPU "
            "build of torch is enough and much smaller: pytorch.org says how to get it)"
        )


def write_model(
    source: Source, folder: Path, parts: frozenset[str], kinds: tuple[str, str], progress: Progress
) -> Manifest:
    """Write the files, all but the manifest.

    Args:
        source: the model's numbers.
        folder: where to; it is there.
        parts: what to write, of PARTS.
        kinds: the types of the CTC head and of the decoder.
        progress: as in `export_model`.

    Returns:
        The manifest of these parts.
    """
    encoder = ctc = decoder = tokens = None
    facts = source.facts()
    if "encoder" in parts:
        encoder = _write_encoder(source, folder, progress)
    if source.ctc_tokens is not None and facts.blank_id is not None:
        ctc = _write_ctc(source, folder, kinds[0], facts.blank_id, progress)
        path = folder / TOKENS_FILE
        path.write_bytes(source.ctc_tokens.encode())
        tokens = _artefact(path, "text")
    if "decoder" in parts:
        decoder = _write_decoder(source, folder, kinds[1], progress)
    return Manifest(
        model=facts,
        encoder=encoder,
        ctc=ctc,
        decoder=decoder,
        tokens=tokens,
        source=source.origin,
        audit=source.audit.to_json(),
        tool={
            "name": "funasr-cli",
            "version": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in ("torch", "onnx", "gguf")},
        },
    )


def _write_encoder(source: Source, folder: Path, progress: Progress) -> Artefact:
    from funasr_cli.export.decoder_gguf import embedding_of
    from funasr_cli.export.encoder_onnx import encoder_graph

    groups = ("audio_encoder", "audio_adaptor")
    weights = source.counted(groups, lambda done: progress("encoder", done))
    embedding = embedding_of(source.checkpoint, source.qwen)
    path = folder / ENCODER_FILE.format(dtype="fp32")
    encoder_graph(source.config, weights, embedding).save(path, _stamp(source))
    progress("encoder", 1.0)
    return _artefact(path, "fp32")


def _write_ctc(source: Source, folder: Path, kind: str, blank: int, progress: Progress) -> Artefact:
    from funasr_cli.export.ctc_onnx import ctc_graph

    weights = source.counted(("ctc",), lambda done: progress("ctc", done))
    path = folder / CTC_FILE.format(dtype=kind)
    graph = ctc_graph(source.config, weights, blank, int8=kind == "int8")
    graph.save(path, _stamp(source))
    progress("ctc", 1.0)
    return _artefact(path, kind)


def _write_decoder(source: Source, folder: Path, kind: str, progress: Progress) -> Artefact:
    from funasr_cli.export.decoder_gguf import write_gguf

    path = folder / DECODER_FILE.format(dtype=kind)
    source.audit.notes += write_gguf(path, source, kind, lambda done: progress("decoder", done))
    return _artefact(path, kind)


def _stamp(source: Source) -> dict[str, str]:
    """Metadata of a graph: who made it, of what."""
    return {"funasr_cli": __version__, "source_sha256": source.origin["sha256"]}


def _artefact(path: Path, dtype: str) -> Artefact:
    from funasr_cli.export.checkpoint import sha256

    return Artefact(path.name, dtype, path.stat().st_size, sha256(path))


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def _silent(_stage: str, _done: float) -> None:
    """Hear nothing."""
