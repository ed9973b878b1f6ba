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
CHUNK = 64
"""Frames whose scores over the whole vocabulary exist at one time, twice: 31 MB instead of 242 MB
for 30 s of sound, and not slower; half of it is."""
_TINY = 1e-20
"""Keeps a scale of all-zero numbers from being a division by zero."""


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
    log_probs, ids, of_blank = _best(layers, frames_last(g, x), blank, int8=int8)
    ids = g.cast(ids, np.int32)
    first = g.op("Slice", ids, g.const([0]), g.const([1]), g.const([2]))
    tokens = g.op("Where", real, first, g.const(blank, np.int32))
    g.output("token_ids", g.op("Squeeze", tokens, g.const([2])), np.int32, ["B", "L"])
    g.output("topk_ids", ids, np.int32, ["B", "L", TOP_K])
    g.output("topk_log_probs", log_probs, np.float32, ["B", "L", TOP_K])
    g.output("blank_log_probs", g.op("Squeeze", of_blank, g.const([2])), np.float32, ["B", "L"])
    return g


def _best(layers: Layers, x: Value, blank: int, *, int8: bool) -> list[Value]:
    """Score the vocabulary in chunks of frames and keep the best.

    Returns:
        Log-probabilities [B, L, K], ids [B, L, K], log-probability of the blank [B, L, 1].
    """
    g, w = layers.graph, layers.weights
    weight = w.read("ctc.ctc_lo.weight")  # [V, width]
    width = weight.shape[1]
    batch, length = g.size(x, 0), g.size(x, 1)
    frames = g.op("Mul", batch, length)
    # as many equal chunks as it takes, none larger than CHUNK
    chunks = g.ceil_div(frames, CHUNK)
    size = g.op("Div", g.op("Sub", g.op("Add", frames, chunks), g.const([1])), chunks)
    missing = g.op("Sub", g.op("Mul", chunks, size), frames)
    pads = g.op("Concat", g.const([0, 0]), missing, g.const([0]), axis=0)
    rows = g.reshape(g.op("Pad", g.reshape(x, -1, width), pads), chunks, size, width)

    body = g.body("ctc")
    chunk = body.input("ctc_chunk", np.float32, ["C", width])
    if int8:
        product = _int8_product(body, chunk, *_store_int8(g, weight))
    else:
        product = body.op("MatMul", chunk, g.weight("ctc.ctc_lo.weight", weight.T))
    scores = body.op("Add", product, g.weight("ctc.ctc_lo.bias", w.read("ctc.ctc_lo.bias")))
    scores = body.op("LogSoftmax", scores, axis=-1)
    best, ids = body.ops("TopK", scores, body.const([TOP_K]), names=2, axis=-1)
    at = body.const([blank]), body.const([blank + 1]), body.const([1])
    of_blank = body.op("Slice", scores, *at)
    body.output("ctc_best", best, np.float32, ["C", TOP_K])
    body.output("ctc_ids", ids, np.int64, ["C", TOP_K])
    body.output("ctc_blank", of_blank, np.float32, ["C", 1])
    found = g.scan(body, rows, names=3)

    def whole(value: Value, depth: int) -> Value:
        flat = g.op("Slice", g.reshape(value, -1, depth), g.const([0]), frames, g.const([0]))
        return g.reshape(flat, batch, length, depth)

    return [whole(v, d) for v, d in zip(found, (TOP_K, TOP_K, 1), strict=True)]


def _store_int8(g: Graph, weight: Floats) -> tuple[Value, Value]:
    """Store `weight` [V, width] in 8 bits, one scale per token.

    Unsigned with a zero point of 128: without VNNI a product of unsigned and signed bytes is
    summed in 16 bits and may saturate; of two unsigned ones it is not.

    Returns:
        The weights uint8 [width, V] and their scales float32 [V].
    """
    scale = np.maximum(np.abs(weight).max(axis=1), np.float32(_TINY)) / np.float32(127)
    steps = (np.rint(weight / scale[:, None]) + 128).astype(np.uint8)
    return (
        g.weight("ctc.ctc_lo.weight_int8", steps.T),
        g.weight("ctc.ctc_lo.weight_scale", scale),
    )


def _int8_product(g: Graph, x: Value, weight: Value, scale: Value) -> Value:
    """Multiply by 8-bit weights; `x` [C, width] is rounded to 8 bits frame by frame.

    One scale per frame, not per batch: finer, and no row changes another row's numbers.
    """
    centre = g.const(128, np.uint8)
    loudest = g.op("ReduceMax", g.op("Abs", x), axes=[-1], keepdims=1)
    loudest = g.op("Max", loudest, g.const(_TINY, np.float32))
    rounded = g.op("QuantizeLinear", g.op("Div", x, loudest), g.const(1 / 127, np.float32), centre)
    total = g.cast(g.op("MatMulInteger", rounded, weight, centre, centre), np.float32)
    # two products, not one by the product of both scales: onnxruntime takes that for a scale of
    # the whole matrix, fuses it and gives every frame the first one's
    total = g.op("Mul", total, scale)
    return g.op("Mul", total, g.op("Div", loudest, g.const(127.0, np.float32)))
