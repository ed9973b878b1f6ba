"""A checkpoint's folder: everything that an export reads, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError
from funasr_cli.manifest import ModelFacts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from funasr_cli.export.audit import Audit
    from funasr_cli.export.config import CheckpointConfig
    from funasr_cli.export.qwen import QwenConfig
    from funasr_cli.export.qwen_tokenizer import QwenTokenizer
    from funasr_cli.export.tensors import Tensors
    from funasr_cli.protocols import Floats


@dataclass(frozen=True)
class Source:
    """A checkpoint that passed its audit."""

    name: str
    """The model's name, for people."""
    checkpoint: Tensors
    config: CheckpointConfig
    qwen: QwenConfig
    tokenizer: QwenTokenizer
    ctc_tokens: str | None
    """tokens.txt; None where no CTC head is exported."""
    audit: Audit
    origin: dict[str, Any]
    """`Manifest.source`."""

    @property
    def ctc_vocab(self) -> int | None:
        """Entries of tokens.txt."""
        return None if self.ctc_tokens is None else self.ctc_tokens.count("\n")

    def facts(self) -> ModelFacts:
        """Sum up what the runtime needs to know."""
        config, vocab = self.config, self.ctc_vocab
        dataset = config.section("dataset_conf")
        return ModelFacts(
            name=self.name,
            encoder_dim=config.encoder_dim,
            llm_dim=config.llm_dim,
            llm_vocab=self.qwen.vocab,
            use_low_frame_rate=config.use_low_frame_rate,
            downsample_rate=config.downsample_rate,
            ctc_vocab=vocab,
            blank_id=None if vocab is None else vocab - 1,
            system_prompt=bool(dataset.get("sys_prompt", True)),
            think_block=not dataset.get("do_think", True),
            time_offset_s=config.time_offset_s,
            max_segment_s=config.max_segment_s,
        )

    def counted(self, groups: tuple[str, ...], progress: Callable[[float], None]) -> Counted:
        """Give the tensors to a graph; `progress` hears which share of `groups` was read."""
        expected = sum(self.audit.groups[group]["expected"] for group in groups)
        return Counted(self.checkpoint, expected, progress)


@dataclass
class Counted:
    """The checkpoint's tensors; counts what is read."""

    checkpoint: Tensors
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


def open_source(folder: Path, *, with_ctc: bool, progress: Callable[[float], None]) -> Source:
    """Read and check a checkpoint; its tensors stay on the disk.

    Args:
        folder: of the checkpoint.
        with_ctc: whether its CTC head is wanted.
        progress: hears the fraction of model.pt that is hashed.

    Raises:
        MissingCtcError: the CTC head is wanted and is missing or incomplete.
        ModelError: anything else is missing, broken or does not fit together.
    """
    from funasr_cli.export.audit import CTC_HEAD, audit_checkpoint
    from funasr_cli.export.checkpoint import load_checkpoint, sha256
    from funasr_cli.export.config import load_yaml, read_config, section
    from funasr_cli.export.qwen import find_qwen, read_qwen
    from funasr_cli.export.qwen_tokenizer import read_tokenizer
    from funasr_cli.export.tokens import find_vocabulary, tokens_text

    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; give the folder of a checkpoint, or OWNER/NAME of one on "
            "a hub"
        )
    raw = load_yaml(folder)
    llm = section(raw, "llm_conf")
    qwen = read_qwen(find_qwen(folder, llm.get("init_param_path")))
    config = read_config(folder, raw, qwen.width)
    alpha = float(section(llm, "lora_conf").get("lora_alpha", 32))
    checkpoint = load_checkpoint(folder, alpha)
    audit = audit_checkpoint(checkpoint, config, qwen, with_ctc=with_ctc)
    tokens = None
    if with_ctc:
        named = config.section("dataset_conf", "ctc_tokenizer_conf").get("vocab_path")
        outputs = checkpoint.shape(f"{CTC_HEAD}.bias")[0]
        tokens = tokens_text(find_vocabulary(folder, named), outputs)
    return Source(
        name=folder.resolve().name,
        checkpoint=checkpoint,
        config=config,
        qwen=qwen,
        tokenizer=read_tokenizer(qwen.folder, qwen.vocab),
        ctc_tokens=tokens,
        audit=audit,
        origin={
            "file": checkpoint.path.name,
            "sha256": sha256(checkpoint.path, progress),
            "bytes": checkpoint.path.stat().st_size,
            "container": checkpoint.container,
            "dtype": checkpoint.dtype,
        },
    )
