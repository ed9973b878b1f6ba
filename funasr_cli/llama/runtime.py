"""Own a llama.cpp model and its context: the `LanguageModel` of `protocols`."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from ctypes import memmove
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from time import perf_counter
from types import TracebackType

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.llama.api import Batch
from funasr_cli.llama.batch import FlatRows, check_runs
from funasr_cli.llama.loading import (
    CPU,
    Placement,
    Settings,
    cache_bytes_per_cell,
    load_context,
    load_model,
)
from funasr_cli.llama.pace import Pace
from funasr_cli.llama.process import Backend, start
from funasr_cli.llama.vocabulary import Vocabulary
from funasr_cli.protocols import Floats, Rows

_CACHE_FULL = 1  # llama_decode: no room in the KV cache


def open_language_model(  # noqa: PLR0913, D417 - each is one number of the context
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
    max_cache_bytes: int | None = None,
) -> "LlamaModel":
    """Load a GGUF file; close the result, or use it in a `with` statement.

    Args:
        path: the GGUF file.
        n_ctx: this and the other numbers: see `loading.Settings`.
        llama_bin: library or its folder; None: see `library.find`.
        placement: which device holds the model; `proving` says which can be trusted.

    Raises:
        LibraryError: no usable llama.cpp.
        ModelError: the file is no GGUF that it can load, or there is too little memory.
    """
    backend = start(llama_bin)
    settings = Settings(
        n_ctx,
        n_seq,
        n_batch,
        n_ubatch,
        n_outputs,
        threads,
        shared_cache,
        exact_cache,
        max_cache_bytes,
    )
    with ExitStack() as stack:
        model = load_model(backend, path, placement)
        stack.callback(backend.api.llama_model_free, model)
        return LlamaModel(backend, path, model, settings, placement, stack.pop_all())


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
        settings: Settings,
        placement: Placement,
        resources: ExitStack,
    ) -> None:
        api = backend.api
        self.backend = backend
        """The llama.cpp in use: path, version, layout, warning."""
        self.library = f"{backend.path} ({backend.version})"
        """The same in one line, for reports."""
        self.path = path
        self._api = api
        self._model = model
        self._placement = placement
        self._settings = settings
        self._resources = resources
        self._of_context = ExitStack()
        self._closed = False
        self._vocabulary = Vocabulary(api, api.llama_model_get_vocab(model))
        self.n_vocab = self._vocabulary.size
        """V, the width of the logits."""
        self.end = self._vocabulary.end
        """The token that ends a generation."""
        width = api.llama_model_n_embd_inp or api.llama_model_n_embd
        self.n_embd = int(width(model))
        """D, the width of an embedding row."""
        self._bytes_per_cell = cache_bytes_per_cell(backend, model, exact=settings.exact_cache)
        self._pace = Pace(settings.threads)
        try:
            self._make_context(settings.fitted(self._bytes_per_cell))
        except BaseException:
            self.close()
            raise

    def _make_context(self, settings: Settings) -> None:
        api = self._api
        # should the new one fail, nothing may use the old one's memory, and the next need() tries
        self.n_ctx = self.n_seq = 0
        self._held = []
        self._of_context.close()
        context = load_context(self.backend, self.path, self._model, settings, self._placement)
        self._of_context.callback(api.llama_free, context)
        self._context = context
        self._memory = api.llama_get_memory(context)
        self.n_seq = int(api.llama_n_seq_max(context))
        """Sequences that fit at once: 0..n_seq-1."""
        self.n_ctx = int(api.llama_n_ctx(context)) // self.n_seq
        """Positions that one sequence may hold: what was asked for, rounded up."""
        self._n_batch = int(api.llama_n_batch(context))
        self._n_outputs = settings.n_outputs
        self._threads = settings.threads
        self._held = [0] * self.n_seq  # positions in the cache, by sequence

    def need(self, n_ctx: int, n_seq: int) -> None:
        """Make room for `n_seq` sequences of so many positions, or as many as memory allows.

        What the cache held is lost where room has to be made.

        Raises:
            ModelError: there is too little memory for one.
        """
        self._check_usable()
        wanted = replace(self._settings, n_ctx=max(n_ctx, self.n_ctx, 1), n_seq=n_seq)
        fitted = wanted.fitted(self._bytes_per_cell)
        if n_ctx > self.n_ctx or fitted.n_seq > self.n_seq:
            self._make_context(fitted)

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
            self._of_context.close()
            self._resources.close()

    def tokenize(self, text: str) -> list[int]:
        """Text -> ids; special tokens are recognised, none is added."""
        self._check_usable()
        return self._vocabulary.tokenize(text)

    def piece(self, token: int) -> bytes:
        """Raw bytes of one token; b"" for control tokens."""
        self._check_usable()
        return self._vocabulary.piece(token)

    def is_end(self, token: int) -> bool:
        """Whether this token ends a generation: the one end token that the GGUF names.

        llama.cpp's `is_eog` also counts tokens whose names look like an end (<|fim_pad|>,
        <|repo_name|>, ...); the reference does not stop there.
        """
        self._check_usable()
        self._vocabulary.check(token)
        return token == self._vocabulary.end

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
        held = check_runs(rows, self._held, self.n_ctx, self.n_embd)
        flat = FlatRows(rows)
        out = np.empty((sum(flat.counts), self.n_vocab), np.float32)
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
            bad = flat.inputs[(flat.inputs < 0) | (flat.inputs >= self.n_vocab)]
            if len(bad):
                return f"token {int(bad[0])} is not in the vocabulary of {self.n_vocab}"
        return f"llama.cpp failed with code {code}: {self.backend.log.reason()}"

    def _check_usable(self) -> None:
        if self._closed:
            raise DecodeError(f"{self.path} is closed")
        self.backend.check_process()

    def _check_sequence(self, sequence: int) -> None:
        if not 0 <= sequence < self.n_seq:
            raise DecodeError(f"sequence {sequence} is not in 0..{self.n_seq - 1}")
