"""The model family's time grid: every other time constant is derived from these."""

from typing import Final

SAMPLE_RATE: Final = 16_000
"""Samples per second of everything that enters the encoder."""
WINDOW: Final = 400
"""Samples in one fbank frame (25 ms)."""
HOP: Final = 160
"""Samples between fbank frames (10 ms)."""
LFR_M: Final = 7
"""Fbank frames stacked into one low-frame-rate (LFR) frame."""
LFR_N: Final = 6
"""Fbank frames between LFR frames."""
FRAME_SAMPLES: Final = LFR_N * HOP
FRAME_S: Final = FRAME_SAMPLES / SAMPLE_RATE
"""Seconds between LFR frames, so between CTC frames (60 ms)."""
MAX_TIME_OFFSET_S: Final = 5.0
"""Farthest that CTC times may be from the sound."""


def lfr_frames(samples: int) -> int:
    """Count the LFR frames of a waveform (shorter ones are padded to one window)."""
    fbank = 1 + (max(samples, WINDOW) - WINDOW) // HOP
    return -(-fbank // LFR_N)


def clock(seconds: float) -> str:
    """Write a time of a recording for people: 754.9 s as 12:34."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
