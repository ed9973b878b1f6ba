"""A checkpoint's tensors as random numbers: the same for the same seed, made when they are read."""

import math
from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import numpy as np

from funasr_cli.protocols import Floats

_ROWS = 1024
"""Rows drawn at a time: a part of a matrix is the same numbers as in the whole of it."""
_NORM_SPREAD, _BIAS_SPREAD = 0.1, 0.01
"""Standard deviations of the gains of norms around 1, and of biases."""


class RandomWeights:
    """Numbers under which hidden states stay of order 1 through any number of layers.

    Args:
        path: what messages name.
        shapes: the tensors.
        seed: decides the numbers.
        gains: a factor for each layer of a name (its last part).
        given: tensors that are not random.
        row_scales: a factor for each row of a tensor.
    """

    merged = 0
    """LoRA adapters."""

    def __init__(  # noqa: PLR0913 - which numbers, and what they are multiplied with
        self,
        path: Path,
        shapes: Mapping[str, tuple[int, ...]],
        seed: int,
        *,
        gains: Mapping[str, float] | None = None,
        given: Mapping[str, Floats] | None = None,
        row_scales: Mapping[str, Floats] | None = None,
    ) -> None:
        self.path = path
        self._shapes = dict(shapes)
        self._seed = seed
        self._gains = dict(gains or {})
        self._given = dict(given or {})
        self._row_scales = dict(row_scales or {})

    @property
    def names(self) -> list[str]:
        """Every tensor."""
        return list(self._shapes)

    def __contains__(self, name: str) -> bool:
        return name in self._shapes

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor."""
        return self._shapes[name]

    def read(self, name: str) -> Floats:
        """One tensor."""
        return self.read_rows(name, 0, None)

    def read_row(self, name: str, row: int) -> Floats:
        """One row of a matrix."""
        values: Floats = self.read_rows(name, row, row + 1)[0]
        return values

    def read_rows(self, name: str, start: int, end: int | None) -> Floats:
        """Rows of one tensor."""
        shape = self._shapes[name]
        end = shape[0] if end is None else min(end, shape[0])
        if name in self._given:
            return self._given[name][start:end]
        out = np.empty((end - start, *shape[1:]), np.float32)
        for block in range(start // _ROWS, -(-end // _ROWS)):
            first, last = block * _ROWS, min((block + 1) * _ROWS, shape[0])
            key = (self._seed, crc32(name.encode()), block)
            drawn = np.random.default_rng(key).standard_normal((last - first, *shape[1:]), "f4")
            low, high = max(first, start), min(last, end)
            out[low - start : high - start] = drawn[low - first : high - first]
        self._scale(name, out, start)
        return out

    def equal(self, one: str, other: str) -> bool:
        """Whether two tensors are the same one."""
        return one == other

    def _scale(self, name: str, rows: Floats, start: int) -> None:
        layer, kind = name.split(".")[-2:]
        if rows.ndim > 1:
            rows *= np.float32(1 / math.sqrt(math.prod(rows.shape[1:])))
        elif kind == "weight":  # of a norm: no other has one dimension
            rows *= np.float32(_NORM_SPREAD)
            rows += np.float32(1)
        else:
            rows *= np.float32(_BIAS_SPREAD)
            return
        rows *= np.float32(self._gains.get(layer, 1.0))
        if name in self._row_scales:
            rows *= self._row_scales[name][start : start + len(rows), None]
