"""Waveforms -> encoder states and audio rows for the LLM, by our exported ONNX graph."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from funasr_cli.errors import ModelError
from funasr_cli.manifest import HOW_TO_EXPORT
from funasr_cli.onnx import CPU_PROVIDER, Session
from funasr_cli.protocols import Encoded, Floats

INPUTS = ("audio", "audio_lengths")
OUTPUTS = ("encoder_out", "encoder_lengths", "audio_embeds", "audio_embed_lengths")


class OnnxEncoder:
    """The encoder as `funasr export` writes it: sound in, exact fbank inside."""

    def __init__(
        self, path: Path, *, threads: int, provider: str = CPU_PROVIDER, device_id: int = 0
    ) -> None:
        self._session = Session(path, threads=threads, provider=provider, device_id=device_id)
        inputs = tuple(self._session.inputs)
        if inputs != INPUTS or not set(OUTPUTS) <= set(self._session.outputs):
            raise ModelError(
                f"{path}: not an encoder of this tool (inputs {', '.join(inputs)}, "
                f"not {', '.join(INPUTS)}); {HOW_TO_EXPORT}"
            )
        self.encoder_dim = self._session.width("encoder_out")
        self.llm_dim = self._session.width("audio_embeds")

    def encode(self, waveforms: Sequence[Floats]) -> list[Encoded]:
        """Encode a batch; padding does not change any row's numbers.

        Raises:
            InputError: a waveform is no sound.
            ModelError: the file is damaged.
        """
        lengths = np.array([w.size for w in waveforms], np.int64)
        audio = np.zeros((len(waveforms), int(lengths.max())), np.float32)
        for row, waveform in zip(audio, waveforms, strict=True):
            row[: waveform.size] = waveform
        states, state_lengths, rows, row_lengths = self._session.run(
            OUTPUTS, {"audio": audio, "audio_lengths": lengths}
        )
        encoded = [
            Encoded(states[i, : state_lengths[i]], rows[i, : row_lengths[i]])
            for i in range(len(waveforms))
        ]
        # not the whole arrays: what lies behind a row's length may be anything
        for one, waveform in zip(encoded, waveforms, strict=True):
            self._session.require_finite(one.encoder_out, one.audio_embeds, of=waveform)
        return encoded
