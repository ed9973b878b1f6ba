"""Sound -> encoder states and audio embeddings, as one ONNX graph."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from funasr_cli.export.frontend import FEATURES, add_frontend
from funasr_cli.export.graph import Graph
from funasr_cli.export.layers import (
    ENCODER_EPS,
    Layers,
    Padding,
    Weights,
    frames_first,
    frames_last,
    padding,
)

if TYPE_CHECKING:
    from funasr_cli.export.config import CheckpointConfig
    from funasr_cli.export.graph import Value
    from funasr_cli.protocols import Floats

LOW_FRAME_RATE = 8
"""LFR frames per audio token under `use_low_frame_rate`: three halvings that round up."""


def encoder_graph(config: CheckpointConfig, w: Weights, embedding: str) -> Graph:
    """Build the graph; `embedding` names the tensor that embeds the language model's tokens.

    Inputs: `audio` float32 [B, S] (16 kHz, [-1, 1]) and `audio_lengths` int64 [B].
    Outputs: `encoder_out` float32 [B, L, H], `encoder_lengths` int64 [B], `audio_embeds` float32
    [B, A, D] and `audio_embed_lengths` int64 [B]. Rows behind a length are zero.
    """
    g = Graph("funasr-encoder-adaptor")
    layers = Layers(g, w)
    audio = g.input("audio", np.float32, ["B", "S"])
    lengths = g.input("audio_lengths", np.int64, ["B"])
    features, frames = add_frontend(g, audio, lengths)
    pad = padding(g, features, frames)
    states = _encoder(layers, config, features, pad)
    fed = g.ceil_div(frames, LOW_FRAME_RATE) if config.use_low_frame_rate else frames
    most = g.op("ReduceMax", fed, keepdims=1)
    adapted, adapted_lengths = _adaptor(layers, config, states, pad, most)
    token_0 = w.read_row(embedding, 0) if _leaves_gaps(config) else None
    embeds = _fed_rows(g, (adapted, adapted_lengths), (fed, most), token_0)
    g.output("encoder_out", states, np.float32, ["B", "L", config.encoder_dim])
    g.output("encoder_lengths", frames, np.int64, ["B"])
    g.output("audio_embeds", embeds, np.float32, ["B", "A", config.llm_dim])
    g.output("audio_embed_lengths", fed, np.int64, ["B"])
    return g


def _encoder(layers: Layers, config: CheckpointConfig, x: Value, pad: Padding) -> Value:
    """[B, L, 560] -> [B, L, H]."""
    g = layers.graph
    x = g.op("Mul", x, g.const(math.sqrt(config.encoder_dim), np.float32))
    x = g.op("Add", x, _positions(g, x))
    # The first block begins with a LayerNorm and has no residual, so the mean does not matter; but
    # onnxruntime up to 1.23 takes variances as E[x^2] - E[x]^2, which in silence (mean -220,
    # deviation 0.5) leaves no digit right.
    x = g.op("Sub", x, g.op("ReduceMean", x, axes=[-1], keepdims=1))
    x = frames_first(g, x)
    x = _sanm_block(layers, config, x, pad, "audio_encoder.encoders0.0")
    for index in range(config.encoder_blocks - 1):
        x = _sanm_block(layers, config, x, pad, f"audio_encoder.encoders.{index}")
    x = layers.norm(x, "audio_encoder.after_norm", ENCODER_EPS)
    for index in range(config.tp_blocks):
        x = _sanm_block(layers, config, x, pad, f"audio_encoder.tp_encoders.{index}")
    x = layers.norm(x, "audio_encoder.tp_norm", ENCODER_EPS)
    x = frames_last(g, x)
    return g.op("Mul", x, pad.frames)


def _positions(g: Graph, x: Value) -> Value:
    """Sinusoids of the positions 1..L: all sines, then all cosines.

    Returns:
        [1, L, 560].
    """
    half = FEATURES // 2
    rates = np.exp(np.arange(half, dtype=np.float64) * (-math.log(10000) / (half - 1)))
    position = g.op("Add", g.arange(g.size(x, 1)), g.const([1]))
    position = g.op("Unsqueeze", g.cast(position, np.float32), g.const([0, 2]))
    angle = g.op("Mul", position, g.const(rates, np.float32))
    return g.op("Concat", g.op("Sin", angle), g.op("Cos", angle), axis=-1)


def _sanm_block(
    layers: Layers, config: CheckpointConfig, x: Value, pad: Padding, name: str
) -> Value:
    """Self-attention with a memory: a depthwise convolution of the values, added beside it."""
    g, w = layers.graph, layers.weights
    width, heads = config.encoder_dim, config.encoder_heads
    y = layers.norm(x, f"{name}.norm1", ENCODER_EPS)
    query, key, value = _qkv(layers, y, f"{name}.self_attn.linear_q_k_v", width, heads)
    # transposed once, for the convolution; attention reads the same numbers
    value = g.op("Mul", g.op("Transpose", value, perm=[1, 2, 0]), pad.columns)  # [B, width, L]
    apart = g.reshape(value, 0, heads, width // heads, -1)
    query, key = (layers.heads(v, heads, width) for v in (query, key))
    qkv = query, key, g.op("Transpose", apart, perm=[0, 1, 3, 2])
    out = f"{name}.self_attn.linear_out"
    z = layers.product(layers.attention(qkv, width, pad), out, w.read(f"{out}.weight"))
    memory = _memory(layers, config, value, f"{name}.self_attn.fsmn_block", w.read(f"{out}.bias"))
    z = g.op("Add", z, memory)
    # the first block changes the width, so it has no residual; its feed-forward part runs all the
    # same, which several ports of this encoder skip
    x = z if name.startswith("audio_encoder.encoders0.") else g.op("Add", x, z)
    return layers.feed_forward(x, name, ENCODER_EPS)


def _qkv(layers: Layers, x: Value, name: str, width: int, heads: int) -> list[Value]:
    """Add queries, scaled already, keys and values, [L, B, width] each."""
    w = layers.weights
    weight, bias = w.read(f"{name}.weight").copy(), w.read(f"{name}.bias").copy()
    scale = np.float32(1 / math.sqrt(width // heads))
    weight[:width] *= scale
    bias[:width] *= scale
    return layers.graph.ops("Split", layers.affine(x, name, weight, bias), names=3, axis=-1)


def _memory(
    layers: Layers, config: CheckpointConfig, value: Value, name: str, bias: Floats
) -> Value:
    """Add the FSMN branch: values [B, width, L], and a depthwise convolution over them.

    `bias` [width] is of the layer whose product is added to it: here it costs nothing.

    Returns:
        [L, B, width].
    """
    g, left = layers.graph, config.kernel_left
    kernel = layers.weights.read(f"{name}.weight").copy()
    kernel[:, 0, left] += 1.0  # adds the values themselves
    stored = g.weight(f"{name}.weight", kernel), g.weight(f"{name}.bias", bias)
    pads = [left, config.kernel_size - 1 - left]
    memory = g.op("Conv", value, *stored, group=config.encoder_dim, pads=pads)
    return g.op("Transpose", memory, perm=[2, 0, 1])


def _adaptor(
    layers: Layers, config: CheckpointConfig, states: Value, pad: Padding, wanted: Value
) -> tuple[Value, Value]:
    """Bring encoder states to the width of the language model.

    Returns:
        At least the first `wanted` (int64 [1]) of [B, L / downsample_rate, D], as far as there are
        so many, and how many of all are real, int64 [B].
    """
    g, step = layers.graph, config.downsample_rate
    if step > 1:
        states = _stacked(g, states, step, config.encoder_dim)
        pad = padding(g, states, g.ceil_div(pad.lengths, step))
    heads, blocks = config.adaptor_heads, config.adaptor_blocks
    x = frames_first(g, states)
    x = layers.transformer(x, pad, "audio_adaptor", heads, blocks, wanted)
    return frames_last(g, x), pad.lengths


def _stacked(g: Graph, x: Value, step: int, width: int) -> Value:
    """Put `step` frames into one; zeros (as behind every row's end) fill the last."""
    length = g.size(x, 1)
    out = g.ceil_div(length, step)
    missing = g.op("Sub", g.op("Mul", out, g.const([step])), length)
    pads = g.op("Concat", g.const([0, 0, 0, 0]), missing, g.const([0]), axis=0)
    return g.reshape(g.op("Pad", x, pads), g.size(x, 0), out, step * width)


def _leaves_gaps(config: CheckpointConfig) -> bool:
    """Whether the adaptor makes fewer rows than the language model has places for."""
    return config.downsample_rate > (LOW_FRAME_RATE if config.use_low_frame_rate else 1)


def _fed_rows(
    g: Graph, adapted: tuple[Value, Value], fed: tuple[Value, Value], token_0: Floats | None
) -> Value:
    """Cut or fill the adaptor's rows to as many as the reference feeds.

    The reference reserves one place per LFR frame (one per eight with `use_low_frame_rate`) and
    leaves the places that a down-sampling adaptor does not reach as they are: token 0. Models of
    that kind are trained with them.

    Args:
        g: the graph.
        adapted: what `_adaptor` gave.
        fed: the places of each row int64 [B], and most of them int64 [1].
        token_0: the embedding [D] of token 0 where there are gaps.

    Returns:
        [B, A, D].
    """
    x, real = adapted
    places, most = fed
    if token_0 is not None:
        missing = g.op("Max", g.op("Sub", most, g.size(x, 1)), g.const([0]))
        x = g.op("Pad", x, g.op("Concat", g.const([0, 0, 0, 0]), missing, g.const([0]), axis=0))
        reached = g.cast(padding(g, x, real).frames, np.bool_)
        x = g.op("Where", reached, x, g.weight("llm.token_0", token_0))
    x = g.op("Slice", x, g.const([0]), most, g.const([1]))
    return g.op("Mul", x, padding(g, x, places).frames)
