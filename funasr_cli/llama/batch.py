"""Lay runs of rows out as `llama_batch` structs."""

from collections.abc import Iterator, Sequence

import numpy as np

from funasr_cli.llama.api import Batch
from funasr_cli.protocols import Ints, Rows


class FlatRows:
    """Runs joined to flat arrays, N rows in all; they must outlive the structs made of them."""

    def __init__(self, runs: Sequence[Rows]) -> None:
        lengths = [len(run) for run in runs]
        self.inputs = _joined(runs)
        """Tokens [N] int32 or embeddings [N, D] float32."""
        self.wanted = np.zeros(sum(lengths), np.int8)
        """Per row: 1 when its logits are wanted."""
        self.counts = [{"none": 0, "last": 1, "all": len(run)}[run.logits] for run in runs]
        """Per run: how many rows of logits it gets."""
        ends = np.cumsum(lengths)
        for end, count in zip(ends, self.counts, strict=True):
            self.wanted[end - count : end] = 1
        starts = np.array([run.position for run in runs]) - (ends - lengths)
        self._positions = (np.arange(ends[-1]) + np.repeat(starts, lengths)).astype(np.int32)
        self._sequences = np.repeat(np.array([r.sequence for r in runs], np.int32), lengths)
        self._ones = np.ones_like(self._sequences)
        first = self._sequences.ctypes.data
        self._pointers = first + 4 * np.arange(ends[-1], dtype=np.uint64)

    def batches(self, n_batch: int, n_outputs: int) -> Iterator[tuple[Batch, list[int]]]:
        """Cut the rows into structs of at most so many rows and wanted logits.

        Yields:
            The struct, and the rows of it whose logits are wanted.
        """
        seen = np.cumsum(self.wanted, dtype=np.int64)
        start, n = 0, len(self.wanted)
        while start < n:
            before = seen[start - 1] if start else 0
            fits = int(np.searchsorted(seen, before + n_outputs, side="right"))
            stop = min(start + n_batch, fits, n)
            yield self._batch(start, stop), np.flatnonzero(self.wanted[start:stop]).tolist()
            start = stop

    def _batch(self, start: int, stop: int) -> Batch:
        inputs = self.inputs.ctypes.data + start * self.inputs.strides[0]
        is_tokens = self.inputs.ndim == 1
        return Batch(
            n_tokens=stop - start,
            token=inputs if is_tokens else None,
            embd=None if is_tokens else inputs,
            pos=self._positions.ctypes.data + 4 * start,
            n_seq_id=self._ones.ctypes.data,  # one sequence a row
            seq_id=self._pointers.ctypes.data + 8 * start,
            logits=self.wanted.ctypes.data + start,
        )


def _joined(runs: Sequence[Rows]) -> "Ints | np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    if runs[0].tokens is not None:
        tokens = [run.tokens for run in runs if run.tokens is not None]
        return np.ascontiguousarray(np.concatenate(tokens), np.int32)
    embeddings = [run.embeddings for run in runs if run.embeddings is not None]
    return np.ascontiguousarray(np.concatenate(embeddings), np.float32)
