"""Lay runs of rows out as `llama_batch` structs."""

from collections.abc import Iterator, Sequence

import numpy as np

from funasr_cli.llama.api import Batch
from funasr_cli.protocols import Floats, Ints, Rows


class FlatRows:
    """Runs joined to flat arrays, N rows in all; they must outlive the structs made of them.

    Filled through lists: for the few rows of a decoding step that takes half as long as
    through numpy, whose code is out of the processor's cache after each llama_decode.
    """

    def __init__(self, runs: Sequence[Rows]) -> None:
        positions: list[int] = []
        sequences: list[int] = []
        self._wanted: list[int] = []
        self.counts: list[int] = []
        """Per run: how many rows of logits it gets."""
        for run in runs:
            n = len(run)
            count = {"none": 0, "last": 1, "all": n}[run.logits]
            positions += range(run.position, run.position + n)
            sequences += [run.sequence] * n
            self._wanted += [0] * (n - count) + [1] * count
            self.counts.append(count)
        self.inputs = _joined(runs)
        """Tokens [N] int32 or embeddings [N, D] float32."""
        self._columns = np.array([positions, sequences, [1] * len(positions)], np.int32)
        self._flags = np.array(self._wanted, np.int8)
        # addresses of 4-byte sequence ids, one a row
        first = self._columns.ctypes.data + self._columns.strides[0]
        end = first + 4 * len(positions)
        self._pointers = np.arange(first, end, 4, dtype=np.int64)

    def batches(self, n_batch: int, n_outputs: int) -> Iterator[tuple[Batch, list[int]]]:
        """Cut the rows into structs of at most so many rows and wanted logits.

        Yields:
            The struct, and the rows of it whose logits are wanted.
        """
        start, outputs = 0, list[int]()
        for row, wanted in enumerate(self._wanted):
            if row - start == n_batch or (wanted and len(outputs) == n_outputs):
                yield self._batch(start, row), outputs
                start, outputs = row, []
            if wanted:
                outputs.append(row - start)
        yield self._batch(start, len(self._wanted)), outputs

    def _batch(self, start: int, stop: int) -> Batch:
        inputs = self.inputs.ctypes.data + start * self.inputs.strides[0]
        is_tokens = self.inputs.ndim == 1
        columns, column_bytes = self._columns.ctypes.data + 4 * start, self._columns.strides[0]
        return Batch(
            n_tokens=stop - start,
            token=inputs if is_tokens else None,
            embd=None if is_tokens else inputs,
            pos=columns,
            n_seq_id=columns + 2 * column_bytes,  # always one
            seq_id=self._pointers.ctypes.data + 8 * start,
            logits=self._flags.ctypes.data + start,
        )


def _joined(runs: Sequence[Rows]) -> Ints | Floats:
    if runs[0].tokens is not None:
        tokens = [run.tokens for run in runs if run.tokens is not None]
        return np.ascontiguousarray(np.concatenate(tokens), np.int32)
    embeddings = [run.embeddings for run in runs if run.embeddings is not None]
    return np.ascontiguousarray(np.concatenate(embeddings), np.float32)
