"""Own a llama.cpp model and its context: the `LanguageModel` of `protocols`."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from ctypes import create_string_buffer, memmove
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.llama.api import Batch
from funasr_cli.llama.batch import FlatRows, check_runs
from funasr_cli.llama.loading import CPU, Placement, Settings, load_context, load_model
from funasr_cli.llama.pace import Pace
from funasr_cli.llama.process import Backend, start
from funasr_cli.protocols import Floats, Rows

_CACHE_FULL = 1  # llama_decode: no room in the KV cache
_PIECE_BYTES = 64


def open_language_model(  # noqa: PLR0913 - each is one number of the context
    path: Path,
    *,
    n_ctx: int,
    n_seq: int = 1,
    n_batch: int = 512,
    n_ubatch: int = 512,
    n_outputs: int = 64,
    shared_cache: bool = False,
    exact_cache: bool = False,
    threads: int,
    llama_bin: Path | None = None,
    placement: Placement = CPU,
) -> "LlamaModel":
    """Load a GGUF file; close the result, or use it in a `with` statement.

    Args:
        path: the GGUF file.
        n_ctx: positions that each sequence must be able to hold.
        n_seq: sequences that are evaluated side by side.
        n_batch: most rows in one call of llama.cpp; longer runs are split.
        n_ubatch: most rows that it computes at once.
        n_outputs: most rows of one call that may ask for logits; more are split. The compute
            buffer holds this many rows of V floats where the build lets us say so.
        shared_cache: keep the sequences in one pool of cells where the build lets us. Runs of
            different lengths then take one pass over the weights instead of several, and
            copies cost nothing; but every row looks at every sequence's cells, so runs of
            equal length get slower as contexts grow. For drafts, not for plain decoding.
        exact_cache: keep keys and values in float32, as the reference does, where the build
            lets us; llama.cpp's half precision moves logits by up to 0.4 % (300 rows).
        threads: most threads of the computation; see `pace`.
        llama_bin: library or its folder; None: see `library.find`.
        placement: which device holds the model; `proving` says which can be trusted.

    Raises:
        LibraryError: no usable llama.cpp.
        ModelError: the file is no GGUF that it can load, or there is too little memory.
    """
    backend = start(llama_bin)
    settings = Settings(
        n_ctx, n_seq, n_batch, n_ubatch, n_outputs, threads, shared_cache, exact_cache
    )
    with ExitStack() as stack:
        model = load_model(backend, path, placement)
        stack.callback(backend.api.llama_model_free, model)
        context = load_context(backend, path, model, settings, placement)
        stack.callback(backend.api.llama_free, context)
        return LlamaModel(backend, path, model, context, settings, stack.pop_all())


class LlamaModel:
    """A loaded model with a KV cache of several sequences; owns both until closed.

    To be used from one thread at a time, in the process that opened it. All mistakes that
    would make llama.cpp abort the process are DecodeErrors here.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - only open_language_model calls it
        self,
        backend: Backend,
        path: Path,
        model: int,
        context: int,
        settings: Settings,
        resources: ExitStack,
    ) -> None:
        api = backend.api
        self.backend = backend
        """The llama.cpp in use: path, version, layout, warning."""
        self.library = f"{backend.path} ({backend.version})"
        """The same in one line, for reports."""
        self.path = path
        self._api = api
        self._context = context
        self._memory = api.llama_get_memory(context)
        self._vocab = api.llama_model_get_vocab(model)
        self._resources = resources
        self._closed = False
        self._end = int(api.llama_vocab_eos(self._vocab))
        self._n_vocab = int(api.llama_vocab_n_tokens(self._vocab))
        width = api.llama_model_n_embd_inp or api.llama_model_n_embd
        self._n_embd = int(width(model))
        self._n_seq = int(api.llama_n_seq_max(context))
        self._n_ctx = int(api.llama_n_ctx(context)) // self._n_seq
        self._n_batch = int(api.llama_n_batch(context))
        self._n_outputs = settings.n_outputs
        self._pace = Pace(settings.threads)
        self._threads = settings.threads
        self._held = [0] * self._n_seq  # positions in the cache, by sequence

    def __enter__(self) -> "LlamaModel":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the context, then the model; a second call does nothing."""
        self._closed = True
        if os.getpid() == self.backend.pid:  # a forked child owns neither
            self._resources.close()

    @property
    def n_vocab(self) -> int:
        """V, the width of the logits."""
        return self._n_vocab

    @property
    def n_embd(self) -> int:
        """D, the width of an embedding row."""
        return self._n_embd

    @property
    def n_ctx(self) -> int:
        """Positions that one sequence may hold: what was asked for, rounded up."""
        return self._n_ctx

    @property
    def n_seq(self) -> int:
        """Sequences that fit at once: 0..n_seq-1."""
        return self._n_seq

    def tokenize(self, text: str) -> list[int]:
        """Text -> ids; special tokens are recognised, none is added."""
        self._check_usable()
        data = text.encode("utf-8", "replace")
        room = len(data) + 1  # a token has at least one byte
        ids = np.empty(room, np.int32)
        n = self._api.llama_tokenize(
            self._vocab, data, len(data), ids.ctypes.data, room, False, True  # noqa: FBT003
        )  # fmt: skip
        if n < 0:
            raise DecodeError(f"llama.cpp could not tokenise a text of {len(data)} bytes")
        return [int(token) for token in ids[:n]]

    def piece(self, token: int) -> bytes:
        """Raw bytes of one token; b"" for control tokens."""
        self._check_usable()
        self._check_token(token)
        room = _PIECE_BYTES
        while True:
            buffer = create_string_buffer(room)
            n = self._api.llama_token_to_piece(self._vocab, token, buffer, room, 0, False)  # noqa: FBT003
            if n >= 0:
                return buffer.raw[:n]
            room = -n

    def is_end(self, token: int) -> bool:
        """Whether this token ends a generation: the one end token that the GGUF names.

        llama.cpp's `is_eog` also counts tokens whose names look like an end (<|fim_pad|>,
        <|repo_name|>, ...); the reference does not stop there.
        """
        self._check_usable()
        self._check_token(token)
        return token == self._end

    def evaluate(self, rows: Sequence[Rows]) -> list[Floats]:
        """Evaluate several runs in one batch; all of one kind (tokens or embeddings).

        A failure leaves every sequence as it was.

        Returns:
            For each run its logits: [0, V], [1, V] or [N, V] as `Rows.logits` asks; copies.

        Raises:
            DecodeError: the runtime failed, the KV cache is full, or the runs make no sense.
        """
        self._check_usable()
        if not rows:
            return []
        held = check_runs(rows, self._held, self._n_ctx, self._n_embd)
        flat = FlatRows(rows)
        out = np.empty((sum(flat.counts), self._n_vocab), np.float32)
        try:
            self._decode(flat, out)
        except BaseException:  # an interrupt too: take back what was evaluated before it
            for run in rows:
                self._api.llama_memory_seq_rm(self._memory, run.sequence, run.position, -1)
            raise
        self._held = held
        ends = list(accumulate(flat.counts))
        return [out[end - n : end] for n, end in zip(flat.counts, ends, strict=True)]

    def forget(self, sequence: int, position: int = 0) -> None:
        """Drop the cache of a sequence from a position on."""
        self._check_usable()
        self._check_sequence(sequence)
        if position < 0:
            raise DecodeError(f"cannot forget from position {position}")
        if position >= self._held[sequence]:
            return
        if not self._api.llama_memory_seq_rm(self._memory, sequence, position, -1):
            raise DecodeError(f"{self.path}: this model cannot forget from the middle")
        self._held[sequence] = position

    def copy(self, source: int, target: int) -> None:
        """Make `target` (forgotten first) hold what `source` holds."""
        self._check_usable()
        self._check_sequence(source)
        if source == target:
            return
        self.forget(target)
        # whole sequences only: a partial range aborts the process
        self._api.llama_memory_seq_cp(self._memory, source, target, -1, -1)
        self._held[target] = self._held[source]

    def _decode(self, flat: FlatRows, out: Floats) -> None:
        """Evaluate the rows in pieces that the context admits; fill `out` [wanted, V]."""
        target, row_bytes = out.ctypes.data, out.strides[0]
        for batch, wanted in flat.batches(self._n_batch, self._n_outputs):
            self.backend.log.clear()
            code = self._timed_decode(batch)
            if code != 0:
                raise DecodeError(self._why(code, flat))
            for row in wanted:
                logits = self._api.llama_get_logits_ith(self._context, row)
                if not logits:
                    raise DecodeError("llama.cpp kept no logits for a row that asked for them")
                memmove(target, logits, row_bytes)
                target += row_bytes

    def _timed_decode(self, batch: Batch) -> int:
        """Call llama_decode with as many threads as are of use now."""
        threads, rows = self._pace.threads(batch.n_tokens), batch.n_tokens
        if threads != self._threads:
            self._api.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads
        begin = perf_counter()
        code = int(self._api.llama_decode(self._context, batch))
        self._pace.took(threads, rows, perf_counter() - begin)
        return code

    def _why(self, code: int, flat: FlatRows) -> str:
        """Explain a result of llama_decode other than 0."""
        if code == _CACHE_FULL:
            return "the KV cache is full"
        if flat.inputs.ndim == 1:
            bad = flat.inputs[(flat.inputs < 0) | (flat.inputs >= self._n_vocab)]
            if len(bad):
                return f"token {int(bad[0])} is not in the vocabulary of {self._n_vocab}"
        return f"llama.cpp failed with code {code}: {self.backend.log.reason()}"

    def _check_usable(self) -> None:
        if self._closed:
            raise DecodeError(f"{self.path} is closed")
        self.backend.check_process()

    def _check_sequence(self, sequence: int) -> None:
        if not 0 <= sequence < self._n_seq:
            raise DecodeError(f"sequence {sequence} is not in 0..{self._n_seq - 1}")

    def _check_token(self, token: int) -> None:
        if not 0 <= token < self._n_vocab:
            raise DecodeError(f"token {token} is not in the vocabulary of {self._n_vocab}")
