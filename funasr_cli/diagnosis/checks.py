"""What a check of the machine says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    """note: it works, but the user may want to know; problem: it must be mended."""
    text: str
    """What was found, in one or more lines."""
    remedy: str = ""
    """The command that mends it; empty when nothing is wrong."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same for programs."""


@dataclass(frozen=True)
class Diagnosis:
    """Everything that was looked at."""

    checks: tuple[Check, ...]

    @property
    def can_transcribe(self) -> bool:
        """Whether `funasr transcribe` would work."""
        return all(check.status != "problem" for check in self.checks)


def gigabytes(n: float) -> str:
    """Bytes in words: `0.6 GB`, `64 MB`."""
    return f"{n / 1e9:.1f} GB" if n >= 1e8 else f"{n / 1e6:.1f} MB"  # noqa: PLR2004
