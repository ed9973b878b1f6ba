"""What the encoder, the adaptor and the CTC decoder are made of, as ONNX operators.

Hidden states are [L, B, width]: onnxruntime's attention products read queries and keys as they lie
there, without a transposed copy. They keep three dimensions: of two, onnxruntime makes MatMul, Add
and Relu one Gemm, which is slower than the three (2.5 ms, not 2.3, from 512 to 2048 on 2 threads).
A `Padding` says which frames are real; it keeps the numbers of a padded row equal to those of the
row alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from funasr_cli.export.graph import Graph, Value
    from funasr_cli.protocols import Floats

ENCODER_EPS = 1e-5
TRANSFORMER_EPS = 1e-12
"""The adaptor and the CTC decoder come from another code base than the encoder."""
_HIDDEN_KEY = -1e30
"""Added to the scores of padded keys: exp() of the rest is exactly 0."""


class Weights(Protocol):
    """The checkpoint's numbers."""

    def read(self, name: str) -> Floats:
        """One tensor, widened to float32."""

    def read_row(self, name: str, row: int) -> Floats:
        """One row of a matrix, widened to float32."""


@dataclass(frozen=True)
class Padding:
    """Which frames of a batch are real."""

    lengths: Value
    """int64 [B]."""
    frames: Value
    """float32 [B, L, 1]: 1 or 0."""
    columns: Value
    """float32 [B, 1, L]: 1 or 0."""
    keys: Value
    """float32 [B, 1, 1, L]: 0 or a number that no attention score survives."""


def padding(g: Graph, x: Value, lengths: Value) -> Padding:
    """Make masks for `x` [B, L, ...] whose rows have `lengths` int64 [B]."""
    position = g.op("Unsqueeze", g.arange(g.size(x, 1)), g.const([0]))
    real = g.cast(g.op("Less", position, g.op("Unsqueeze", lengths, g.const([1]))), np.float32)
    absent = g.op("Sub", g.const(1.0, np.float32), real)
    keys = g.op("Mul", absent, g.const(_HIDDEN_KEY, np.float32))
    return Padding(
        lengths=lengths,
        frames=g.op("Unsqueeze", real, g.const([2])),
        columns=g.op("Unsqueeze", real, g.const([1])),
        keys=g.op("Unsqueeze", keys, g.const([1, 2])),
    )


def frames_first(g: Graph, x: Value) -> Value:
    """Bring `x` [B, L, width] to [L, B, width]."""
    return g.op("Transpose", x, perm=[1, 0, 2])


def frames_last(g: Graph, x: Value) -> Value:
    """Bring `x` [L, B, width] back to [B, L, width]."""
    return g.op("Transpose", x, perm=[1, 0, 2])


