"""What the encoder, the adaptor and the CTC decoder are made of, as ONNX operators.

Hidden states stay [B, L, width]. A `Padding` says which frames are real; it keeps the numbers of a
padded row equal to those of the row alone.
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
        keys=g.op("Unsqueeze", keys, g.const([1, 2])),
    )


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
        product = g.op("MatMul", x, g.weight(f"{name}.weight", weight.T))
        return g.op("Add", product, g.weight(f"{name}.bias", bias))

    def norm(self, x: Value, name: str, epsilon: float) -> Value:
        """Add a LayerNorm over the last dimension."""
        g, w = self.graph, self.weights
        scale = g.weight(f"{name}.weight", w.read(f"{name}.weight"))
        shift = g.weight(f"{name}.bias", w.read(f"{name}.bias"))
        return g.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=epsilon)

    def attention(
        self, qkv: tuple[Value, Value, Value], heads: int, width: int, pad: Padding
    ) -> Value:
        """Add full self-attention; `qkv` are [B, L, width] each, the query scaled already."""
        g = self.graph
        query, key, value = qkv
        batch, length = g.size(query, 0), g.size(query, 1)

        def split(x: Value, *order: int) -> Value:
            apart = g.reshape(x, batch, length, heads, width // heads)
            return g.op("Transpose", apart, perm=list(order))

        scores = g.op("MatMul", split(query, 0, 2, 1, 3), split(key, 0, 2, 3, 1))
        weights = g.op("Softmax", g.op("Add", scores, pad.keys), axis=-1)
        mixed = g.op("MatMul", weights, split(value, 0, 2, 1, 3))
        return g.reshape(g.op("Transpose", mixed, perm=[0, 2, 1, 3]), batch, length, width)

    def feed_forward(self, x: Value, name: str, epsilon: float) -> Value:
        """Add x + w_2(relu(w_1(norm2(x)))) of a block."""
        y = self.norm(x, f"{name}.norm2", epsilon)
        y = self.graph.op("Relu", self.linear(y, f"{name}.feed_forward.w_1"))
        return self.graph.op("Add", x, self.linear(y, f"{name}.feed_forward.w_2"))

    def transformer(self, x: Value, pad: Padding, name: str, heads: int, blocks: int) -> Value:
        """Add FunASR's `Transformer` adaptor but for its down-sampling.

        Two linear layers, then `blocks` blocks of self-attention and a feed-forward part.

        Args:
            x: [B, L, in].
            pad: real frames of x.
            name: prefix of the tensors.
            heads: attention heads of a block.
            blocks: how many blocks.

        Returns:
            [B, L, out].
        """
        g = self.graph
        x = self.linear(g.op("Relu", self.linear(x, f"{name}.linear1")), f"{name}.linear2")
        for index in range(blocks):
            block = f"{name}.blocks.{index}"
            y = self.norm(x, f"{block}.norm1", TRANSFORMER_EPS)
            layer = f"{block}.self_attn.linear"
            weight, bias = (
                self.weights.read(f"{layer}_q.weight"),
                self.weights.read(f"{layer}_q.bias"),
            )
            width = len(bias)
            scale = np.float32(1 / math.sqrt(width // heads))
            query = self.affine(y, f"{layer}_q", weight * scale, bias * scale)
            qkv = query, self.linear(y, f"{layer}_k"), self.linear(y, f"{layer}_v")
            mixed = self.attention(qkv, heads, width, pad)
            x = g.op("Add", x, self.linear(mixed, f"{layer}_out"))
            x = self.feed_forward(x, block, TRANSFORMER_EPS)
        return x
