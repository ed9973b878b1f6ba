"""The language model -> one GGUF file, tensor by tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from funasr_cli.export.audit import EMBEDDING, HEAD

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import gguf
    from numpy.typing import NDArray

    from funasr_cli.export.qwen import QwenConfig
    from funasr_cli.export.qwen_tokenizer import QwenTokenizer
    from funasr_cli.export.source import Source
    from funasr_cli.export.tensors import Shaped, Tensors

ARCHITECTURE = "qwen3"
_FILE_TYPE = {"f32": 0, "f16": 1, "q8_0": 7, "bf16": 32}
"""llama.cpp's number for a file of mostly this type."""
_BLOCK = 32
"""Numbers that share a scale in q8_0; a row must hold whole blocks."""
_ROWS = 8192
"""Rows converted at a time: bounds the memory that an embedding of 151,936 rows takes."""
_LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@dataclass(frozen=True)
class _Tensor:
    """One tensor of the file."""

    name: str
    source: str
    kind: str
    """Its type: a key of _FILE_TYPE."""


def embedding_of(checkpoint: Shaped, qwen: QwenConfig) -> str:
    """Name the tensor that embeds tokens.

    Where embedding and head are tied but stored twice, FunASR loads the head last into both.
    """
    return HEAD if qwen.tied and HEAD in checkpoint else EMBEDDING


def write_gguf(
    path: Path, source: Source, kind: str, progress: Callable[[float], None]
) -> list[str]:
    """Write the file.

    Args:
        path: where to.
        source: the checkpoint.
        kind: type of the matrices: q8_0, f16, bf16 or f32; vectors stay f32.
        progress: hears the fraction written.

    Returns:
        Remarks for the manifest.

    Raises:
        OSError: the file cannot be written.
    """
    import gguf

    checkpoint, qwen = source.checkpoint, source.qwen
    tensors = _tensors(checkpoint, qwen, kind)
    writer = gguf.GGUFWriter(path, ARCHITECTURE)
    try:
        writer.add_name(source.facts().name)
        _add_model(writer, qwen, kind)
        _add_tokenizer(writer, qwen, source.tokenizer)
        for tensor in tensors:
            shape = _stored_shape(checkpoint.shape(tensor.source), tensor.kind)
            dtype = _DTYPE[tensor.kind]
            size = int(np.prod(shape)) * dtype.itemsize
            quantised = gguf.GGMLQuantizationType[tensor.kind.upper()]
            writer.add_tensor_info(tensor.name, shape, dtype, size, raw_dtype=quantised)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for index, tensor in enumerate(tensors):
            writer.write_tensor_data(_converted(checkpoint, tensor))
            progress((index + 1) / len(tensors))
    finally:
        writer.close()
    return _remarks(source, tensors, kind)


_DTYPE: dict[str, np.dtype[Any]] = {
    "q8_0": np.dtype(np.uint8),
    "bf16": np.dtype(np.uint8),
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
}


def _tensors(checkpoint: Shaped, qwen: QwenConfig, kind: str) -> list[_Tensor]:
    names = [("token_embd", embedding_of(checkpoint, qwen))]
    for index in range(qwen.layers):
        names += [
            (f"blk.{index}.{to}", f"llm.model.layers.{index}.{source}.weight")
            for source, to in _LAYER.items()
        ]
    names.append(("output_norm", "llm.model.norm.weight"))
    if not qwen.tied:
        names.append(("output", HEAD))
    return [
        _Tensor(f"{name}.weight", source, _kind(checkpoint.shape(source), kind))
        for name, source in names
    ]


def _kind(shape: tuple[int, ...], kind: str) -> str:
    if len(shape) == 1:
        return "f32"
    return "f16" if kind == "q8_0" and shape[-1] % _BLOCK else kind


def _stored_shape(shape: tuple[int, ...], kind: str) -> tuple[int, ...]:
    """The shape in units of the stored dtype: bytes for q8_0 and bf16."""
    if kind == "q8_0":
        return (*shape[:-1], shape[-1] // _BLOCK * (_BLOCK + 2))
    return (*shape[:-1], shape[-1] * 2) if kind == "bf16" else shape


def _converted(checkpoint: Tensors, tensor: _Tensor) -> NDArray[Any]:
    import gguf

    shape = checkpoint.shape(tensor.source)
    out = np.empty(_stored_shape(shape, tensor.kind), _DTYPE[tensor.kind])
    kind = gguf.GGMLQuantizationType[tensor.kind.upper()]
    for start in range(0, shape[0], _ROWS):
        rows = checkpoint.read_rows(tensor.source, start, start + _ROWS)
        out[start : start + _ROWS] = gguf.quants.quantize(rows, kind)
    return out


def _add_model(writer: gguf.GGUFWriter, qwen: QwenConfig, kind: str) -> None:
    import gguf

    writer.add_file_type(_FILE_TYPE[kind])
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_block_count(qwen.layers)
    writer.add_context_length(qwen.context)
    writer.add_embedding_length(qwen.width)
    writer.add_feed_forward_length(qwen.feed_forward)
    writer.add_head_count(qwen.heads)
    writer.add_head_count_kv(qwen.kv_heads)
    writer.add_key_length(qwen.head_dim)
    writer.add_value_length(qwen.head_dim)
    writer.add_layer_norm_rms_eps(qwen.rms_epsilon)
    writer.add_rope_freq_base(qwen.rope_base)


def _add_tokenizer(writer: gguf.GGUFWriter, qwen: QwenConfig, tokenizer: QwenTokenizer) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(tokenizer.types)
    writer.add_token_merges(tokenizer.merges)
    # config.json decides where a generation ends, in FunASR too
    eos = qwen.eos if qwen.eos is not None else tokenizer.eos
    pad = tokenizer.pad if tokenizer.pad is not None else qwen.bos
    for value, add in (
        (eos, writer.add_eos_token_id),
        (pad, writer.add_pad_token_id),
        (qwen.bos, writer.add_bos_token_id),
    ):
        if value is not None:
            add(value)
    writer.add_add_bos_token(False)  # noqa: FBT003 - gguf's signature


def _remarks(source: Source, tensors: list[_Tensor], kind: str) -> list[str]:
    checkpoint = source.checkpoint
    remarks = []
    both = EMBEDDING in checkpoint and HEAD in checkpoint
    if source.qwen.tied and both and not checkpoint.equal(EMBEDDING, HEAD):
        remarks.append(
            "embed_tokens and lm_head are tied but differ: lm_head is used for both, as FunASR does"
        )
    odd = [t.name for t in tensors if t.kind == "f16" and kind == "q8_0"]
    if odd:
        remarks.append(
            f"{len(odd)} matrices have rows that q8_0 cannot divide into blocks of {_BLOCK} "
            f"and are f16, e.g. {odd[0]}"
        )
    if not source.tokenizer.usual_split:
        remarks.append("tokenizer.json cuts text in another way than llama.cpp's qwen2 will")
    return remarks
