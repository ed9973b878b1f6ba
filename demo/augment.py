"""Waveform disturbances in batch on the training device."""

from __future__ import annotations

import torch
from torch import Tensor

_SAMPLE_RATE = 16_000
_REVERB_SAMPLES = 6_400
_CONTROL_POINTS = 12


def gather_wave(
    pool: Tensor, offset: Tensor, source: Tensor, speed: Tensor, lead: Tensor, longest: int
) -> Tensor:
    """Utterances [B, S] out of the int16 pool [P], resampled by ``speed``, after ``lead``."""
    place = torch.arange(longest, device=pool.device)[None] - lead[:, None]
    position = place * speed[:, None].double()
    index = position.floor()
    inside = (place >= 0) & (index + 1 < source[:, None])
    weight = (position - index).float()
    at = torch.where(inside, index.long() + offset[:, None], 0)
    wave = torch.lerp(pool[at].float(), pool[at + 1].float(), weight)
    return wave * inside / 32768


def _some(batch: int, share: float, device: torch.device) -> Tensor:
    return (torch.rand(batch, 1, device=device) < share).float()


def _filter_response(batch: int, bins: int, device: torch.device) -> Tensor:
    """[B, bins] gain: smooth random equaliser, low-pass, high-pass."""
    points = (
        torch.randn(batch, 1, _CONTROL_POINTS, device=device)
        * 5
        * _some(batch, 0.6, device)[:, None]
    )
    curve = torch.nn.functional.interpolate(points, size=bins, mode="linear", align_corners=True)[
        :, 0
    ]
    frequency = torch.linspace(0, _SAMPLE_RATE / 2, bins, device=device)[None]
    gain = 10 ** (curve / 20)
    low = 2800 + 5200 * torch.rand(batch, 1, device=device)
    low = torch.where(_some(batch, 0.3, device) > 0, low, torch.full_like(low, 9000))
    high = 60 + 340 * torch.rand(batch, 1, device=device) ** 2
    high = torch.where(_some(batch, 0.25, device) > 0, high, torch.zeros_like(high))
    gain = gain * torch.sigmoid((low - frequency) / 120)
    return gain * torch.sigmoid((frequency - high) / 25)


def _reverb_response(batch: int, size: int, device: torch.device) -> Tensor:
    """[B, size/2+1] complex: direct sound plus a decaying noise tail, for a part of the batch."""
    time = torch.arange(_REVERB_SAMPLES, device=device)[None] / _SAMPLE_RATE
    decay = 6.9 / (0.08 + 0.42 * torch.rand(batch, 1, device=device))
    tail = torch.randn(batch, _REVERB_SAMPLES, device=device) * torch.exp(-decay * time)
    tail = tail / tail.norm(dim=1, keepdim=True)
    tail = tail * (0.15 + 0.6 * torch.rand(batch, 1, device=device)) * _some(batch, 0.3, device)
    tail[:, 0] = 1.0
    return torch.fft.rfft(tail, n=size)


def _noise(wave: Tensor, size: int) -> Tensor:
    """[B, S] noise of unit level: coloured, or a babble of the batch's other utterances."""
    batch, length = wave.shape
    device = wave.device
    bins = size // 2 + 1
    frequency = torch.arange(bins, device=device)[None].clamp_min(20.0) / bins
    slope = torch.rand(batch, 1, device=device) * 1.2 * _some(batch, 0.75, device)
    shape = frequency ** (-slope)
    spectrum = torch.randn(batch, bins, 2, device=device) * shape[..., None]
    coloured = torch.fft.irfft(torch.view_as_complex(spectrum), n=size)[:, :length]
    babble = sum((wave.roll(i, 0).roll(i * 7919, 1) for i in range(1, 5)), torch.zeros_like(wave))
    noise = torch.where(_some(batch, 0.2, device) > 0, babble, coloured)
    return noise / noise.pow(2).mean(1, keepdim=True).sqrt().clamp_min(1e-5)


def disturb(wave: Tensor, samples: Tensor) -> Tensor:
    """Equaliser, band limits, reverb, noise, gain, int16 steps on [B, S]; a part stays clean."""
    batch, longest = wave.shape
    device = wave.device
    size = 1 << (longest + _REVERB_SAMPLES - 1).bit_length()
    spectrum = torch.fft.rfft(wave, n=size)
    spectrum = (
        spectrum
        * _filter_response(batch, size // 2 + 1, device)
        * _reverb_response(batch, size, device)
    )
    changed = torch.fft.irfft(spectrum, n=size)[:, :longest]
    level = changed.pow(2).mean(1, keepdim=True).sqrt().clamp_min(0.02)
    ratio_db = torch.where(
        _some(batch, 0.6, device) > 0,
        4 + 36 * torch.rand(batch, 1, device=device),
        45 + 30 * torch.rand(batch, 1, device=device),
    )
    changed = changed + _noise(wave, size) * level * 10 ** (-ratio_db / 20)
    wave = torch.where(_some(batch, 0.25, device) > 0, wave, changed)
    gain = 10 ** ((6 - 32 * torch.rand(batch, 1, device=device)) / 20)
    wave = (wave * gain).clamp(-1, 1)
    valid = torch.arange(longest, device=device)[None] < samples[:, None]
    return (wave * 32768).round() / 32768 * valid


def mask_features(mel: Tensor, frames: Tensor) -> Tensor:
    """SpecAugment on [B, F, 80] with the utterance's mean as mask value, on most of the batch."""
    batch, longest, bins = mel.shape
    device = mel.device
    valid = (torch.arange(longest, device=device)[None] < frames[:, None])[..., None]
    mean = (mel * valid).sum((1, 2), keepdim=True) / (frames[:, None, None] * bins)
    hidden = torch.zeros(batch, longest, bins, dtype=torch.bool, device=device)
    on = _some(batch, 0.7, device)[:, 0]
    for _ in range(2):
        width = torch.rand(batch, device=device) * 14 * on
        start = torch.rand(batch, device=device) * (bins - width)
        band = torch.arange(bins, device=device)[None]
        hidden |= ((band >= start[:, None]) & (band < (start + width)[:, None]))[:, None, :]
        width = torch.rand(batch, device=device) * (0.07 * frames).clamp_max(25) * on
        start = torch.rand(batch, device=device) * (frames - width)
        place = torch.arange(longest, device=device)[None]
        hidden |= ((place >= start[:, None]) & (place < (start + width)[:, None]))[:, :, None]
    return torch.where(hidden, mean, mel)
