"""What an export needs of a model's numbers, wherever they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from funasr_cli.export.layers import Weights

if TYPE_CHECKING:
    from pathlib import Path

    from funasr_cli.protocols import Floats


class Shaped(Protocol):
    """Tensors by their plain names (`audio_encoder...`, `llm...`, `ctc...`), without numbers."""

    def __contains__(self, name: str) -> bool:
        """Whether there is a tensor of this name."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor."""


class Tensors(Weights, Shaped, Protocol):
    """A checkpoint: every tensor widened to float32 when it is read."""

    path: Path
    """What messages name."""

    @property
    def names(self) -> list[str]:
        """Every tensor, in the file's order."""

    @property
    def merged(self) -> int:
        """How many matrices have a LoRA adapter folded in."""

    def read_rows(self, name: str, start: int, end: int | None) -> Floats:
        """Rows of one tensor."""

    def equal(self, one: str, other: str) -> bool:
        """Whether two tensors hold the same numbers."""
