"""Encoder states -> the best CTC tokens of every frame, as one ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from funasr_cli.export.graph import Graph
from funasr_cli.export.layers import Layers, Weights, frames_first, frames_last, padding

if TYPE_CHECKING:
    from funasr_cli.export.config import CheckpointConfig
    from funasr_cli.export.graph import Value
    from funasr_cli.protocols import Floats

TOP_K = 8
"""Candidates per frame: their cost beside the argmax is not measurable."""
PART = 3072
"""Tokens whose scores exist at one time, twice: 12 MB instead of 242 MB for 30 s of sound (as many
frames as there are, so a batch takes more). 1024, 2048 and 6144 are slower, 4096 no faster."""
_TINY = 1e-20
"""Keeps a scale of all-zero numbers from being a division by zero."""
_CENTRE = 128
"""The unsigned byte that stands for 0."""


def ctc_graph(config: CheckpointConfig, w: Weights, blank: int, *, int8: bool) -> Graph:
    """Build the graph.

    Inputs: `encoder_out` float32 [B, L, H] and `encoder_lengths` int64 [B].
    Outputs: `token_ids` int32 [B, L] (most likely token; blank behind a row's length), `topk_ids`
    int32 [B, L, K] and `topk_log_probs` float32 [B, L, K] (most likely first) and
    `blank_log_probs` float32 [B, L].

    Args:
        config: of the checkpoint.
        w: the checkpoint.
        blank: id of the blank.
        int8: 8-bit weights in the last layer, which holds most of them.
    """
    g = Graph("funasr-ctc")
    layers = Layers(g, w)
    states = g.input("encoder_out", np.float32, ["B", "L", config.encoder_dim])
    lengths = g.input("encoder_lengths", np.int64, ["B"])
    pad = padding(g, states, lengths)
    # what lies behind a row's length may be anything, even NaN, and 0 x NaN is not 0
    real = g.cast(pad.frames, np.bool_)
    states = g.op("Where", real, states, g.const(0.0, np.float32))
    x = frames_first(g, states)
    x = layers.transformer(x, pad, "ctc_decoder", config.ctc_heads, config.ctc_blocks)
    best = _best(layers, x, blank, int8=int8)
    log_probs, ids, of_blank = (frames_last(g, value) for value in best)
    ids = g.cast(ids, np.int32)
    first = g.op("Slice", ids, g.const([0]), g.const([1]), g.const([2]))
    tokens = g.op("Where", real, first, g.const(blank, np.int32))
    g.output("token_ids", g.op("Squeeze", tokens, g.const([2])), np.int32, ["B", "L"])
    g.output("topk_ids", ids, np.int32, ["B", "L", TOP_K])
    g.output("topk_log_probs", log_probs, np.float32, ["B", "L", TOP_K])
    g.output("blank_log_probs", g.op("Squeeze", of_blank, g.const([2])), np.float32, ["B", "L"])
    return g


def _best(layers: Layers, x: Value, blank: int, *, int8: bool) -> tuple[Value, Value, Value]:
    """Score `x` [L, B, width] against the vocabulary, part by part, and keep the best.

    Returns:
        Log-probabilities [L, B, K], ids [L, B, K], log-probability of the blank [L, B, 1].
    """
    g, w = layers.graph, layers.weights
    weight, bias = w.read("ctc.ctc_lo.weight"), w.read("ctc.ctc_lo.bias")  # [V, width], [V]
    rounded = _rounded(g, x) if int8 else None
    found = []
    for start in range(0, len(bias), PART):
        rows, b = weight[start : start + PART], bias[start : start + PART]
        name = f"ctc.ctc_lo.{start}"
        if rounded:
            product = _int8_product(g, *rounded, name, rows)
            scores = g.op("Add", product, g.weight(f"{name}.bias", b))
        else:
            scores = layers.affine(x, name, rows, b)
        best, ids, total = _best_of_part(g, scores, min(TOP_K, len(b)))
        found.append((best, g.op("Add", ids, g.const([start])), total))
        if start <= blank < start + PART:
            of_blank = _columns(g, scores, blank - start)
    best, ids, totals = (g.op("Concat", *parts, axis=-1) for parts in zip(*found, strict=True))
    best, at = g.ops("TopK", best, g.const([TOP_K]), names=2, axis=-1)
    total = g.op("ReduceLogSumExp", totals, axes=[-1], keepdims=1)
    ids = g.op("GatherElements", ids, at, axis=-1)
    return g.op("Sub", best, total), ids, g.op("Sub", of_blank, total)


def _best_of_part(g: Graph, scores: Value, count: int) -> tuple[Value, Value, Value]:
    """Find the best `count` of `scores` [L, B, part], and how much all of them are.

    LogSoftmax tells the latter in one pass, which onnxruntime has vectorised: what it takes off
    the best score. ReduceLogSumExp over so many is slower.

    Returns:
        The best scores [L, B, count], their places [L, B, count] and log(sum(exp(scores)))
        [L, B, 1].
    """
    best, ids = g.ops("TopK", scores, g.const([count]), names=2, axis=-1)
    relative = g.op("LogSoftmax", scores, axis=-1)
    of_first = g.op("GatherElements", relative, _columns(g, ids, 0), axis=-1)
    return best, ids, g.op("Sub", _columns(g, best, 0), of_first)


def _columns(g: Graph, x: Value, at: int) -> Value:
    """One column of `x` [L, B, width], [L, B, 1]."""
    return g.op("Slice", x, g.const([at]), g.const([at + 1]), g.const([-1]))


def _rounded(g: Graph, x: Value) -> tuple[Value, Value]:
    """Round `x` [L, B, width] to 8 bits frame by frame.

    One scale per frame, not per batch: finer, and no row changes another row's numbers.

    Returns:
        uint8 [L, B, width] around _CENTRE, and what one step is of each row [L, B, 1].
    """
    loudest = g.op("ReduceMax", g.op("Abs", x), axes=[-1], keepdims=1)
    loudest = g.op("Max", loudest, g.const(_TINY, np.float32))
    relative = g.op("Div", x, loudest)
    step, centre = g.const(1 / 127, np.float32), g.const(_CENTRE, np.uint8)
    steps = g.op("QuantizeLinear", relative, step, centre)
    return steps, g.op("Div", loudest, g.const(127.0, np.float32))


def _int8_product(g: Graph, x: Value, step: Value, name: str, weight: Floats) -> Value:
    """Multiply what `_rounded` gave by `weight` [V, width], stored in 8 bits, a scale per token.

    Unsigned with a zero point of 128: without VNNI a product of unsigned and signed bytes is
    summed in 16 bits and may saturate; of two unsigned ones it is not.
    """
    scale = np.maximum(np.abs(weight).max(axis=-1), np.float32(_TINY)) / np.float32(127)
    steps = (np.rint(weight / scale[:, None]) + _CENTRE).astype(np.uint8)
    stored, centre = g.weight(f"{name}.weight_int8", steps.T), g.const(_CENTRE, np.uint8)
    total = g.cast(g.op("MatMulInteger", x, stored, centre, centre), np.float32)
    # two products, not one by the product of both scales: onnxruntime takes that for a scale of
    # the whole matrix, fuses it and gives every frame the first one's
    total = g.op("Mul", total, g.weight(f"{name}.weight_scale", scale))
    return g.op("Mul", total, step)