class Layers:
    """Adds a checkpoint's layers to a graph; `name` is always the prefix of their tensors."""

    def __init__(self, graph: Graph, weights: Weights) -> None:
        self.graph = graph
        self.weights = weights

    def linear(self, x: Value, name: str) -> Value:
        """Add x W^T + b."""
        w = self.weights
        return self.affine(x, name, w.read(f"{name}.weight"), w.read(f"{name}.bias"))

    def affine(self, x: Value, name: str, weight: Floats, bias: Floats) -> Value:
        """Add x W^T + b of given `weight` [out, in] and `bias` [out]."""
        g = self.graph
        return g.op("Add", self.product(x, name, weight), g.weight(f"{name}.bias", bias))

    def product(self, x: Value, name: str, weight: Floats) -> Value:
        """Add x W^T of given `weight` [out, in]."""
        return self.graph.op("MatMul", x, self.graph.weight(f"{name}.weight", weight.T))

    def norm(self, x: Value, name: str, epsilon: float) -> Value:
        """Add a LayerNorm over the last dimension."""
        g, w = self.graph, self.weights
        scale = g.weight(f"{name}.weight", w.read(f"{name}.weight"))
        shift = g.weight(f"{name}.bias", w.read(f"{name}.bias"))
        return g.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)

    def heads(self, x: Value, heads: int, width: int) -> Value:
        """Cut `x` [L, B, width] into [L, B, heads, width / heads]."""
        return self.graph.reshape(x, 0, 0, heads, width // heads)

    def attention(self, qkv: tuple[Value, Value, Value], width: int, pad: Padding) -> Value:
        """Add full self-attention.

        Args:
            qkv: queries, scaled already, and keys, as `heads` gives them, and values
                [B, heads, L, width / heads]. There may be fewer queries than keys.
            width: of all heads together.
            pad: real frames of keys and values.

        Returns:
            [L, B, width].
        """
        g = self.graph
        query, key, value = qkv
        query = g.op("Transpose", query, perm=[1, 2, 0, 3])
        scores = g.op("MatMul", query, g.op("Transpose", key, perm=[1, 2, 3, 0]))
        weights = g.op("Softmax", g.op("Add", scores, pad.keys), axis=-1)
        mixed = g.op("MatMul", weights, value)
        return g.reshape(g.op("Transpose", mixed, perm=[2, 0, 1, 3]), 0, 0, width)

    def feed_forward(self, x: Value, name: str, epsilon: float) -> Value:
        """Add x + w_2(relu(w_1(norm2(x)))) of a block."""
        y = self.norm(x, f"{name}.norm2", epsilon)
        y = self.graph.op("Relu", self.linear(y, f"{name}.feed_forward.w_1"))
        return self.graph.op("Add", x, self.linear(y, f"{name}.feed_forward.w_2"))

    def transformer(  # noqa: PLR0913, PLR0917 - what it reads, and its shape
        self,
        x: Value,
        pad: Padding,
        name: str,
        heads: int,
        blocks: int,
        wanted: Value | None = None,
    ) -> Value:
        """Add FunASR's `Transformer` adaptor but for its down-sampling.

        Two linear layers, then `blocks` blocks of self-attention and a feed-forward part.

        Args:
            x: [L, B, in].
            pad: real frames of x.
            name: prefix of the tensors.
            heads: attention heads of a block.
            blocks: how many blocks.
            wanted: how many first frames of each row the result must have, int64 [1]; all of them
                where it is None. The last block leaves the others out.

        Returns:
            [L, B, out]; or [wanted, B, out] if there are blocks.
        """
        g = self.graph
        x = self.linear(g.op("Relu", self.linear(x, f"{name}.linear1")), f"{name}.linear2")
        for index in range(blocks):
            last = wanted if index == blocks - 1 else None
            x = self._transformer_block(x, pad, f"{name}.blocks.{index}", heads, last)
        return x

    def _transformer_block(
        self, x: Value, pad: Padding, name: str, heads: int, wanted: Value | None
    ) -> Value:
        g, w = self.graph, self.weights
        y = asking = self.norm(x, f"{name}.norm1", TRANSFORMER_EPS)
        if wanted is not None:
            x, asking = (g.op("Slice", v, g.const([0]), wanted, g.const([0])) for v in (x, y))
        layer = f"{name}.self_attn.linear"
        weight, bias = w.read(f"{layer}_q.weight"), w.read(f"{layer}_q.bias")
        width = len(bias)
        scale = np.float32(1 / math.sqrt(width // heads))
        query = self.affine(asking, f"{layer}_q", weight * scale, bias * scale)
        # the bias of the keys adds the same to all scores of a query, so Softmax takes it off
        key = self.product(y, f"{layer}_k", w.read(f"{layer}_k.weight"))
        query, key, value = (
            self.heads(v, heads, width) for v in (query, key, self.linear(y, f"{layer}_v"))
        )
        value = g.op("Transpose", value, perm=[1, 2, 0, 3])
        mixed = self.attention((query, key, value), width, pad)
        x = g.op("Add", x, self.linear(mixed, f"{layer}_out"))
        return self.feed_forward(x, name, TRANSFORMER_EPS)
