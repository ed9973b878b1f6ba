"""The seams: what a stage needs from a runtime, and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int32]


VAD_WINDOW = 512
"""Samples that a detector of speech judges at once: 32 ms."""


class SpeechDetector(Protocol):
    """What the pipeline needs of a voice activity detector: it hears one stream, in order."""

    def begin(self) -> None:
        """Forget the stream before."""

    def probabilities(self, samples: Floats) -> Floats:
        """Tell for each window of [N * VAD_WINDOW] how likely it is speech: [N], 0 to 1."""


@dataclass(frozen=True)
class Encoded:
    """One waveform after encoder and adaptor."""

    encoder_out: Floats
    """[L, H], one row per 60 ms."""
    audio_embeds: Floats
    """[A, D], the rows that stand for the sound in the prompt."""


class Encoder(Protocol):
    """What the pipeline needs of an encoder, whoever exported it."""

    def encode(self, waveforms: Sequence[Floats]) -> list[Encoded]:
        """Encode waveforms, each [S] in [-1, 1] at 16 kHz."""


@dataclass(frozen=True)
class CtcFrames:
    """The greedy path of one waveform, frame by frame."""

    token_ids: Ints
    """[L] best token of each frame, blanks included."""
    log_probs: Floats
    """[L] its log posterior."""
    top_ids: Ints | None = None
    """[L, K] most likely tokens of each frame, if the head tells."""
    top_log_probs: Floats | None = None
    """[L, K] their log posteriors."""


class CtcHead(Protocol):
    """What the pipeline needs of a CTC head, whoever exported it."""

    def run(self, encoder_out: Floats) -> CtcFrames:
        """Score the states [L, H] of one waveform."""


@dataclass(frozen=True)
class Rows:
    """Consecutive positions of one sequence, to be evaluated in one batch.

    Exactly one of `tokens` [N] int32 and `embeddings` [N, D] float32 is set.
    """

    sequence: int
    position: int
    """Of the first row; the others follow."""
    tokens: Ints | None = None
    embeddings: Floats | None = None
    logits: Literal["none", "last", "all"] = "last"

    def __len__(self) -> int:
        rows = self.tokens if self.tokens is not None else self.embeddings
        return 0 if rows is None else len(rows)


class LanguageModel(Protocol):
    """A causal language model with a KV cache of several sequences."""

    @property
    def n_vocab(self) -> int:
        """V, the width of the logits."""

    @property
    def n_embd(self) -> int:
        """D, the width of an embedding row."""

    @property
    def n_ctx(self) -> int:
        """Positions that one sequence may hold."""

    @property
    def max_ctx(self) -> int:
        """Positions to which `grow` may make room."""

    @property
    def n_seq(self) -> int:
        """Sequences that fit at once: 0..n_seq-1."""

    def tokenize(self, text: str) -> list[int]:
        """Text -> ids; special tokens are recognised, none is added."""

    def piece(self, token: int) -> bytes:
        """Raw bytes of one token; b"" for control tokens."""

    @property
    def end(self) -> int:
        """The token that ends a generation."""

    def need(self, n_ctx: int, n_seq: int, max_ctx: int = 0) -> None:
        """Make room for `n_seq` sequences of `n_ctx` positions, or as many as memory allows.

        `max_ctx` is what one of them may come to need.
        """

    def grow(self, n_ctx: int) -> None:
        """Make room for `n_ctx` positions a sequence; what the sequences hold stays.

        Raises:
            DecodeError: there is no memory for it; everything is as it was.
        """

    def is_end(self, token: int) -> bool:
        """Whether this token ends a generation."""

    def evaluate(self, rows: Sequence[Rows]) -> list[Floats]:
        """Evaluate several runs in one batch; all of one kind (tokens or embeddings).

        Returns:
            For each run its logits: [0, V], [1, V] or [N, V] as `Rows.logits` asks; copies.

        Raises:
            DecodeError: the runtime failed, or the KV cache is full.
        """

    def forget(self, sequence: int, position: int = 0) -> None:
        """Drop the cache of a sequence from a position on."""

    def copy(self, source: int, target: int) -> None:
        """Make `target` (forgotten first) hold what `source` holds."""
