"""The shapes of the models that are made: which sizes there are, and what follows from one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.export.audit import CTC_HEAD, EMBEDDING
from funasr_cli.export.config import DEFAULT_HEADS, CheckpointConfig
from funasr_cli.export.qwen import QwenConfig
from funasr_cli.export.tokens import SPECIAL_TOKENS

if TYPE_CHECKING:
    from pathlib import Path

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
"""The LLM's control tokens, which follow its pieces."""


@dataclass(frozen=True)
class Size:
    """The shapes of a model; whatever is not here follows from them or is the same for all."""

    encoder_dim: int
    encoder_blocks: int
    tp_blocks: int
    feed_forward: int
    """Of the encoder; also the width between the two layers that begin adaptor and CTC decoder."""
    ctc_blocks: int
    ctc_pieces: int
    """Tokens of the CTC head without the special ones."""
    llm_dim: int
    llm_layers: int
    llm_heads: int
    llm_kv_heads: int
    llm_head_dim: int
    llm_feed_forward: int
    llm_pieces: int
    """Tokens before <|endoftext|>."""
    llm_vocab: int


SIZES = {
    "tiny": Size(64, 3, 1, 128, 2, 2048, 128, 2, 4, 2, 32, 256, 6144, 6400),
    # Fun-ASR-Nano-2512
    "full": Size(512, 50, 20, 2048, 5, 58836, 1024, 28, 16, 8, 128, 3072, 151643, 151936),
}


def encoder_config(size: Size, path: Path) -> CheckpointConfig:
    """What config.yaml says."""
    return CheckpointConfig(
        encoder_dim=size.encoder_dim,
        encoder_heads=4,
        encoder_blocks=size.encoder_blocks,
        tp_blocks=size.tp_blocks,
        kernel_size=11,
        kernel_shift=0,
        downsample_rate=1,
        use_low_frame_rate=True,
        adaptor_heads=DEFAULT_HEADS,
        adaptor_blocks=2,
        llm_dim=size.llm_dim,
        ctc_heads=DEFAULT_HEADS,
        ctc_blocks=size.ctc_blocks,
        path=path,
        raw={"ctc_decoder_conf": {"downsample_rate": 1}},
    )


def qwen_config(size: Size, path: Path) -> QwenConfig:
    """What the LLM's config.json says."""
    return QwenConfig(
        folder=path,
        layers=size.llm_layers,
        width=size.llm_dim,
        feed_forward=size.llm_feed_forward,
        heads=size.llm_heads,
        kv_heads=size.llm_kv_heads,
        head_dim=size.llm_head_dim,
        vocab=size.llm_vocab,
        context=40960,
        rope_base=1e6,
        rms_epsilon=1e-6,
        tied=True,
        bos=size.llm_pieces + SPECIALS.index("<|endoftext|>"),
        eos=size.llm_pieces + SPECIALS.index("<|im_end|>"),
    )


def told_by_tensors(size: Size) -> dict[str, tuple[int, ...]]:
    """The tensors whose shapes no configuration tells."""
    return {
        "audio_encoder.encoders0.0.feed_forward.w_1.bias": (size.feed_forward,),
        "audio_adaptor.linear1.bias": (size.feed_forward,),
        "audio_adaptor.blocks.0.feed_forward.w_1.bias": (size.llm_dim // 4,),
        "ctc_decoder.linear1.bias": (size.feed_forward,),
        "ctc_decoder.blocks.0.feed_forward.w_1.bias": (size.encoder_dim // 4,),
        f"{CTC_HEAD}.bias": (size.ctc_pieces + len(SPECIAL_TOKENS),),
        EMBEDDING: (size.llm_vocab, size.llm_dim),
    }


def branch_gains(size: Size) -> dict[str, float]:
    """Factors of layers, by their names.

    What a block adds stays small beside what goes through it, else deep random networks give the
    same answer to everything; sharp attention keeps a random LLM from repeating itself.
    """
    encoder = 1.25 / math.sqrt(size.encoder_blocks + size.tp_blocks)
    llm = 1.6 / math.sqrt(size.llm_layers)
    gains = {"linear_out": encoder, "w_2": encoder, "o_proj": llm, "down_proj": llm}
    return {**gains, "q_norm": 3.0}
