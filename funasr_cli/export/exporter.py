"""A checkpoint in the official layout -> a model directory."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError, UnusableError, UsageError
from funasr_cli.export.model_folder import (
    existing_model,
    merged,
    publish,
    same_checkpoint,
    staging,
    stale_files,
)
from funasr_cli.manifest import (
    CTC_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    MANIFEST,
    TOKENS_FILE,
    Artefact,
    Manifest,
    ModelFacts,
)
from funasr_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from funasr_cli.export.audit import Audit
    from funasr_cli.export.checkpoint import Checkpoint
    from funasr_cli.export.config import CheckpointConfig
    from funasr_cli.export.graph import Graph
    from funasr_cli.export.qwen import QwenConfig
    from funasr_cli.protocols import Floats

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
    _check_packages()
    if not with_ctc:
        parts -= {"ctc"}
    before = existing_model(output, parts, force=force)
    job = _open(checkpoint, parts, progress or _silent)
    kept = same_checkpoint(before, output, job.source["sha256"], force=force)
    with staging(output) as folder:
        manifest = _write(job, folder, parts, ctc_type, decoder_type)
        manifest = merged(kept, manifest, parts, with_ctc=with_ctc)
        (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        publish(folder, output, stale_files(before, manifest))
    return manifest


@dataclass(frozen=True)
class _Job:
    """A checkpoint that passed its audit."""

    folder: Path
    checkpoint: Checkpoint
    config: CheckpointConfig
    qwen: QwenConfig
    audit: Audit
    source: dict[str, Any]
    progress: Progress


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
            f"an export needs {', '.join(missing)}: pip install 'funasr-cli[export]' (on Linux the "
            "CPU build of torch is enough and much smaller: pip install torch --index-url "
            "https://download.pytorch.org/whl/cpu first)"
        )


def _open(folder: Path, parts: frozenset[str], progress: Progress) -> _Job:
    """Read and audit everything that is small, before any work."""
    from funasr_cli.export.audit import audit_checkpoint
    from funasr_cli.export.checkpoint import load_checkpoint, sha256
    from funasr_cli.export.config import load_yaml, read_config, section
    from funasr_cli.export.qwen import find_qwen, read_qwen

    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; give the folder of a checkpoint")
    raw = load_yaml(folder)
    llm = section(raw, "llm_conf")
    qwen = read_qwen(find_qwen(folder, llm.get("init_param_path")))
    config = read_config(folder, raw, qwen.width)
    lora = section(llm, "lora_conf")
    checkpoint = load_checkpoint(folder, float(lora.get("lora_alpha", 32)))
    audit = audit_checkpoint(checkpoint, config, qwen, with_ctc="ctc" in parts)
    source = {
        "file": checkpoint.path.name,
        "sha256": sha256(checkpoint.path, lambda done: progress("checkpoint", done)),
        "bytes": checkpoint.path.stat().st_size,
        "container": checkpoint.container,
        "dtype": checkpoint.dtype,
    }
    return _Job(folder, checkpoint, config, qwen, audit, source, progress)


def _write(
    job: _Job, folder: Path, parts: frozenset[str], ctc_type: str, decoder_type: str
) -> Manifest:
    encoder = ctc = decoder = tokens = None
    facts = _facts(job)
    if "encoder" in parts:
        encoder = _write_encoder(job, folder)
    if "ctc" in parts:
        ctc, tokens = _write_ctc(job, folder, ctc_type)
        vocab = _ctc_vocab(job)
        facts = replace(facts, ctc_vocab=vocab, blank_id=vocab - 1)
    if "decoder" in parts:
        decoder = _write_decoder(job, folder, decoder_type, facts.name)
    return Manifest(
        model=facts,
        encoder=encoder,
        ctc=ctc,
        decoder=decoder,
        tokens=tokens,
        source=job.source,
        audit=job.audit.to_json(),
        tool={
            "name": "funasr-cli",
            "version": __version__,
            "python": platform.python_version(),
            **{name: _version(name) for name in ("torch", "onnx", "gguf")},
        },
    )


def _facts(job: _Job) -> ModelFacts:
    config = job.config
    dataset = config.section("dataset_conf")
    return ModelFacts(
        name=job.folder.resolve().name,
        encoder_dim=config.encoder_dim,
        llm_dim=config.llm_dim,
        llm_vocab=job.qwen.vocab,
        use_low_frame_rate=config.use_low_frame_rate,
        downsample_rate=config.downsample_rate,
        system_prompt=bool(dataset.get("sys_prompt", True)),
        think_block=not dataset.get("do_think", True),
        time_offset_s=config.time_offset_s,
        max_segment_s=config.max_segment_s,
    )


def _write_encoder(job: _Job, folder: Path) -> Artefact:
    from funasr_cli.export.decoder_gguf import embedding_of
    from funasr_cli.export.encoder_onnx import encoder_graph

    count = sum(job.audit.groups[group]["expected"] for group in ("audio_encoder", "audio_adaptor"))
    weights = _Counted(job.checkpoint, count, lambda done: job.progress("encoder", done))
    graph = encoder_graph(job.config, weights, embedding_of(job.checkpoint, job.qwen))
    path = folder / ENCODER_FILE.format(dtype="fp32")
    return _save(job, graph, path, "encoder", "fp32")


def _write_ctc(job: _Job, folder: Path, kind: str) -> tuple[Artefact, Artefact]:
    from funasr_cli.export.ctc_onnx import ctc_graph
    from funasr_cli.export.tokens import find_vocabulary, tokens_text

    vocab = _ctc_vocab(job)
    named = job.config.section("dataset_conf", "ctc_tokenizer_conf").get("vocab_path")
    table = tokens_text(find_vocabulary(job.folder, named), vocab)
    tokens = folder / TOKENS_FILE
    tokens.write_bytes(table.encode())
    count = job.audit.groups["ctc"]["expected"]
    weights = _Counted(job.checkpoint, count, lambda done: job.progress("ctc", done))
    graph = ctc_graph(job.config, weights, vocab - 1, int8=kind == "int8")
    path = folder / CTC_FILE.format(dtype=kind)
    return _save(job, graph, path, "ctc", kind), _artefact(tokens, "text")


def _write_decoder(job: _Job, folder: Path, kind: str, name: str) -> Artefact:
    from funasr_cli.export.decoder_gguf import write_gguf

    path = folder / DECODER_FILE.format(dtype=kind)
    job.audit.notes += write_gguf(
        path,
        job.checkpoint,
        job.qwen,
        kind=kind,
        name=name,
        progress=lambda done: job.progress("decoder", done),
    )
    return _artefact(path, kind)


def _save(job: _Job, graph: Graph, path: Path, stage: str, kind: str) -> Artefact:
    graph.save(path, {"funasr_cli": __version__, "source_sha256": job.source["sha256"]})
    job.progress(stage, 1.0)
    return _artefact(path, kind)


@dataclass
class _Counted:
    """The checkpoint's tensors; counts what is read."""

    checkpoint: Checkpoint
    expected: int
    progress: Callable[[float], None]
    done: int = 0

    def read(self, name: str) -> Floats:
        """One tensor as float32."""
        self.done += 1
        # saving the file is the rest
        self.progress(min(0.9, 0.9 * self.done / self.expected))
        return self.checkpoint.read(name)

    def read_row(self, name: str, row: int) -> Floats:
        """One row of a matrix as float32."""
        return self.checkpoint.read_row(name, row)


def _ctc_vocab(job: _Job) -> int:
    from funasr_cli.export.audit import CTC_HEAD

    return job.checkpoint.shape(f"{CTC_HEAD}.bias")[0]


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
