"""Encoder states -> greedy CTC tokens with times and confidence."""

import base64
import binascii
import re
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from typing import Final

import numpy as np

from funasr_cli.errors import ModelError
from funasr_cli.manifest import HOW_TO_EXPORT, unreadable
from funasr_cli.onnx import Session
from funasr_cli.protocols import CtcFrames, Floats
from funasr_cli.results import CtcToken
from funasr_cli.units import FRAME_S

OUTPUTS = ("token_ids", "topk_ids", "topk_log_probs")
LEAST_POSTERIOR: Final = 0.02
"""Of a token that may have been said instead: less is noise."""
_TIMESTAMP = re.compile(rb"<\|\d+\.\d\d\|>")
_TAG = re.compile(r"<\|[^|<>]*\|>")


class OnnxCtc:
    """The CTC head as `funasr export` writes it: argmax inside, no logits come out."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = Session(path, threads=threads)
        inputs, outputs = set(self._session.inputs), set(self._session.outputs)
        if inputs != {"encoder_out", "encoder_lengths"} or not set(OUTPUTS) <= outputs:
            raise ModelError(
                f"{path}: not a CTC head of this tool (inputs {', '.join(sorted(inputs))}); "
                f"{HOW_TO_EXPORT}"
            )
        self.encoder_dim = self._session.width("encoder_out")
        self.vocab: int | None = None
        """Unknown: the scores stay inside."""

    def run(self, encoder_out: Floats) -> CtcFrames:
        """Score one waveform [L, H].

        Raises:
            ModelError: the file is damaged.
        """
        ids, top_ids, top_log_probs = self._session.run(
            OUTPUTS,
            {
                "encoder_out": encoder_out[None],
                "encoder_lengths": np.array([len(encoder_out)], np.int64),
            },
        )
        best = top_log_probs[0, :, 0]
        self._session.require_finite(best)
        return CtcFrames(ids[0], best, top_ids[0], top_log_probs[0])


def read_tokens(path: Path) -> tuple[bytes, ...]:
    """Read tokens.txt (`base64 id` per line, `<blk>` last) into a table id -> bytes.

    Raises:
        ModelError: missing, or a line is not of that form.
    """
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: is not text ({error}); {HOW_TO_EXPORT}") from error
    pieces: list[bytes] = []
    for number, line in enumerate(lines, 1):
        token, _, index = line.rpartition(" ")
        if not index.isdigit() or int(index) != len(pieces):
            raise ModelError(
                f"{path}:{number}: expected `base64 {len(pieces)}`, got {line[:40]!r}; "
                f"{HOW_TO_EXPORT}"
            )
        try:
            blank = token == "<blk>"  # noqa: S105 - a CTC token
            pieces.append(b"" if blank else base64.b64decode(token, validate=True))
        except binascii.Error as error:
            raise ModelError(
                f"{path}:{number}: not base64: {token[:40]!r}; {HOW_TO_EXPORT}"
            ) from error
    if not pieces:
        raise ModelError(f"{path}: is empty; {HOW_TO_EXPORT}")
    return tuple(pieces)


def greedy_tokens(
    frames: CtcFrames, table: Sequence[bytes], *, start: float, end: float, offset: float
) -> tuple[CtcToken, ...]:
    """Collapse repeats and drop blanks.

    Args:
        frames: the greedy path, 60 ms a frame.
        table: id -> bytes; the last id is the blank.
        start: seconds in the file where the waveform begins.
        end: where it ends: no time leaves [start, end].
        offset: seconds added to every time (`ModelFacts.time_offset_s`).

    Raises:
        ModelError: the CTC head knows tokens that the table lacks.
    """
    ids, blank = frames.token_ids, len(table) - 1
    if not ids.size:
        return ()
    if not 0 <= ids.min() <= ids.max() < len(table):
        raise ModelError(
            f"the CTC head gives token {ids.max()}, tokens.txt ends at {blank}: they come from "
            f"different models; {HOW_TO_EXPORT}"
        )
    edges = np.flatnonzero(np.diff(ids)) + 1
    firsts = np.concatenate([[0], edges])
    lasts = np.concatenate([edges, [ids.size]])
    tokens = []
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        token = int(ids[first])
        if token == blank:
            continue
        tokens.append(
            CtcToken(
                id=token,
                piece=table[token],
                start=_clamp(start + first * FRAME_S + offset, start, end),
                end=_clamp(start + last * FRAME_S + offset, start, end),
                confidence=float(np.exp(frames.log_probs[first:last].max())),
                alternatives=_alternatives(frames, table, first, last),
            )
        )
    return tuple(tokens)


def _alternatives(
    frames: CtcFrames, table: Sequence[bytes], first: int, last: int
) -> tuple[tuple[bytes, float], ...]:
    """What else may have been said in some frames, likeliest first."""
    if frames.top_ids is None or frames.top_log_probs is None:
        return ()
    ids = frames.top_ids[first:last].ravel()
    log_probs = frames.top_log_probs[first:last].ravel()
    likely = log_probs >= log(LEAST_POSTERIOR)
    posteriors: dict[int, float] = {}
    for token, log_prob in zip(ids[likely].tolist(), log_probs[likely].tolist(), strict=True):
        posteriors[token] = max(posteriors.get(token, 0.0), exp(log_prob))
    known = range(len(table) - 1)
    said = int(frames.token_ids[first])
    others = [(table[t], p) for t, p in posteriors.items() if t != said and t in known]
    return tuple(sorted(others, key=lambda other: -other[1]))


def ctc_text(tokens: Sequence[CtcToken]) -> str:
    """Join the bytes of all tokens, then decode: a character may span several tokens.

    As the reference does: timestamp tokens and `<|nospeech|>` leave no text.
    """
    pieces = (t.piece for t in tokens if not _TIMESTAMP.fullmatch(t.piece))
    return b"".join(pieces).decode("utf-8", errors="replace").replace("<|nospeech|>", "")


def spoken(tokens: Sequence[CtcToken]) -> tuple[CtcToken, ...]:
    """Keep the tokens that stand for sound: no language, event or timestamp tags."""
    return tuple(t for t in tokens if not _TAG.fullmatch(t.piece.decode("utf-8", "replace")))


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
