"""Compare a checkpoint with the architecture it claims to be, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import MissingCtcError, ModelError
from funasr_cli.export.frontend import FEATURES

if TYPE_CHECKING:
    from funasr_cli.export.config import CheckpointConfig
    from funasr_cli.export.qwen import QwenConfig
    from funasr_cli.export.tensors import Shaped, Tensors

Shapes = dict[str, tuple[int, ...]]
EMBEDDING = "llm.model.embed_tokens.weight"
HEAD = "llm.lm_head.weight"
CTC_HEAD = "ctc.ctc_lo"
_NAMED = 3
"""Tensors that a message names; the rest are counted."""
_CTC_REMEDY = (
    "timestamps need it. ModelScope's copy of FunAudioLLM/Fun-ASR-Nano-2512 has it (the Hugging "
    "Face copy and MLT-Nano do not); --no-ctc exports a model that transcribes without character "
    "times"
)


@dataclass
class Audit:
    """What was expected and found, per group of tensors; goes into the manifest."""

    groups: dict[str, dict[str, int]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The audit as plain values; of many ignored tensors the first few."""
        few = self.ignored[:20]
        return {
            **self.groups,
            "ignored": {"count": len(self.ignored), "first": few},
            "notes": sorted(self.notes),
        }


def audit_checkpoint(
    checkpoint: Tensors, config: CheckpointConfig, qwen: QwenConfig, *, with_ctc: bool
) -> Audit:
    """Check every tensor's presence and shape.

    Raises:
        MissingCtcError: `with_ctc` and a tensor of the CTC head is missing or does not fit.
        ModelError: the same of any other part.
    """
    audit = Audit()
    required = expected_shapes(checkpoint, config, qwen)
    ctc = required.pop("ctc")
    for group, shapes in required.items():
        problem = _check(audit, checkpoint, group, shapes)
        if problem:
            raise ModelError(
                f"{checkpoint.path}: {problem}. Its {group} cannot be exported: nothing is made "
                "up. Download the checkpoint again, or give the config.yaml it was trained with"
            )
    if with_ctc:
        config.check_ctc()
        problem = _check(audit, checkpoint, "ctc", ctc)
        if problem:
            absent = not audit.groups["ctc"]["found"]
            what = "has no CTC head" if absent else f"has no whole CTC head: {problem}"
            raise MissingCtcError(f"{checkpoint.path} {what}; {_CTC_REMEDY}")
    known = set().union(*required.values(), ctc)
    audit.ignored = sorted(name for name in checkpoint.names if name not in known)
    if checkpoint.merged:
        audit.notes.append(f"{checkpoint.merged} LoRA adapters merged")
    return audit


def expected_shapes(
    checkpoint: Shaped, config: CheckpointConfig, qwen: QwenConfig
) -> dict[str, Shapes]:
    """List the tensors of the architecture, by group.

    Widths that no configuration tells (of the feed-forward parts, of the CTC vocabulary) are read
    off `checkpoint`.
    """
    return {
        "audio_encoder": _encoder_shapes(checkpoint, config),
        "audio_adaptor": _adaptor_shapes(checkpoint, config),
        "llm": _llm_shapes(checkpoint, qwen),
        "ctc": _ctc_shapes(checkpoint, config),
    }


def _check(audit: Audit, checkpoint: Shaped, group: str, shapes: Shapes) -> str | None:
    """Note a group's counts; say what is wrong with it, if anything."""
    missing = [name for name in shapes if name not in checkpoint]
    found = {name: checkpoint.shape(name) for name in shapes if name in checkpoint}
    audit.groups[group] = {"expected": len(shapes), "found": len(found)}
    if missing:
        return f"{len(missing)} of {len(shapes)} tensors are missing ({_some(missing)})"
    wrong = [
        f"{name} is {_text(shape)} instead of {_text(shapes[name])}"
        for name, shape in found.items()
        if shape != shapes[name]
    ]
    return f"{len(wrong)} tensors have another shape ({_some(wrong)})" if wrong else None


