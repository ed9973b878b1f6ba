"""Prompt and audio rows -> text tokens: greedy, over any `LanguageModel`.

Greedy is the reference's way (no sampling, no repetition penalty), so the same input gives
the same output.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from funasr_cli.errors import DecodeError
from funasr_cli.protocols import Floats, LanguageModel, Rows

Stop = Literal["end", "budget", "loop", "nan"]
SEQUENCE = 0


@dataclass(frozen=True)
class Prefilled:
    """A prompt in the KV cache, ready to be continued."""

    logits: Floats
    """[V] for the first text token."""
    position: int
    """Of the first text token."""
    calls: int
    rows: int


@dataclass(frozen=True)
class Generation:
    """What the model wrote; the end token is not part of it."""

    token_ids: tuple[int, ...]
    stop: Stop
    calls: int
    rows: int


class GreedyDecoder:
    """Decodes one segment at a time; keeps the shared prompt prefix in the cache."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._prefix: tuple[int, ...] = ()

    def prefill(self, prefix: Sequence[int], audio: Floats, suffix: Sequence[int]) -> Prefilled:
        """Evaluate prefix tokens, audio rows [A, D] and suffix tokens.

        The prefix is evaluated only when it differs from the last one; it always goes in as
        a batch of its own, so what follows does not depend on what came before.

        Raises:
            DecodeError: the three together do not fit into the context.
        """
        needed = len(prefix) + len(audio) + len(suffix)
        if needed >= self._model.n_ctx:
            raise DecodeError(
                f"the prompt needs {needed} positions, the context has {self._model.n_ctx}; "
                "use fewer hotwords or a shorter --context"
            )
        calls = rows = 0
        if tuple(prefix) != self._prefix:
            self.reset()
            self._evaluate(prefix, 0)
            self._prefix = tuple(prefix)
            calls, rows = 1, len(prefix)
        at = len(prefix)
        self._model.forget(SEQUENCE, at)
        if len(audio):
            self._model.evaluate([Rows(SEQUENCE, at, embeddings=audio, logits="none")])
        logits = self._evaluate(suffix, at + len(audio))
        return Prefilled(logits, needed, calls + 2, rows + len(audio) + len(suffix))

    def generate(
        self, prompt: Prefilled, *, budget: int, stop_at: Callable[[Sequence[int]], Stop | None]
    ) -> Generation:
        """Take the best token until the model ends, `budget` is used up, or a guard says so.

        Args:
            prompt: what `prefill` returned; its cache must be untouched since.
            budget: most tokens to write; the context limits it too.
            stop_at: sees the tokens so far after each one; a reason ends the generation.
        """
        ids: list[int] = []
        logits, calls = prompt.logits, 0
        limit = min(budget, self._model.n_ctx - prompt.position)
        stop: Stop | None = None
        while stop is None:
            best = int(np.argmax(logits))
            if not np.isfinite(logits[best]):
                stop = "nan"
            elif self._model.is_end(best):
                stop = "end"
            elif len(ids) >= limit:
                stop = "budget"
            else:
                ids.append(best)
                stop = stop_at(ids)
                # the last allowed token is evaluated too: only its successor tells
                # whether the text was complete or cut
                if stop is None:
                    logits = self._evaluate([best], prompt.position + len(ids) - 1)
                    calls += 1
        return Generation(tuple(ids), stop, calls, calls)

    def reset(self) -> None:
        """Forget everything, the shared prefix too."""
        self._model.forget(SEQUENCE)
        self._prefix = ()

    def _evaluate(self, tokens: Sequence[int], position: int) -> Floats:
        rows = Rows(SEQUENCE, position, tokens=np.asarray(tokens, np.int32))
        logits: Floats = self._model.evaluate([rows])[0][0]
        return logits
