"""A tiny random qwen3 model: its GGUF file, and the same forward pass in numpy.

Architecture, tokenizer kind (byte-level BPE, pre `qwen2`) and tied head are those of the real
decoder; only the sizes differ. Written in milliseconds.
"""

from dataclasses import dataclass, field
from pathlib import Path

import gguf
import gguf.quants
import numpy as np
from numpy.typing import NDArray

MERGES = (("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("Ġ", "w"), ("o", "r"), ("Ġw", "or"))
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
USER_DEFINED = ("<think>",)


@dataclass(frozen=True)
class Shape:
    """Sizes of the model; the defaults are the smallest that llama.cpp accepts everywhere."""

    width: int = 64  # D
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_width: int = 32
    hidden: int = 96
    padding_tokens: int = 0  # unused ids at the end of the vocabulary
    rope_base: float = 1e6
    epsilon: float = 1e-6
    context: int = 4096


@dataclass(frozen=True)
class TinyModel:
    """The file and what a test needs to predict its results."""

    path: Path
    shape: Shape
    tokens: list[str]
    weights: dict[str, NDArray[np.float32]] = field(repr=False)

    @property
    def embedding(self) -> NDArray[np.float32]:
        """Rows that stand for token ids, [V, D]."""
        return self.weights["token_embd.weight"]

    @property
    def end(self) -> int:
        """The id of <|im_end|>."""
        return self.tokens.index("<|im_end|>")

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """The slow path: embeddings [N, D] of one sequence from position 0 -> logits [N, V]."""
        s, n = self.shape, len(inputs)
        frequency = s.rope_base ** (-np.arange(0, s.head_width, 2) / s.head_width)
        angle = np.arange(n)[:, None, None] * frequency
        cos, sin = np.cos(angle), np.sin(angle)

        def norm(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
            scale = np.sqrt((x * x).mean(-1, keepdims=True) + s.epsilon)
            return np.asarray(x / scale * self.weights[name + ".weight"])

        def rope(x: NDArray[np.float64]) -> NDArray[np.float64]:
            a, b = np.split(x, 2, axis=-1)
            return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

        def linear(x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
            return np.asarray(x @ self.weights[name + ".weight"].astype(np.float64).T)

        future = np.triu(np.full((n, n), -np.inf), 1)
        x = inputs.astype(np.float64)
        for i in range(s.layers):
            p = f"blk.{i}."
            h = norm(x, p + "attn_norm")
            q = linear(h, p + "attn_q").reshape(n, s.heads, -1)
            k = linear(h, p + "attn_k").reshape(n, s.kv_heads, -1)
            v = linear(h, p + "attn_v").reshape(n, s.kv_heads, -1)
            q, k = rope(norm(q, p + "attn_q_norm")), rope(norm(k, p + "attn_k_norm"))
            k, v = (np.repeat(t, s.heads // s.kv_heads, 1) for t in (k, v))
            score = np.einsum("ihd,jhd->hij", q, k) / np.sqrt(s.head_width) + future
            score = np.exp(score - score.max(-1, keepdims=True))
            score /= score.sum(-1, keepdims=True)
            mixed = np.einsum("hij,jhd->ihd", score, v).reshape(n, -1)
            x = x + linear(mixed, p + "attn_output")
            h = norm(x, p + "ffn_norm")
            gate = linear(h, p + "ffn_gate")
            x = x + linear(gate / (1 + np.exp(-gate)) * linear(h, p + "ffn_up"), p + "ffn_down")
        return linear(norm(x, "output_norm"), "token_embd")


def byte_tokens() -> list[str]:
    """The 256 characters that stand for bytes in byte-level BPE, by byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    shown = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [shown[b] for b in range(256)]


def write_tiny_gguf(  # noqa: PLR0913 - what can differ between files
    path: Path,
    shape: Shape | None = None,
    *,
    architecture: str = "qwen3",
    tokenizer: str | None = "gpt2",
    seed: int = 0,
    quantized: bool = False,
) -> TinyModel:
    """Write a model; other architectures and tokenizers make files that must be refused.

    `quantized`: matrices in Q8_0, as exported decoders have them; the weights that are returned
    are what the file holds.
    """
    s = shape or Shape()
    tokens = byte_tokens() + ["".join(pair) for pair in MERGES]
    types = [gguf.TokenType.NORMAL] * len(tokens)
    for more, kind in (
        (SPECIAL, gguf.TokenType.CONTROL),
        (USER_DEFINED, gguf.TokenType.USER_DEFINED),
        ([f"[PAD{i}]" for i in range(s.padding_tokens)], gguf.TokenType.UNUSED),
    ):
        tokens += more
        types += [kind] * len(more)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("tiny")
    writer.add_context_length(s.context)
    writer.add_embedding_length(s.width)
    writer.add_block_count(s.layers)
    writer.add_feed_forward_length(s.hidden)
    writer.add_head_count(s.heads)
    writer.add_head_count_kv(s.kv_heads)
    writer.add_key_length(s.head_width)
    writer.add_value_length(s.head_width)
    writer.add_rope_freq_base(s.rope_base)
    writer.add_layer_norm_rms_eps(s.epsilon)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(
        gguf.LlamaFileType.MOSTLY_Q8_0 if quantized else gguf.LlamaFileType.ALL_F32
    )
    if tokenizer is not None:
        writer.add_tokenizer_model(tokenizer)
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(tokens)
        writer.add_token_types(types)
        writer.add_token_merges([" ".join(pair) for pair in MERGES])
        writer.add_eos_token_id(tokens.index("<|im_end|>"))
        writer.add_pad_token_id(tokens.index("<|endoftext|>"))
        writer.add_add_bos_token(False)  # noqa: FBT003 - gguf's signature
    weights = _random_weights(s, len(tokens), np.random.default_rng(seed))
    for name, tensor in weights.items():
        if quantized and tensor.ndim > 1:
            q8_0 = gguf.GGMLQuantizationType.Q8_0
            blocks = gguf.quants.quantize(tensor, q8_0)
            writer.add_tensor(name, blocks, raw_dtype=q8_0)
            weights[name] = gguf.quants.dequantize(blocks, q8_0)
        else:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return TinyModel(path, s, tokens, weights)


def _random_weights(
    s: Shape, n_vocab: int, rng: np.random.Generator
) -> dict[str, NDArray[np.float32]]:
    def matrix(*shape: int) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) * 0.15).astype(np.float32)

    def gain(n: int) -> NDArray[np.float32]:
        return (1 + rng.standard_normal(n) * 0.1).astype(np.float32)

    q_width, kv_width = s.heads * s.head_width, s.kv_heads * s.head_width
    weights = {"token_embd": matrix(n_vocab, s.width), "output_norm": gain(s.width)}
    for i in range(s.layers):
        layer = {
            "attn_norm": gain(s.width),
            "ffn_norm": gain(s.width),
            "attn_q_norm": gain(s.head_width),
            "attn_k_norm": gain(s.head_width),
            "attn_q": matrix(q_width, s.width),
            "attn_k": matrix(kv_width, s.width),
            "attn_v": matrix(kv_width, s.width),
            "attn_output": matrix(s.width, q_width),
            "ffn_gate": matrix(s.hidden, s.width),
            "ffn_up": matrix(s.hidden, s.width),
            "ffn_down": matrix(s.width, s.hidden),
        }
        weights |= {f"blk.{i}.{name}": tensor for name, tensor in layer.items()}
    return {f"{name}.weight": tensor for name, tensor in weights.items()}
