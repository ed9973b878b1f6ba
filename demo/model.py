"""The model in torch with the official parameter names, sized for a demo (see demo/README.md)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Size:
    """Dimensions; the defaults are the demo model's."""

    features: int = 560
    width: int = 192
    heads: int = 4
    ffn: int = 768
    blocks: int = 8
    tp_blocks: int = 4
    kernel: int = 11
    adaptor_ffn: int = 768
    adaptor_layers: int = 2
    adaptor_heads: int = 8
    ctc_ffn: int = 384
    ctc_layers: int = 2
    ctc_heads: int = 8
    llm_width: int = 256
    llm_layers: int = 6
    llm_heads: int = 8
    llm_kv_heads: int = 4
    llm_head_dim: int = 64
    llm_ffn: int = 768


def key_mask(lengths: Tensor, longest: int) -> Tensor:
    """Bool [B, longest]: True where a row has content."""
    return torch.arange(longest, device=lengths.device)[None] < lengths[:, None]


def _attend(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor) -> Tensor:
    """Multi-head attention over keys with ``mask`` [B, L]; q, k, v [B, L, D]."""
    q, k, v = (z.unflatten(-1, (heads, -1)).transpose(1, 2) for z in (q, k, v))
    out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
    return out.transpose(1, 2).flatten(2)


class SanmAttention(nn.Module):
    """Self-attention with an FSMN memory on the values; the memory skips ``linear_out``."""

    def __init__(self, inputs: int, width: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q_k_v = nn.Linear(inputs, 3 * width)
        self.linear_out = nn.Linear(width, width)
        self.fsmn_block = nn.Conv1d(
            width, width, kernel, padding=kernel // 2, groups=width, bias=False
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        q, k, v = self.linear_q_k_v(x).chunk(3, dim=-1)
        v_masked = v * mask[..., None]
        memory = (self.fsmn_block(v_masked.transpose(1, 2)).transpose(1, 2) + v_masked) * mask[
            ..., None
        ]
        return self.linear_out(_attend(q, k, v, self.heads, mask)) + memory


class FeedForward(nn.Module):
    """w_2(relu(w_1(x)))."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.w_1 = nn.Linear(width, hidden)
        self.w_2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_2(F.relu(self.w_1(x)))


class SanmBlock(nn.Module):
    """Pre-norm block; no residual around attention where the width changes (encoders0.0)."""

    def __init__(self, inputs: int, size: Size) -> None:
        super().__init__()
        self.residual = inputs == size.width
        self.self_attn = SanmAttention(inputs, size.width, size.heads, size.kernel)
        self.feed_forward = FeedForward(size.width, size.ffn)
        self.norm1 = nn.LayerNorm(inputs)
        self.norm2 = nn.LayerNorm(size.width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        z = self.self_attn(self.norm1(x), mask)
        x = x + z if self.residual else z
        return x + self.feed_forward(self.norm2(x))


class Encoder(nn.Module):
    """LFR features [B, L, 560] -> [B, L, width]; also gives the state after ``after_norm``."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.width = size.width
        self.encoders0 = nn.ModuleList([SanmBlock(size.features, size)])
        self.encoders = nn.ModuleList(SanmBlock(size.width, size) for _ in range(size.blocks - 1))
        self.tp_encoders = nn.ModuleList(SanmBlock(size.width, size) for _ in range(size.tp_blocks))
        self.after_norm = nn.LayerNorm(size.width)
        self.tp_norm = nn.LayerNorm(size.width)

    def forward(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        mask = key_mask(lengths, features.shape[1])
        x = features * math.sqrt(self.width) + sinusoids(
            features.shape[1], features.shape[2], features.device
        )
        for block in [*self.encoders0, *self.encoders]:
            x = block(x, mask)
        middle = x = self.after_norm(x)
        for block in self.tp_encoders:
            x = block(x, mask)
        return self.tp_norm(x), middle


def sinusoids(length: int, depth: int, device: torch.device) -> Tensor:
    """[length, depth]: all sines, then all cosines, of positions 1..length."""
    half = depth // 2
    rate = torch.exp(torch.arange(half, device=device) * (-math.log(10_000) / (half - 1)))
    angle = torch.arange(1, length + 1, device=device)[:, None] * rate[None]
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width)
        self.linear_v = nn.Linear(width, width)
        self.linear_out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.linear_out(
            _attend(self.linear_q(x), self.linear_k(x), self.linear_v(x), self.heads, mask)
        )


class _TransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = _Attention(width, heads)
        self.feed_forward = FeedForward(width, width // 4)
        self.norm1 = nn.LayerNorm(width, eps=1e-12)
        self.norm2 = nn.LayerNorm(width, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.norm1(x), mask)
        return x + self.feed_forward(self.norm2(x))


class Transformer(nn.Module):
    """Adaptor and CTC decoder: two linear layers, then pre-norm blocks without a final norm."""

    def __init__(self, inputs: int, ffn: int, outputs: int, layers: int, heads: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(inputs, ffn)
        self.linear2 = nn.Linear(ffn, outputs)
        self.blocks = nn.ModuleList(_TransformerBlock(outputs, heads) for _ in range(layers))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        mask = key_mask(lengths, x.shape[1])
        x = self.linear2(F.relu(self.linear1(x)))
        for block in self.blocks:
            x = block(x, mask)
        return x


class CtcHead(nn.Module):
    """``ctc_lo`` over the tokens that training uses: the pieces, then the blank (last)."""

    def __init__(self, width: int, pieces: int) -> None:
        super().__init__()
        self.ctc_lo = nn.Linear(width, pieces + 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.ctc_lo(x)


class SpeechModel(nn.Module):
    """Encoder, adaptor and CTC branch; the LLM is a transformers module beside it."""

    def __init__(self, size: Size, pieces: int) -> None:
        super().__init__()
        self.audio_encoder = Encoder(size)
        self.audio_adaptor = Transformer(
            size.width, size.adaptor_ffn, size.llm_width, size.adaptor_layers, size.adaptor_heads
        )
        self.ctc_decoder = Transformer(
            size.width, size.ctc_ffn, size.width, size.ctc_layers, size.ctc_heads
        )
        self.ctc = CtcHead(size.width, pieces)
