"""A context of llama.cpp: its settings, and what the sequences of its KV cache hold."""

from collections.abc import Sequence
from ctypes import create_string_buffer, memmove
from time import perf_counter

from funasr_cli.errors import DecodeError
from funasr_cli.llama.api import Api, Batch
from funasr_cli.llama.batch import FlatRows
from funasr_cli.llama.loading import Settings
from funasr_cli.llama.pace import Pace
from funasr_cli.llama.process import Backend
from funasr_cli.protocols import Floats, Rows

_CACHE_FULL = 1  # llama_decode: no room in the KV cache


def can_move(api: Api) -> bool:
    """Whether this build can move what a context holds into another one."""
    needed = api.llama_state_seq_get_size, api.llama_state_seq_get_data
    return None not in (*needed, api.llama_state_seq_set_data)


class Context:
    """Owns a llama_context * until closed.

    Args:
        backend: the library.
        pointer: the context.
        settings: it was made with.
        pace: chooses the threads of a call.
    """

    def __init__(self, backend: Backend, pointer: int, settings: Settings, pace: Pace) -> None:
        api = self._api = backend.api
        self._log, self._pace = backend.log, pace
        self.pointer = pointer
        """llama_context *."""
        self._memory = api.llama_get_memory(pointer)
        self.n_seq = int(api.llama_n_seq_max(pointer))
        """Sequences that fit at once: 0..n_seq-1."""
        self.n_ctx = int(api.llama_n_ctx(pointer)) // self.n_seq
        """Positions that one sequence may hold: what was asked for, rounded up."""
        self.n_batch = int(api.llama_n_batch(pointer))
        """Most rows of one call."""
        self._n_outputs = settings.n_outputs
        self._threads = settings.threads
        self.held = [0] * self.n_seq
        """Positions in the cache, by sequence."""
        self.copied = False
        """Whether a copy was asked for since the last evaluation: llama.cpp puts it off till then,
        and until then the copy cannot be moved."""

    def close(self) -> None:
        """Free it; nothing may use it afterwards."""
        self._api.llama_free(self.pointer)

    def decode(self, flat: FlatRows, out: Floats) -> None:
        """Evaluate the rows in pieces that the context admits; fill `out` [wanted, V].

        Raises:
            DecodeError: llama.cpp failed; some of the rows may be in the cache.
        """
        target, row_bytes = out.ctypes.data, out.strides[0]
        for batch, wanted in flat.batches(self.n_batch, self._n_outputs):
            self._log.clear()
            code = self._timed_decode(batch)
            if code != 0:
                raise DecodeError(self._why(code, flat, out.shape[1]))
            for row in wanted:
                logits = self._api.llama_get_logits_ith(self.pointer, row)
                if not logits:
                    raise DecodeError("llama.cpp kept no logits for a row that asked for them")
                memmove(target, logits, row_bytes)
                target += row_bytes

    def _timed_decode(self, batch: Batch) -> int:
        """Call llama_decode with as many threads as are of use now."""
        threads, rows = self._pace.threads(batch.n_tokens), batch.n_tokens
        if threads != self._threads:
            self._api.llama_set_n_threads(self.pointer, threads, threads)
            self._threads = threads
        begin = perf_counter()
        code = int(self._api.llama_decode(self.pointer, batch))
        self._pace.took(threads, rows, perf_counter() - begin)
        return code

    def _why(self, code: int, flat: FlatRows, n_vocab: int) -> str:
        """Explain a result of llama_decode other than 0."""
        if code == _CACHE_FULL:
            return "the KV cache is full"
        if flat.inputs.ndim == 1:
            bad = flat.inputs[(flat.inputs < 0) | (flat.inputs >= n_vocab)]
            if len(bad):
                return f"token {int(bad[0])} is not in the vocabulary of {n_vocab}"
        return f"llama.cpp failed with code {code}: {self._log.reason()}"

    def evaluated(self, held: list[int]) -> None:
        """Note what the sequences hold after an evaluation."""
        self.held, self.copied = held, False

    def take_back(self, runs: Sequence[Rows]) -> None:
        """Drop what an evaluation that failed may have left of these runs."""
        for run in runs:
            self._api.llama_memory_seq_rm(self._memory, run.sequence, run.position, -1)

    def forget(self, sequence: int, position: int) -> None:
        """Drop a sequence from a position on.

        Raises:
            DecodeError: this model's cache cannot.
        """
        if position >= self.held[sequence]:
            return
        if not self._api.llama_memory_seq_rm(self._memory, sequence, position, -1):
            raise DecodeError("this model cannot forget from the middle")
        self.held[sequence] = position

    def copy(self, source: int, target: int) -> None:
        """Make `target`, which is empty, hold what `source` holds."""
        # whole sequences only: a partial range aborts the process
        self._api.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        self.held[target] = self.held[source]
        self.copied = True

    def move_into(self, larger: "Context") -> None:
        """Copy what all sequences hold into another context, bit by bit.

        Raises:
            DecodeError: llama.cpp cannot; `larger` is of no use then.
        """
        for sequence, held in enumerate(self.held):
            if held:
                self._move(sequence, larger)
        larger.held = list(self.held)

    def _move(self, sequence: int, larger: "Context") -> None:
        api = self._api
        size = int(api.llama_state_seq_get_size(self.pointer, sequence))
        buffer = create_string_buffer(max(size, 1))
        written = int(api.llama_state_seq_get_data(self.pointer, buffer, size, sequence))
        if not written or not api.llama_state_seq_set_data(
            larger.pointer, buffer, written, sequence
        ):
            raise DecodeError(f"llama.cpp cannot move sequence {sequence} to a larger KV cache")
