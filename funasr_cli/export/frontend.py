"""Kaldi's fbank and FunASR's frame stacking, as exact ONNX operators.

Window and DFT together are one matrix, computed in float64. DC removal and pre-emphasis are linear
too but stay steps of their own: they take large low frequencies out while a frame's numbers are
still exact, so that what clips or drifts has the reference's features as well.
"""

from __future__ import annotations

import math
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
_BLOCK = math.gcd(WINDOW, HOP)
"""Samples that windows and hops are multiples of."""


def spectrum_matrix() -> NDArray[np.float32]:
    """Window and DFT of a frame, scaled to int16.

    Returns:
        [400, 2 * 255]: real parts of bins 1..255, then their imaginary parts.
    """
    n = np.arange(WINDOW)
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * n / (WINDOW - 1))
    angle = 2 * np.pi * np.outer(np.arange(N_FFT // 2 + 1)[BINS], n) / N_FFT
    matrix = SCALE * hamming * np.concatenate([np.cos(angle), -np.sin(angle)])
    transposed: NDArray[np.float32] = matrix.T.astype(np.float32)
    return transposed


def mel_filters() -> NDArray[np.float32]:
    """Triangles that are linear in mel, as kaldi's are.

    Returns:
        [255, 80]: weight of each bin of `spectrum_matrix` in each filter.
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
    frames = _frames(g, _heard(g, audio, lengths))
    frames = g.op("Sub", frames, g.op("ReduceMean", frames, axes=[-1], keepdims=1))
    spectrum = g.op(
        "MatMul", _emphasised(g, frames), g.weight("frontend.spectrum", spectrum_matrix())
    )
    power = g.op("Mul", spectrum, spectrum)
    real, imaginary = g.ops("Split", power, names=2, axis=-1)
    energy = g.op("Add", real, imaginary)
    mel = g.op("MatMul", energy, g.weight("frontend.mel", mel_filters()))
    fbank = g.op("Log", g.op("Max", mel, g.const(LOG_FLOOR, np.float32)))
    return _stacked(g, fbank, _frame_count(g, lengths))


def _heard(g: Graph, audio: Value, lengths: Value) -> Value:
    """Silence what lies behind a row's length."""
    position = g.op("Unsqueeze", g.arange(g.size(audio, 1)), g.const([0]))
    heard = g.op("Less", position, g.op("Unsqueeze", lengths, g.const([1])))
    return g.op("Where", heard, audio, g.const(0.0, np.float32))


def _frame_count(g: Graph, samples: Value) -> Value:
    """How many frames fit whole; less sound than a window is padded to one."""
    long_enough = g.op("Max", samples, g.const([WINDOW]))
    hops = g.op("Div", g.op("Sub", long_enough, g.const([WINDOW])), g.const([HOP]))
    return g.op("Add", hops, g.const([1]))


def _frames(g: Graph, audio: Value) -> Value:
    """[B, S] -> [B, F, 400], overlapping: of blocks of 80 samples, 5 make a frame, 2 a hop."""
    count = _frame_count(g, g.size(audio, 1))
    blocks = g.op("Mul", count, g.const([HOP // _BLOCK]))
    blocks = g.op("Add", blocks, g.const([(WINDOW - HOP) // _BLOCK]))
    samples = g.op("Mul", blocks, g.const([_BLOCK]))
    missing = g.op("Max", g.op("Sub", samples, g.size(audio, 1)), g.const([0]))
    audio = g.op("Pad", audio, g.op("Concat", g.const([0, 0, 0]), missing, axis=0))
    audio = g.op("Slice", audio, g.const([0]), samples, g.const([1]))
    parts = g.reshape(audio, g.size(audio, 0), blocks, _BLOCK)
    start = g.op("Mul", g.arange(count), g.const([HOP // _BLOCK]))
    index = g.op("Add", g.op("Unsqueeze", start, g.const([1])), g.const(range(WINDOW // _BLOCK)))
    frames = g.op("Gather", parts, index, axis=1)
    return g.reshape(frames, g.size(audio, 0), count, WINDOW)


def _emphasised(g: Graph, frames: Value) -> Value:
    """Take 0.97 of its predecessor off each sample; kaldi lets the first be its own."""
    axis, one = g.const([-1]), g.const([1])
    first = g.op("Slice", frames, g.const([0]), one, axis)
    others = g.op("Slice", frames, g.const([0]), g.const([WINDOW - 1]), axis)
    before = g.op("Concat", first, others, axis=-1)
    return g.op("Sub", frames, g.op("Mul", before, g.const(PRE_EMPHASIS, np.float32)))


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
