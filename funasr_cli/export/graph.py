"""Build an ONNX graph node by node: exact, deterministic and small in memory.

Nothing is traced: a graph holds the operators written here and the checkpoint's own numbers.
Everything is in the standard operator set, so every execution provider can run it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 17
"""LayerNormalization came with 17; onnxruntime 1.18 and all later ones run it."""
IR_VERSION = 8
"""The file format that belongs to opset 17."""

Value = str
"""A tensor inside a graph, by name."""


class Graph:
    """A graph under construction; every method adds nodes and returns the result's name."""

    def __init__(self, name: str) -> None:
        import onnx

        self._onnx = onnx
        self._name = name
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    # ------------------------------------------------------------------ values
    def input(self, name: str, dtype: type[np.generic], shape: Sequence[str | int]) -> Value:
        """Declare an input; a string in `shape` names a free dimension."""
        self._inputs.append(self._value_info(name, dtype, shape))
        return name

    def output(
        self, name: str, value: Value, dtype: type[np.generic], shape: Sequence[str | int]
    ) -> None:
        """Declare `value` to be the output `name`."""
        self.op("Identity", value, name=name)
        self._outputs.append(self._value_info(name, dtype, shape))

    def weight(self, name: str, array: NDArray[Any]) -> Value:
        """Store an array of the checkpoint."""
        tensor = self._onnx.TensorProto(
            name=name,
            dims=array.shape,
            data_type=self._onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            raw_data=np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes(),
        )
        self._weights.append(tensor)
        return name

    def const(self, value: object, dtype: type[np.generic] = np.int64) -> Value:
        """Store a small constant, once however often it is asked for."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self.weight(f"const_{len(self._constants)}", array)
        return self._constants[key]

    def op(
        self,
        kind: str,
        *inputs: Value,
        name: str | None = None,
        **attributes: Any,  # noqa: ANN401 - as onnx takes them
    ) -> Value:
        """Add a node with one output."""
        return self.ops(kind, *inputs, names=[name or self._fresh(kind)], **attributes)[0]

    def ops(
        self,
        kind: str,
        *inputs: Value,
        names: Sequence[str] | int,
        **attributes: Any,  # noqa: ANN401 - as onnx takes them
    ) -> list[Value]:
        """Add a node with the outputs `names`, or with that many."""
        if isinstance(names, int):
            names = [f"{self._fresh(kind)}_{i}" for i in range(names)]
        node = self._onnx.helper.make_node(
            kind, list(inputs), list(names), name=names[0], **attributes
        )
        self._nodes.append(node)
        return list(names)

    # --------------------------------------------------------------- shorthand
    def size(self, x: Value, axis: int) -> Value:
        """One dimension of `x`, as int64 [1]."""
        return self.op("Shape", x, start=axis, end=axis + 1)

    def reshape(self, x: Value, *sizes: int | Value) -> Value:
        """Reshape to `sizes`: numbers (-1: the rest) or [1] values such as `size` gives."""
        if all(isinstance(s, int) for s in sizes):
            return self.op("Reshape", x, self.const(list(sizes)))
        parts = [self.const([s]) if isinstance(s, int) else s for s in sizes]
        return self.op("Reshape", x, self.op("Concat", *parts, axis=0))

    def cast(self, x: Value, dtype: type[np.generic]) -> Value:
        """Convert to another element type."""
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.op("Cast", x, to=int(kind))

    def arange(self, count: Value) -> Value:
        """0, 1, ... count - 1 as int64 [count]; `count` is [1]."""
        end = self.op("Squeeze", count, self.const([0]))
        return self.op("Range", self.const(0), end, self.const(1))

    def ceil_div(self, x: Value, divisor: int) -> Value:
        """Round x / divisor up; x >= 1 (int64)."""
        if divisor == 1:
            return x
        return self.op("Div", self.op("Add", x, self.const([divisor - 1])), self.const([divisor]))

    # -------------------------------------------------------------------- file
    def proto(self) -> Any:  # noqa: ANN401 - onnx is imported only where a graph is built
        """Give the graph as protobuf; the builder is spent afterwards."""
        graph = self._onnx.GraphProto()
        self._fill(graph)
        return graph

    def _fill(self, graph: Any) -> None:  # noqa: ANN401 - as above
        graph.name = self._name
        graph.input.extend(self._inputs)
        graph.output.extend(self._outputs)
        graph.node.extend(self._nodes)
        while self._weights:  # one by one: a copy of all at once would double the memory
            graph.initializer.append(self._weights.pop())

    def save(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Write the model file; the graph is spent afterwards.

        Raises:
            OSError: the file cannot be written.
        """
        onnx = self._onnx
        model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="funasr-cli")
        model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
        onnx.helper.set_model_props(model, dict(metadata))
        self._fill(model.graph)
        path.write_bytes(model.SerializeToString(deterministic=True))

    def _fresh(self, kind: str) -> str:
        return f"{kind.lower()}_{len(self._nodes)}"

    def _value_info(self, name: str, dtype: type[np.generic], shape: Sequence[str | int]) -> object:
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self._onnx.helper.make_tensor_value_info(name, kind, list(shape))
