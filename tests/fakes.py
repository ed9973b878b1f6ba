"""Stand-ins behind the protocols: small enough to see that they are right."""

from collections.abc import Callable, Sequence
from zlib import crc32

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.protocols import Floats, Rows

END = 0


class FakeLanguageModel:
    """Answers a fixed script; keeps a cache of positions as strictly as llama.cpp.

    The token after position p of the answer is `script[p]`; a token id t is the character
    chr(t). `broken_at` gives NaN logits for that token of the answer. `plain` is the script for
    prompts without hotwords and context.
    """

    def __init__(
        self,
        script: Sequence[int],
        *,
        n_ctx: int = 256,
        broken_at: int | None = None,
        plain: Sequence[int] | None = None,
    ) -> None:
        self.script = self._hinted = [*script, END]
        self._plain = self.script if plain is None else [*plain, END]
        self.n_vocab, self.n_embd, self.n_ctx, self.n_seq = 0x110000, 4, n_ctx, 1
        self.max_ctx = n_ctx
        self.end = END
        self.broken_at = broken_at
        self.cache: list[int] = []
        self.prompt_end: int | None = None
        self.batches: list[tuple[int, int]] = []
        """(position, rows) of every call."""

    def tokenize(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def piece(self, token: int) -> bytes:
        return chr(token).encode()

    def need(self, n_ctx: int, n_seq: int, max_ctx: int = 0) -> None:
        """Have room enough."""

    def grow(self, n_ctx: int) -> None:
        raise NotImplementedError

    def is_end(self, token: int) -> bool:
        return token == END

    def evaluate(self, rows: Sequence[Rows]) -> list[Floats]:
        (run,) = rows
        if run.position != len(self.cache) or len(self.cache) + len(run) > self.n_ctx:
            raise DecodeError("positions do not follow each other, or the cache is full")
        if run.position == 0 and run.tokens is not None:
            hinted = any(mark in "".join(map(chr, run.tokens)) for mark in ("热词", "上下文"))
            self.script = self._hinted if hinted else self._plain
        self.cache += [1] * len(run)
        self.batches.append((run.position, len(run)))
        if run.logits == "none":
            return [np.zeros((0, 1), np.float32)]
        if len(run) > 1:  # the prompt's last part: the answer starts here
            self.prompt_end = len(self.cache)
        assert self.prompt_end is not None or run.position == 0
        at = len(self.cache) - (self.prompt_end or len(self.cache))
        best = self.script[min(at, len(self.script) - 1)]
        logits = np.zeros((1, best + 1), np.float32)
        logits[0, best] = np.nan if at == self.broken_at else 1.0
        return [logits]

    def forget(self, sequence: int, position: int = 0) -> None:
        assert sequence == 0
        del self.cache[position:]

    def copy(self, source: int, target: int) -> None:
        raise NotImplementedError


class FakeBatchModel:
    """A random language model of several sequences, as strict as llama.cpp about positions.

    The best next token depends on everything that a sequence holds, so that a row at a wrong
    place, of a wrong sequence, or left over from a rejected draft changes all that follows.

    Args:
        seed: which random model.
        n_vocab: tokens; 0 is the end.
        n_ctx: positions of a sequence at first; max_ctx: to which it may grow.
        ends: one of so many texts ends at each token.
        fail: called with every batch; may raise DecodeError.
        broken: gives NaN for states whose hash it divides.
    """

    def __init__(  # noqa: PLR0913 - what can be random or broken
        self,
        *,
        seed: int = 0,
        n_seq: int = 1,
        n_vocab: int = 50,
        n_ctx: int = 64,
        max_ctx: int = 0,
        ends: int = 12,
        fail: Callable[[Sequence[Rows]], None] = lambda _: None,
        broken: int = 0,
    ) -> None:
        self.seed, self.n_seq, self.n_vocab, self.n_ctx = seed, n_seq, n_vocab, n_ctx
        self.max_ctx = max(max_ctx, n_ctx)
        self.n_embd, self.end = 2, END
        self.ends, self.fail, self.broken = ends, fail, broken
        self.states: list[list[int]] = [[] for _ in range(n_seq)]
        """Per sequence, the hash of its content up to each position."""
        self.calls: list[list[tuple[int, int]]] = []
        """(sequence, rows) of every successful call."""

    def tokenize(self, text: str) -> list[int]:
        return [1 + ord(c) % (self.n_vocab - 1) for c in text]

    def piece(self, token: int) -> bytes:
        return chr(97 + token).encode()

    def need(self, n_ctx: int, n_seq: int, max_ctx: int = 0) -> None:
        """Have room enough."""

    def grow(self, n_ctx: int) -> None:
        assert self.n_ctx < n_ctx <= self.max_ctx
        self.n_ctx = n_ctx

    def is_end(self, token: int) -> bool:
        return token == END

    def evaluate(self, rows: Sequence[Rows]) -> list[Floats]:
        assert len({run.sequence for run in rows}) == len(rows)
        assert len({run.tokens is None for run in rows}) == 1
        self.fail(rows)
        for run in rows:
            state = self.states[run.sequence]
            assert run.position == len(state)
            if len(state) + len(run) > self.n_ctx:
                raise DecodeError("the KV cache is full")
        found = []
        for run in rows:
            state = self.states[run.sequence]
            content = run.tokens if run.embeddings is None else run.embeddings
            assert content is not None
            for item in content:
                before = state[-1] if state else self.seed
                state.append(crc32(item.tobytes(), before))
            wanted = {"none": 0, "last": 1, "all": len(run)}[run.logits]
            logits = np.zeros((wanted, self.n_vocab), np.float32)
            for row, held in zip(logits, state[len(state) - wanted :], strict=True):
                row[self._best(held)] = np.nan if self.broken and held % self.broken == 0 else 1.0
            found.append(logits)
        self.calls.append([(run.sequence, len(run)) for run in rows])
        return found

    def _best(self, held: int) -> int:
        return END if held // 7 % self.ends == 0 else 1 + held // 100 % (self.n_vocab - 1)

    def forget(self, sequence: int, position: int = 0) -> None:
        assert position >= 0
        del self.states[sequence][position:]

    def copy(self, source: int, target: int) -> None:
        assert source != target
        self.states[target] = list(self.states[source])