def _encoder_shapes(checkpoint: Shaped, config: CheckpointConfig) -> Shapes:
    width = config.encoder_dim
    hidden = _dim(checkpoint, "audio_encoder.encoders0.0.feed_forward.w_1.bias", 0)
    names = [("encoders0.0", FEATURES)]
    names += [(f"encoders.{i}", width) for i in range(config.encoder_blocks - 1)]
    names += [(f"tp_encoders.{i}", width) for i in range(config.tp_blocks)]
    shapes: Shapes = {}
    for name, width_in in names:
        block = f"audio_encoder.{name}"
        shapes |= _linear(f"{block}.self_attn.linear_q_k_v", 3 * width, width_in)
        shapes |= _linear(f"{block}.self_attn.linear_out", width, width)
        shapes[f"{block}.self_attn.fsmn_block.weight"] = (width, 1, config.kernel_size)
        shapes |= _feed_forward(block, width, hidden)
        shapes |= _norm(f"{block}.norm1", width_in) | _norm(f"{block}.norm2", width)
    return shapes | _norm("audio_encoder.after_norm", width) | _norm("audio_encoder.tp_norm", width)


def _adaptor_shapes(checkpoint: Shaped, config: CheckpointConfig) -> Shapes:
    width_in = config.encoder_dim * config.downsample_rate
    return _transformer(
        checkpoint, "audio_adaptor", width_in, config.llm_dim, config.adaptor_blocks
    )


def _ctc_shapes(checkpoint: Shaped, config: CheckpointConfig) -> Shapes:
    width = config.encoder_dim
    vocab = _dim(checkpoint, f"{CTC_HEAD}.bias", 0)
    body = _transformer(checkpoint, "ctc_decoder", width, width, config.ctc_blocks)
    return body | _linear(CTC_HEAD, vocab, width)


def _llm_shapes(checkpoint: Shaped, qwen: QwenConfig) -> Shapes:
    width = qwen.width
    # of a tied pair one is enough
    tied_to = HEAD if qwen.tied and EMBEDDING not in checkpoint else EMBEDDING
    shapes: Shapes = {tied_to: (qwen.vocab, width)}
    if not qwen.tied or HEAD in checkpoint:
        shapes[HEAD] = (qwen.vocab, width)
    for index in range(qwen.layers):
        layer = f"llm.model.layers.{index}"
        query, key = qwen.heads * qwen.head_dim, qwen.kv_heads * qwen.head_dim
        shapes |= {
            f"{layer}.self_attn.q_proj.weight": (query, width),
            f"{layer}.self_attn.k_proj.weight": (key, width),
            f"{layer}.self_attn.v_proj.weight": (key, width),
            f"{layer}.self_attn.o_proj.weight": (width, query),
            f"{layer}.self_attn.q_norm.weight": (qwen.head_dim,),
            f"{layer}.self_attn.k_norm.weight": (qwen.head_dim,),
            f"{layer}.mlp.gate_proj.weight": (qwen.feed_forward, width),
            f"{layer}.mlp.up_proj.weight": (qwen.feed_forward, width),
            f"{layer}.mlp.down_proj.weight": (width, qwen.feed_forward),
            f"{layer}.input_layernorm.weight": (width,),
            f"{layer}.post_attention_layernorm.weight": (width,),
        }
    shapes["llm.model.norm.weight"] = (width,)
    return shapes


def _transformer(checkpoint: Shaped, name: str, width_in: int, width: int, blocks: int) -> Shapes:
    middle = _dim(checkpoint, f"{name}.linear1.bias", 0)
    hidden = _dim(checkpoint, f"{name}.blocks.0.feed_forward.w_1.bias", 0)
    shapes = _linear(f"{name}.linear1", middle, width_in) | _linear(
        f"{name}.linear2", width, middle
    )
    for index in range(blocks):
        block = f"{name}.blocks.{index}"
        for part in "qkv":
            shapes |= _linear(f"{block}.self_attn.linear_{part}", width, width)
        shapes |= _linear(f"{block}.self_attn.linear_out", width, width)
        shapes |= _feed_forward(block, width, hidden)
        shapes |= _norm(f"{block}.norm1", width) | _norm(f"{block}.norm2", width)
    return shapes


def _feed_forward(block: str, width: int, hidden: int) -> Shapes:
    first = _linear(f"{block}.feed_forward.w_1", hidden, width)
    return first | _linear(f"{block}.feed_forward.w_2", width, hidden)


def _linear(name: str, width_out: int, width_in: int) -> Shapes:
    return {f"{name}.weight": (width_out, width_in), f"{name}.bias": (width_out,)}


def _norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _dim(checkpoint: Shaped, name: str, axis: int) -> int:
    """A width that only the tensors tell; 0 where the tensor is missing, which is noted later."""
    shape = checkpoint.shape(name) if name in checkpoint else ()
    return shape[axis] if axis < len(shape) else 0


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a number"
