"""A recording of hours through the pipeline with models that cost nothing; prints what it took.

python tests/long_recording.py HOURS -> JSON: seconds, segments, text length, peak memory in MB

The sound is made while it is read: two seconds of noise, one of silence, and so on.
"""

import io
import json
import resource
import struct
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from fakes import FakeLanguageModel

from funasr_cli.audio import AudioSource
from funasr_cli.decode import BatchDecoder
from funasr_cli.ear import Ear
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.options import TranscribeOptions
from funasr_cli.protocols import VAD_WINDOW, Encoded, Encoder, Floats, LanguageModel, SpeechDetector
from funasr_cli.transcriber import Transcriber
from funasr_cli.units import SAMPLE_RATE


class Noise(io.RawIOBase):
    """A WAV stream of so many seconds that nobody holds."""

    def __init__(self, seconds: int) -> None:
        size = seconds * SAMPLE_RATE * 2
        riff = b"RIFF" + struct.pack("<I", (36 + size) & 0xFFFFFFFF) + b"WAVEfmt "
        form = struct.pack("<IHHIIHH", 16, 1, 1, SAMPLE_RATE, SAMPLE_RATE * 2, 2, 16)
        self._head = riff + form + b"data" + struct.pack("<I", size)
        rng = np.random.default_rng(0)
        noise = (rng.normal(size=2 * SAMPLE_RATE) * 5000).astype("<i2").tobytes()
        self._period = noise + bytes(2 * SAMPLE_RATE)
        self._at, self._size = 0, len(self._head) + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if self._at < len(self._head):
            part = self._head[self._at : self._at + len(buffer)]
        else:
            at = (self._at - len(self._head)) % len(self._period)
            left = self._size - self._at
            part = self._period[at : at + min(len(buffer), left)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class Loudness:
    """Takes what is loud for speech."""

    def begin(self) -> None:
        pass

    def probabilities(self, samples: Floats) -> Floats:
        loud: Floats = np.abs(samples.reshape(-1, VAD_WINDOW)).mean(axis=1)
        return np.asarray(loud > 0.01, np.float32)


class Deaf:
    """Encodes nothing, as fast as it can."""

    def encode(self, waveforms: Sequence[Floats]) -> list[Encoded]:
        return [
            Encoded(np.zeros((w.size // 960, 4), np.float32), np.zeros((2, 4), np.float32))
            for w in waveforms
        ]


def main(hours: float) -> None:
    with Transcriber(DEMO_MODEL) as transcriber:
        llm = FakeLanguageModel([ord(c) for c in "你好"])
        model = replace(
            transcriber._model,
            detector=cast("SpeechDetector", Loudness()),
            encoder=cast("Encoder", Deaf()),
            ctc=None,
            llm=cast("LanguageModel", llm),
            decoder=BatchDecoder(cast("LanguageModel", llm)),
            ahead=0,
        )
        transcriber._model, transcriber._ear = model, Ear(model)
        source = AudioSource(
            "noise", io.BufferedReader(cast("io.RawIOBase", Noise(int(hours * 3600))))
        )
        found = transcriber.transcribe(source, TranscribeOptions())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "seconds": found.duration,
        "speech": found.speech,
        "segments": len(found.segments),
        "text": len(found.text),
        "peak": peak,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(float(sys.argv[1]))
