"""Whether a download and the model made of it find room on the disk, before either begins."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from funasr_cli.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MARGIN_BYTES = 100_000_000
"""Left free for everybody else."""
_FULL_SIZE = 2_127_426_538
"""Bytes of Nano's model.pt with its CTC head: 2 for each number."""
_ENCODER_BYTES = 940_000_000
"""234 million numbers as float32."""
_CTC_BYTES = {"int8": 100_000_000, "fp32": 315_000_000}
"""78 million numbers."""
_DECODER_BYTES = {
    "q8_0": 800_000_000,
    "f16": 1_510_000_000,
    "bf16": 1_510_000_000,
    "f32": 3_010_000_000,
}
"""751 million numbers; an output head that equals the embedding is stored once, and saves 21 %."""


def model_bytes(checkpoint_bytes: int, ctc_type: str | None, decoder_type: str) -> int:
    """Estimate, from above, the size of an exported model.

    Args:
        checkpoint_bytes: of model.pt.
        ctc_type: numbers of the CTC head; None: none is exported.
        decoder_type: numbers of the language model.
    """
    full = _ENCODER_BYTES + _DECODER_BYTES[decoder_type]
    full += _CTC_BYTES[ctc_type] if ctc_type else 0
    return int(full * checkpoint_bytes / _FULL_SIZE)


def check_room(needs: Sequence[tuple[str, Path, int]]) -> None:
    """Check that each folder's disk has room for all that goes there.

    Args:
        needs: what it is, the folder (it need not exist), and the bytes.

    Raises:
        OutputError: one has not; says how much there is.
    """
    disks: dict[int, list[tuple[str, Path, int]]] = {}
    for need in needs:
        disks.setdefault(_existing(need[1]).stat().st_dev, []).append(need)
    for wanted in disks.values():
        folder = _existing(wanted[0][1])
        total = sum(size for _, _, size in wanted)
        free = shutil.disk_usage(folder).free
        if total and free < total + MARGIN_BYTES:
            parts = ", ".join(f"{what} {size / 1e9:.1f} GB in {at}" for what, at, size in wanted)
            raise OutputError(
                f"{folder}: {free / 1e9:.1f} GB are free on this disk, and "
                f"{(total + MARGIN_BYTES) / 1e9:.1f} GB are needed ({parts}): make room, or choose "
                "a folder on another disk (--cache-dir for the download, -o for the model)"
            )


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    here = folder.absolute()
    while not here.exists() and here != here.parent:
        here = here.parent
    return here
