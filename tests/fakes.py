"""Stand-ins behind the protocols: small enough to see that they are right."""

from collections.abc import Sequence

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
        self.broken_at = broken_at
        self.cache: list[int] = []
        self.prompt_end: int | None = None
        self.batches: list[tuple[int, int]] = []
        """(position, rows) of every call."""

    def tokenize(self, text: str) -> list[int]:
        return [ord(c) for c in text]

    def piece(self, token: int) -> bytes:
        return chr(token).encode()

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
