"""ONNX files that Fun-ASR-GGUF exported: other inputs and outputs, the same weights.

Its graphs deviate from the reference (the first block's feed-forward is missing, the fbank is
another one), so their numbers are not exact; they are here for people who already have them.
Variants by their input and output names, January to March 2026.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from funasr_cli.errors import ModelError
from funasr_cli.fbank import INT16_SCALE, fbank, low_frame_rate
from funasr_cli.manifest import HOW_TO_EXPORT, LOW_FRAME_RATE, MANIFEST
from funasr_cli.onnx import Session
from funasr_cli.protocols import CtcFrames, Encoded, Floats
from funasr_cli.units import HOP, LFR_N

DEVIATION = (
    "exported by another tool: its numbers deviate from the reference; for exact ones "
    f"{HOW_TO_EXPORT}"
)


class ForeignEncoder:
    """An encoder graph of Fun-ASR-GGUF: one waveform a run."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = Session(path, threads=threads)
        types, outputs = self._session.inputs, set(self._session.outputs)
        self._inputs = frozenset(types)
        if "audio_lengths" in types:
            raise _without_manifest(path)
        known = (
            frozenset({"audio"}),
            frozenset({"audio", "ilens"}),
            frozenset({"lfr_feat", "mask"}),
        )
        if self._inputs not in known or not {"enc_output", "adaptor_output"} <= outputs:
            raise ModelError(
                f"{path}: an encoder of unknown make (inputs {', '.join(sorted(types))}; "
                f"outputs {', '.join(sorted(outputs))}); {HOW_TO_EXPORT}"
            )
        self.encoder_dim = self._session.width("enc_output")
        self.llm_dim = self._session.width("adaptor_output")
        first = types.get("audio") or types["lfr_feat"]
        self._dtype = np.float16 if "float16" in first else np.float32

    def encode(self, waveforms: Sequence[Floats]) -> list[Encoded]:
        """Encode waveforms, each [S], one after the other.

        Raises:
            InputError: a waveform is no sound.
            ModelError: the file is damaged.
        """
        return [self._encode(w) for w in waveforms]

    def _encode(self, samples: Floats) -> Encoded:
        feeds: dict[str, Any]
        frames = samples.size // HOP + 1  # these graphs pad both ends of the sound
        if "audio" in self._inputs:
            # the reference's log floor belongs to the int16 scale, which float16 cannot hold
            scale = 1.0 if self._dtype is np.float16 else INT16_SCALE
            feeds = {"audio": (samples * scale).astype(self._dtype)[None, None]}
            if "ilens" in self._inputs:
                feeds["ilens"] = np.array([samples.size], np.int64)
        else:
            features = low_frame_rate(fbank(samples)).astype(self._dtype)
            frames = LFR_N * len(features)
            feeds = {"lfr_feat": features[None], "mask": np.ones((1, len(features)), self._dtype)}
        states, rows = self._session.run(("enc_output", "adaptor_output"), feeds)
        rows = rows[0].astype(np.float32)
        if self._inputs != {"audio"}:  # only the oldest graph cuts its rows itself
            rows = rows[: _audio_tokens(-(-frames // LFR_N))]
        encoded = Encoded(states[0].astype(np.float32), rows)
        self._session.require_finite(encoded.encoder_out, encoded.audio_embeds, of=samples)
        return encoded


class ForeignCtc:
    """A CTC graph of Fun-ASR-GGUF: logits, indices or a top-k come out."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = Session(path, threads=threads)
        inputs, outputs = self._session.inputs, self._session.outputs
        if "encoder_lengths" in inputs:
            raise _without_manifest(path)
        known = next((o for o in ("topk_indices", "indices", "logits") if o in outputs), None)
        if list(inputs) != ["enc_output"] or known is None:
            raise ModelError(
                f"{path}: a CTC head of unknown make (outputs {', '.join(outputs)}); "
                f"{HOW_TO_EXPORT}"
            )
        self._kind = known
        self._dtype = np.float16 if "float16" in inputs["enc_output"] else np.float32
        self.encoder_dim = self._session.width("enc_output")
        self.vocab = self._session.width("logits") if known == "logits" else None
        """V where the graph tells."""

    def run(self, encoder_out: Floats) -> CtcFrames:
        """Score one waveform [L, H]; graphs that give indices alone count as certain.

        Raises:
            ModelError: the file is damaged.
        """
        feeds = {"enc_output": encoder_out[None].astype(self._dtype)}
        if self._kind == "indices":
            (values,) = self._session.run(("indices",), feeds)
            return CtcFrames(values[0].astype(np.int32), np.zeros(values.shape[1], np.float32))
        if self._kind == "topk_indices":
            ids, scores = self._session.run(("topk_indices", "topk_log_probs"), feeds)
            ids, log_probs = ids[0, :, 0], scores[0, :, 0].astype(np.float32)
        else:
            (values,) = self._session.run(("logits",), feeds)
            logits = values[0].astype(np.float32)
            with np.errstate(invalid="ignore"):  # infinite - infinite: refused below
                rest = np.exp(logits - logits.max(axis=1, keepdims=True))
            ids, log_probs = logits.argmax(axis=1), -np.log(rest.sum(axis=1))
        self._session.require_finite(log_probs)
        return CtcFrames(ids.astype(np.int32), log_probs)


def _without_manifest(path: Path) -> ModelError:
    return ModelError(
        f"{path}: exported by this tool, but {path.parent / MANIFEST} is missing or does not name "
        f"it: copy it from where the model came from, or {HOW_TO_EXPORT}"
    )


def _audio_tokens(frames: int) -> int:
    """Rows that these graphs keep for the LLM."""
    return -(-frames // LOW_FRAME_RATE)
