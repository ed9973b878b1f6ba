"""What is compared with the reference: checkpoints, sounds and prompts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parity.architecture import FULL_SIZE, Architecture
from parity.checkpoints import noise

Sound = NDArray[np.float32]
MAX_NEW_TOKENS = 16


@dataclass(frozen=True)
class Case:
    """One checkpoint and the sounds it hears."""

    name: str
    what: str
    architecture: Architecture = field(default_factory=Architecture)
    sounds: tuple[str, ...] = ("voice", "odd")
    change: Callable[[dict[str, Any]], None] | None = None
    """Edits the checkpoint's tensors."""


@dataclass(frozen=True)
class Wording:
    """What a prompt asks for, as the reference's `generate` takes it."""

    hotwords: tuple[str, ...] = ()
    language: str | None = None
    itn: bool = True


WORDINGS = (
    Wording(),
    Wording(language="中文"),
    Wording(language="英文", itn=False),
    Wording(hotwords=("开放时间",), language="中文"),
    Wording(hotwords=("北京", "Fox-3", "今日"), itn=False),
)


def _loosen_head(tensors: dict[str, Any]) -> None:
    """Make the head differ from the embedding it is tied to."""
    head = tensors["llm.lm_head.weight"]
    tensors["llm.lm_head.weight"] = head.roll(1, 0)


CASES = (
    Case(
        "nano",
        "like Fun-ASR-Nano: flat, bf16, with CTC, one row per 8 frames",
        sounds=("voice", "short", "window", "odd", "silence", "offset", "quiet", "loud"),
    ),
    Case(
        "mlt",
        "like MLT-Nano: wrapped, module. names, fp32, no CTC, a row per frame",
        Architecture(
            ctc="none",
            low_frame_rate=False,
            container="state_dict",
            prefix="module.",
            dtype="float32",
        ),
        sounds=("voice", "window"),
    ),
    Case(
        "wide",
        "other widths, heads, kernel and depth; head not tied; fp16",
        Architecture(
            encoder_dim=48,
            encoder_heads=3,
            linear_units=96,
            blocks=2,
            tp_blocks=1,
            kernel_size=7,
            kernel_shift=1,
            adaptor_blocks=1,
            adaptor_heads=4,
            adaptor_ffn=80,
            ctc_blocks=1,
            ctc_tokens=400,
            llm_dim=96,
            llm_heads=3,
            llm_kv_heads=1,
            llm_ffn=160,
            tied=False,
            container="model",
            dtype="float16",
        ),
    ),
    Case(
        "partial",
        "one CTC tensor missing; head tied but stored with other numbers",
        Architecture(ctc="partial"),
        change=_loosen_head,
    ),
    Case(
        "down2",
        "adaptor stacks 2 frames, a place per frame",
        Architecture(downsample_rate=2, low_frame_rate=False),
        sounds=("voice", "odd", "window"),
    ),
    Case(
        "down3",
        "adaptor stacks 3 frames, one row per 8 frames",
        Architecture(downsample_rate=3, ctc="none"),
    ),
    Case(
        "lora",
        "LoRA adapters on q and v; answers open with an empty think block",
        Architecture(lora=True, do_think=False, ctc="none"),
    ),
)
FULL = Case("full", "the sizes of Fun-ASR-Nano-2512", FULL_SIZE, ("voice", "odd", "long"))
"""Takes some gigabytes of memory and disk, and minutes."""


def sound(name: str, seed: int = 0) -> Sound:
    """Make one sound, 16 kHz, of int16 steps."""
    return _SOUNDS[name](seed)


def _steps(x: NDArray[np.float64]) -> Sound:
    scaled = np.clip(np.rint(x * 32768), -32768, 32767)
    return (scaled / 32768).astype(np.float32)


def _voice(samples: int, seed: int) -> Sound:
    """Buzz with a moving pitch, hiss and pauses in turn."""
    t = np.arange(samples) / 16000
    phase = 2 * np.pi * (120 * t + 40 * np.sin(4 * t + seed))
    buzz = sum(np.sin(h * phase) / h for h in range(1, 25))
    hiss = noise(f"hiss {seed}", samples).astype(np.float64)
    kind = (np.arange(samples) // 2600 + seed) % 4
    x = np.select([kind == 0, kind == 1, kind == 2], [0.08 * buzz, 0.05 * hiss, 0.12 * buzz])
    return _steps(x + 0.0005 * hiss)


def _tone(samples: int, hertz: float) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / 16000)


_SOUNDS: dict[str, Callable[[int], Sound]] = {
    "voice": lambda seed: _voice(21923, seed),
    # shorter than a window: the reference hears it zero-padded, see docs/PARITY.md
    "short": lambda seed: _voice(250, seed),
    "window": lambda seed: _voice(400, seed),
    "odd": lambda seed: _voice(7777, seed + 1),
    "silence": lambda _: np.zeros(8000, np.float32),
    "offset": lambda _: _steps(0.3 + 0.2 * _tone(9600, 440)),
    "quiet": lambda seed: _steps(noise(f"quiet {seed}", 8000).astype(np.float64) / 32768),
    "loud": lambda seed: _steps(30 * _voice(9600, seed + 2).astype(np.float64)),
    "long": lambda seed: _voice(16000 * 20 + 77, seed),
}
