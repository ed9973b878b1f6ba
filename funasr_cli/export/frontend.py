"""Kaldi's fbank and FunASR's frame stacking, as exact ONNX operators.

DC removal, pre-emphasis, window and DFT are linear in a frame's 400 samples, so together they are
one matrix, computed in float64 and applied as one Conv1d. What stays is |.|^2, mel and log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from funasr_cli.units import HOP, LFR_M, LFR_N, SAMPLE_RATE, WINDOW

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from funasr_cli.export.graph import Graph, Value

N_MELS = 80
FEATURES = LFR_M * N_MELS
"""Width of a stacked frame."""
N_FFT = 512
"""The next power of two above WINDOW: kaldi pads each frame to it."""
SCALE = 32768.0
"""kaldi works on int16-sized samples; it matters only against the floor of the logarithm."""
PRE_EMPHASIS = 0.97
LOW_HZ, HIGH_HZ = 20.0, SAMPLE_RATE / 2
LOG_FLOOR = float(np.finfo(np.float32).eps)
BINS = slice(1, N_FFT // 2)
"""Bins that any mel filter weighs: neither 0 Hz (below LOW_HZ) nor 8 kHz (the last edge)."""


def spectrum_kernel() -> NDArray[np.float32]:
    """The frame's way from samples to spectrum.

    Returns:
        [2 * 255, 1, 400]: real parts of bins 1..255, then their imaginary parts.
    """
    n = np.arange(WINDOW)
    centre = np.eye(WINDOW) - 1.0 / WINDOW
    emphasis = np.eye(WINDOW) - PRE_EMPHASIS * np.eye(WINDOW, k=-1)
    emphasis[0, 0] -= PRE_EMPHASIS  # kaldi: the first sample is its own predecessor
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * n / (WINDOW - 1))
    angle = 2 * np.pi * np.outer(np.arange(N_FFT // 2 + 1)[BINS], n) / N_FFT
    dft = np.concatenate([np.cos(angle), -np.sin(angle)])
    kernel = SCALE * (dft * hamming) @ emphasis @ centre
    return kernel.astype(np.float32)[:, None, :]


def mel_filters() -> NDArray[np.float32]:
    """Triangles that are linear in mel, as kaldi's are.

    Returns:
        [255, 80]: weight of each spectrum bin of `spectrum_kernel` in each filter.
    """

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    low, high = mel(np.array([LOW_HZ, HIGH_HZ]))
    edges = np.linspace(low, high, N_MELS + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    bins = mel(np.arange(N_FFT // 2 + 1, dtype=np.float64)[BINS] * (SAMPLE_RATE / N_FFT))[:, None]
    rise, fall = (bins - left) / (middle - left), (right - bins) / (right - middle)
    filters: NDArray[np.float32] = np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)
    return filters


def add_frontend(g: Graph, audio: Value, lengths: Value) -> tuple[Value, Value]:
    """Add the fbank and the stacking of its frames.

    Args:
        g: the graph.
        audio: float32 [B, S], 16 kHz in [-1, 1].
        lengths: int64 [B]; what lies behind a row's length is not heard.

    Returns:
        features float32 [B, L, 560] and their lengths int64 [B].
    """
    wave = _centred(g, audio, lengths)
    spectrum = g.op(
        "Conv",
        g.op("Unsqueeze", wave, g.const([1])),
        g.weight("frontend.spectrum", spectrum_kernel()),
        strides=[HOP],
    )
    power = g.op("Mul", spectrum, spectrum)
    real, imaginary = g.ops("Split", power, names=2, axis=1)
    energy = g.op("Transpose", g.op("Add", real, imaginary), perm=[0, 2, 1])
    mel = g.op("MatMul", energy, g.weight("frontend.mel", mel_filters()))
    fbank = g.op("Log", g.op("Max", mel, g.const(LOG_FLOOR, np.float32)))
    long_enough = g.op("Max", lengths, g.const([WINDOW]))
    hops = g.op("Div", g.op("Sub", long_enough, g.const([WINDOW])), g.const([HOP]))
    return _stacked(g, fbank, g.op("Add", hops, g.const([1])))


def _centred(g: Graph, audio: Value, lengths: Value) -> Value:
    """Zero what is not heard, pad to one window, take off each row's mean.

    Every frame loses its own mean anyway; taking off the row's first keeps a large DC offset out
    of float32 sums. Rows shorter than a window keep theirs: padding is part of their only frame.
    """
    one = g.const([1])
    heard = g.cast(
        g.op(
            "Less",
            g.op("Unsqueeze", g.arange(g.size(audio, 1)), g.const([0])),
            g.op("Unsqueeze", lengths, one),
        ),
        np.float32,
    )
    audio = g.op("Where", g.cast(heard, np.bool_), audio, g.const(0.0, np.float32))
    total = g.op("ReduceSum", audio, one, keepdims=1)
    whole = g.op("Unsqueeze", g.op("GreaterOrEqual", lengths, g.const([WINDOW])), one)
    count = g.cast(g.op("Unsqueeze", g.op("Max", lengths, one), one), np.float32)
    mean = g.op("Where", whole, g.op("Div", total, count), g.const(0.0, np.float32))
    audio = g.op("Sub", audio, g.op("Mul", mean, heard))
    missing = g.op("Max", g.op("Sub", g.const([WINDOW]), g.size(audio, 1)), g.const([0]))
    pads = g.op("Concat", g.const([0, 0, 0]), missing, axis=0)
    return g.op("Pad", audio, pads)


def _stacked(g: Graph, fbank: Value, frames: Value) -> tuple[Value, Value]:
    """Stack 7 frames every 6: clip(6i + j - 3, 0, T - 1) with each row's own T.

    Args:
        g: the graph.
        fbank: [B, F, 80].
        frames: int64 [B], T of each row.
    """
    batch, width = g.size(fbank, 0), g.size(fbank, 1)
    lengths = g.ceil_div(frames, LFR_N)
    out = g.ceil_div(width, LFR_N)
    start = g.op("Mul", g.arange(out), g.const([LFR_N]))
    taps = g.const(np.arange(LFR_M) - (LFR_M - 1) // 2)
    index = g.op("Add", g.op("Unsqueeze", start, g.const([1])), taps)
    last = g.op("Sub", g.op("Unsqueeze", frames, g.const([1, 2])), g.const([1]))
    index = g.op("Max", g.op("Min", g.op("Unsqueeze", index, g.const([0])), last), g.const([0]))
    row = g.op("Unsqueeze", g.op("Mul", g.arange(batch), width), g.const([1, 2]))
    flat = g.op("Reshape", fbank, g.const([-1, N_MELS]))
    stacked = g.op("Gather", flat, g.op("Add", index, row), axis=0)
    return g.reshape(stacked, batch, out, FEATURES), lengths
