"""Kaldi fbank as one linear map of each frame, and LFR, in batch."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

WINDOW, HOP, FFT, MELS = 400, 160, 512, 80
LFR_M, LFR_N = 7, 6
FRAME_S = LFR_N * HOP / 16_000  # 60 ms an LFR frame
LOG_FLOOR = 1.1920929e-07


def fbank_frames(samples: int) -> int:
    """Number of 10 ms frames of ``samples`` (>= 400) samples."""
    return 1 + (samples - WINDOW) // HOP


def lfr_frames(samples: int) -> int:
    """Number of 60 ms frames."""
    return -(-fbank_frames(samples) // LFR_N)


def _kernel() -> np.ndarray:
    """[2*255, 400]: mean removal, pre-emphasis, window and DFT of one frame, int16 scale."""
    n = WINDOW
    mean = np.eye(n) - np.full((n, n), 1 / n)
    emphasis = np.eye(n) - 0.97 * np.eye(n, k=-1)
    emphasis[0, 0] = 0.03
    window = np.diag(0.54 - 0.46 * np.cos(2 * np.pi * np.arange(n) / (n - 1)))
    angle = 2 * np.pi * np.arange(1, FFT // 2)[:, None] * np.arange(n)[None] / FFT
    dft = np.concatenate([np.cos(angle), -np.sin(angle)])
    return 32768 * dft @ window @ emphasis @ mean


def _mel_weights() -> np.ndarray:
    """[80, 255]: triangles, linear in mel, 20-8000 Hz."""

    def mel(f: np.ndarray | float) -> np.ndarray:
        return 1127 * np.log(1 + np.asarray(f) / 700)

    edges = np.linspace(mel(20), mel(8000), MELS + 2)
    bins = mel(np.arange(1, FFT // 2) * 16_000 / FFT)[None]
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(
        0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre))
    )


class Frontend(nn.Module):
    """waveform [B, S] in [-1, 1] -> log-mel [B, F, 80]."""

    kernel: Tensor
    mel: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.tensor(_kernel(), dtype=torch.float32))
        self.register_buffer("mel", torch.tensor(_mel_weights(), dtype=torch.float32))

    def forward(self, wave: Tensor) -> Tensor:
        frames = wave.unfold(
            1, WINDOW, HOP
        )  # a matrix product: cuDNN's convolution is far slower here
        real, imaginary = (frames @ self.kernel.T).chunk(2, dim=-1)
        energy = (real * real + imaginary * imaginary) @ self.mel.T
        return energy.clamp_min(LOG_FLOOR).log()


def stack_frames(mel: Tensor, frames: Tensor) -> Tensor:
    """LFR: [B, F, 80] with ``frames`` [B] valid ones -> [B, L, 560]; edge frames are repeated."""
    length = math.ceil(mel.shape[1] / LFR_N)
    index = LFR_N * torch.arange(length, device=mel.device)[:, None] + torch.arange(
        -3, LFR_M - 3, device=mel.device
    )
    index = torch.minimum(index.clamp_min(0)[None], (frames - 1)[:, None, None])
    batch = torch.arange(mel.shape[0], device=mel.device)[:, None, None]
    return mel[batch, index].flatten(2)
