"""Kaldi's log-mel filterbank and LFR stacking in numpy.

Our own encoder graph carries its fbank inside; this is for foreign graphs that want features,
and the slow path that tests hold the graph against. Equations: Kaldi `compute-fbank-feats`
with the reference's settings (80 bins, hamming, no dither, snip_edges, no CMVN).
"""

import numpy as np

from funasr_cli.protocols import Floats
from funasr_cli.units import HOP, LFR_M, LFR_N, SAMPLE_RATE, WINDOW

MELS = 80
FFT = 512
LOWEST_HZ, HIGHEST_HZ = 20.0, SAMPLE_RATE / 2
PREEMPHASIS = 0.97
FLOOR = float(np.finfo(np.float32).eps)
INT16_SCALE = 32768.0


def fbank(samples: Floats) -> Floats:
    """Log-mel energies [F, 80] of a waveform [S] in [-1, 1]; shorter ones are zero-padded."""
    x = np.pad(samples.astype(np.float64) * INT16_SCALE, (0, max(0, WINDOW - samples.size)))
    count = 1 + (x.size - WINDOW) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(x, WINDOW)[::HOP][:count]
    frames = frames - frames.mean(axis=1, keepdims=True)
    # the first sample is its own predecessor
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    window = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    power = np.abs(np.fft.rfft((frames - PREEMPHASIS * before) * window, FFT)) ** 2
    energies: Floats = np.log(np.maximum(power @ mel_weights().T, FLOOR)).astype(np.float32)
    return energies


def mel_weights() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Triangles [80, 257], linear in mel between 20 Hz and the Nyquist frequency."""
    low, high = _mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = low + (high - low) / (MELS + 1) * np.arange(MELS + 2)
    bins = _mel(np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[:, -1] = 0.0  # Kaldi leaves the Nyquist bin out
    return weights


def low_frame_rate(features: Floats) -> Floats:
    """Stack frames [F, 80] to [ceil(F / 6), 560]; the edges repeat the first and last frame."""
    count = -(-len(features) // LFR_N)
    at = LFR_N * np.arange(count)[:, None] + np.arange(LFR_M) - (LFR_M - 1) // 2
    stacked: Floats = features[np.clip(at, 0, len(features) - 1)].reshape(count, -1)
    return stacked


def _mel(
    hertz: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return 1127.0 * np.log(1.0 + hertz / 700.0)
