"""Check runs of rows, and lay them out as `llama_batch` structs."""

from array import array
from collections.abc import Iterator, Sequence

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.llama.api import Batch
from funasr_cli.protocols import Floats, Ints, Rows


class FlatRows:
    """Runs joined to flat arrays, N rows in all; they must outlive the structs made of them.

    The standard library's arrays, not numpy's: for the few rows of a decoding step they take
    a quarter of the time, and numpy's code is out of the processor's cache after each
    llama_decode.
    """

    def __init__(self, runs: Sequence[Rows]) -> None:
        positions, sequences = array("i"), array("i")
        wanted = array("b")
        self.counts: list[int] = []
        """Per run: how many rows of logits it gets."""
        for run in runs:
            n = len(run)
            count = {"none": 0, "last": 1, "all": n}[run.logits]
            positions.extend(range(run.position, run.position + n))
            sequences.extend([run.sequence] * n)
            wanted.extend([0] * (n - count) + [1] * count)
            self.counts.append(count)
        self.inputs = _joined(runs)
        """Tokens [N] int32 or embeddings [N, D] float32."""
        ones = array("i", [1]) * len(positions)
        first, _ = sequences.buffer_info()
        pointers = array("q", range(first, first + 4 * len(positions), 4))
        self._wanted = wanted
        self._columns = (positions, ones, sequences, pointers)  # kept alive for their addresses
        self._address = [column.buffer_info()[0] for column in (positions, ones, pointers, wanted)]

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
        positions, ones, pointers, wanted = self._address
        return Batch(
            n_tokens=stop - start,
            token=inputs if is_tokens else None,
            embd=None if is_tokens else inputs,
            pos=positions + 4 * start,
            n_seq_id=ones + 4 * start,  # each row belongs to one sequence
            seq_id=pointers + 8 * start,
            logits=wanted + start,
        )


def _joined(runs: Sequence[Rows]) -> Ints | Floats:
    if runs[0].tokens is not None:
        tokens = [run.tokens for run in runs if run.tokens is not None]
        return np.ascontiguousarray(np.concatenate(tokens), np.int32)
    embeddings = [run.embeddings for run in runs if run.embeddings is not None]
    return np.ascontiguousarray(np.concatenate(embeddings), np.float32)


def check_runs(runs: Sequence[Rows], held: Sequence[int], n_ctx: int, n_embd: int) -> list[int]:
    """Refuse what llama.cpp would abort on, misread, or answer differently by build.

    Args:
        runs: what is to be evaluated together.
        held: positions in the cache, by sequence.
        n_ctx: positions that a sequence may hold.
        n_embd: D.

    Returns:
        The positions that each sequence will hold.

    Raises:
        DecodeError: a run that cannot be evaluated.
    """
    after = list(held)
    kinds = {run.tokens is None for run in runs}
    for run in runs:
        if not 0 <= run.sequence < len(after):
            raise DecodeError(f"sequence {run.sequence} is not in 0..{len(after) - 1}")
        if (run.tokens is None) == (run.embeddings is None) or len(kinds) > 1:
            raise DecodeError("all runs of a batch hold tokens, or all hold embeddings")
        shape = np.asarray(run.tokens if run.embeddings is None else run.embeddings).shape
        if shape[1:] != (() if run.embeddings is None else (n_embd,)) or not shape[0]:
            raise DecodeError(
                f"rows of shape {shape}: expected [N] tokens or [N, {n_embd}] embeddings, N > 0"
            )
        if run.position != after[run.sequence]:
            raise DecodeError(
                f"sequence {run.sequence} holds {after[run.sequence]} positions: the next row "
                f"cannot be at {run.position}"
            )
        after[run.sequence] += len(run)
        if after[run.sequence] > n_ctx:
            raise DecodeError(
                f"the KV cache is full: sequence {run.sequence} would need "
                f"{after[run.sequence]} of {n_ctx} positions"
            )
    return after
