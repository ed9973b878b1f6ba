"""Waveforms -> encoder states and audio rows for the LLM, by our exported ONNX graph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from funasr_cli.errors import ModelError
from funasr_cli.onnx import open_session
from funasr_cli.protocols import Encoded, Floats

INPUTS = ("audio", "audio_lengths")
OUTPUTS = ("encoder_out", "encoder_lengths", "audio_embeds", "audio_embed_lengths")


class OnnxEncoder:
    """The encoder as `funasr export` writes it: sound in, exact fbank inside."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = open_session(path, threads=threads)
        inputs = tuple(i.name for i in self._session.get_inputs())
        if inputs != INPUTS:
            raise ModelError(
                f"{path}: takes {', '.join(inputs)}, not {', '.join(INPUTS)}; "
                "export it again: funasr export CHECKPOINT_DIR -o MODEL_DIR"
            )

    def encode(self, waveforms: Sequence[Floats]) -> list[Encoded]:
        """Encode a batch; padding does not change any row's numbers."""
        lengths = np.array([w.size for w in waveforms], np.int64)
        audio = np.zeros((len(waveforms), int(lengths.max())), np.float32)
        for row, waveform in zip(audio, waveforms, strict=True):
            row[: waveform.size] = waveform
        states, state_lengths, rows, row_lengths = self._session.run(
            OUTPUTS, {"audio": audio, "audio_lengths": lengths}
        )
        return [
            Encoded(states[i, : state_lengths[i]], rows[i, : row_lengths[i]])
            for i in range(len(waveforms))
        ]
