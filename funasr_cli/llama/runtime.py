"""Own a llama.cpp model and its context: the `LanguageModel` of `protocols`."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType

import numpy as np

from funasr_cli.errors import DecodeError, ModelError
from funasr_cli.llama.batch import FlatRows, check_runs
from funasr_cli.llama.context import Context, can_move
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


def open_language_model(  # noqa: PLR0913, D417 - each is one number of the context
    path: Path,
    *,
    n_ctx: int,
    n_seq: int = 1,
    n_batch: int = 512,
    n_ubatch: int = 512,
    n_outputs: int = 64,
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
        self._context: Context | None = None
        self._closed = False
        self._vocabulary = Vocabulary(api, api.llama_model_get_vocab(model))
        self.n_vocab = self._vocabulary.size
        """V, the width of the logits."""
        self.end = self._vocabulary.end
        """The token that ends a generation."""
        width = api.llama_model_n_embd_inp or api.llama_model_n_embd
        self.n_embd = int(width(model))
        """D, the width of an embedding row."""
        self.max_ctx = 0
        """Positions to which `grow` may make room."""
        self._bytes_per_cell = cache_bytes_per_cell(backend, model, exact=settings.exact_cache)
        self._pace = Pace(settings.threads)
        try:
            self._make_context(settings.fitted(self._bytes_per_cell))
        except BaseException:
            self.close()
            raise

    @property
    def n_seq(self) -> int:
        """Sequences that fit at once: 0..n_seq-1."""
        return self._context.n_seq if self._context else 0

    @property
    def n_ctx(self) -> int:
        """Positions that one sequence may hold: what was asked for, rounded up."""
        return self._context.n_ctx if self._context else 0

    def _make_context(self, settings: Settings) -> None:
        # should the new one fail, nothing may use the old one's memory, and the next need() tries
        self._free_context()
        self._context = self._new_context(settings)
        self.max_ctx = self.n_ctx

    def _new_context(self, settings: Settings) -> Context:
        pointer = load_context(self.backend, self.path, self._model, settings, self._placement)
        return Context(self.backend, pointer, settings, self._pace)

    def _free_context(self) -> None:
        context, self._context = self._context, None
        if context:
            context.close()

    def need(self, n_ctx: int, n_seq: int, max_ctx: int = 0) -> None:
        """Make room for `n_seq` sequences of so many positions, or as many as memory allows.

        What the cache held is lost where room has to be made.

        Args:
            n_ctx: positions that a sequence usually needs.
            n_seq: sequences.
            max_ctx: positions that it may need: there are no more sequences than could grow to
                this (see `grow`) within the memory allowed.

        Raises:
            ModelError: there is too little memory for one.
        """
        self._check_usable()
        most = max(n_ctx, max_ctx, self.n_ctx, 1)
        first = max(n_ctx if can_move(self._api) else most, self.n_ctx, 1)
        full = replace(self._settings, n_ctx=most, n_seq=n_seq).fitted(self._bytes_per_cell)
        held = replace(full, n_seq=max(self.n_seq, 1)).fitted(self._bytes_per_cell)
        if first > self.n_ctx or full.n_seq > self.n_seq or held.n_seq < self.n_seq:
            self._make_context(replace(full, n_ctx=first))
        self.max_ctx = max(most, self.n_ctx)

    def grow(self, n_ctx: int) -> None:
        """Make room for `n_ctx` positions a sequence; what the sequences hold stays.

        Raises:
            DecodeError: there is no memory for it; everything is as it was.
        """
        self._check_usable()
        if n_ctx <= self.n_ctx:
            return
        held = self._usable_context()
        self._finish_copies(held)
        try:
            larger = self._new_context(replace(self._settings, n_ctx=n_ctx, n_seq=held.n_seq))
        except ModelError as error:
            raise DecodeError(f"the KV cache is full: {error}") from error
        try:
            held.move_into(larger)
        except DecodeError:
            larger.close()
            raise
        self._free_context()
        self._context = larger

    def _finish_copies(self, context: Context) -> None:
        """Evaluate a row, and forget it, where copies wait for the next one."""
        if context.copied:
            position = min(context.held)
            sequence = context.held.index(position)
            row = Rows(sequence, position, np.array([self.end], np.int32), logits="none")
            self.evaluate([row])
            context.forget(sequence, position)

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
            self._free_context()
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
        context = self._usable_context()
        if not rows:
            return []
        held = check_runs(rows, context.held, context.n_ctx, self.n_embd)
        flat = FlatRows(rows)
        out = np.empty((sum(flat.counts), self.n_vocab), np.float32)
        try:
            context.decode(flat, out)
        except BaseException:  # an interrupt too: take back what was evaluated before it
            context.take_back(rows)
            raise
        context.evaluated(held)
        ends = list(accumulate(flat.counts))
        return [out[end - n : end] for n, end in zip(flat.counts, ends, strict=True)]

    def forget(self, sequence: int, position: int = 0) -> None:
        """Drop the cache of a sequence from a position on."""
        context = self._usable_context(sequence)
        if position < 0:
            raise DecodeError(f"cannot forget from position {position}")
        context.forget(sequence, position)

    def copy(self, source: int, target: int) -> None:
        """Make `target` (forgotten first) hold what `source` holds."""
        context = self._usable_context(source, target)
        if source != target:
            context.forget(target, 0)
            context.copy(source, target)

    def _check_usable(self) -> None:
        if self._closed:
            raise DecodeError(f"{self.path} is closed")
        self.backend.check_process()

    def _usable_context(self, *sequences: int) -> Context:
        """The context, in which these sequences can be used.

        Raises:
            DecodeError: they cannot, or there is none: the last one found no room.
        """
        self._check_usable()
        for sequence in sequences or (0,):
            if self._context is None or not 0 <= sequence < self.n_seq:
                raise DecodeError(f"sequence {sequence} is not in 0..{self.n_seq - 1}")
        assert self._context is not None  # noqa: S101 - there is one sequence at least
        return self._context
