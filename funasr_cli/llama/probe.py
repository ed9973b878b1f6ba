"""A tiny model with known answers: what any sound build of llama.cpp makes of it.

`probe.gguf` is a random Qwen3 of one layer, its matrices in Q8_0 as in exported decoders;
`probe.npy` [3, V] holds the logits that the equations give (tests/make_probe.py).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from funasr_cli.llama.runtime import LlamaModel
from funasr_cli.protocols import Floats, Ints, Rows

MODEL = Path(__file__).with_name("probe.gguf")
ANSWERS = Path(__file__).with_name("probe.npy")
TOKENS = (72, 101, 257, 8, 260)
"""Arbitrary, and in the vocabulary of every model."""
AUDIO_SCALE = 28.0
"""Deviation of an official checkpoint's audio rows."""
AUDIO_PEAK = 1200.0
"""Their largest values: what overflows in half precision first."""
TOLERANCE = 0.06
"""Most that a logit of the tiny model may be off, as a share of the largest: activations in
8 bits and a cache in half precision cost 1.6 % (docs/LLAMA_BUILDS.md), a wrong layout all."""


@dataclass(frozen=True)
class Questions:
    """Inputs in the shape of a segment: a prompt, audio rows, then tokens one at a time."""

    prefix: Ints
    """[N] token ids."""
    audio: Floats
    """[A, D]."""
    steps: Ints
    """[M] token ids."""


def questions(width: int, *, rows: int, prefix: list[int] | None = None) -> Questions:
    """Make the fixed questions for a model whose embedding rows are `width` wide."""
    random = np.random.default_rng(0)
    audio = (random.standard_normal((rows, width)) * AUDIO_SCALE).astype(np.float32)
    for row in audio:  # single columns stand out, as in the real adaptor's output
        row[random.integers(0, width, 2)] = AUDIO_PEAK * np.array([1, -1], np.float32)
    tokens = np.array(TOKENS, np.int32)
    return Questions(tokens if prefix is None else np.array(prefix, np.int32), audio, tokens)


def answers(
    model: LlamaModel, asked: Questions, *, sequence: int = 0, at_once: bool = False
) -> Floats:
    """Evaluate them: logits [1 + M, V] behind the audio rows and behind each token.

    Args:
        model: the model.
        asked: the questions.
        sequence: where its cache is to hold them.
        at_once: the tokens in one call instead of one by one.
    """
    model.forget(sequence)
    model.evaluate([Rows(sequence, 0, tokens=asked.prefix, logits="none")])
    at = len(asked.prefix)
    found = [*model.evaluate([Rows(sequence, at, embeddings=asked.audio)])]
    at += len(asked.audio)
    if at_once:
        rows = Rows(sequence, at, tokens=asked.steps, logits="all")
        return np.concatenate([*found, *model.evaluate([rows])])
    for step, token in enumerate(asked.steps):
        row = Rows(sequence, at + step, tokens=np.array([token], np.int32))
        found += model.evaluate([row])
    return np.concatenate(found)
