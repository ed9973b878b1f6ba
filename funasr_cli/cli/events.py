"""What a batch's worker tells: values that may cross from one process to another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class Moved:
    """An input has come further."""

    number: int
    done: float
    """Seconds."""
    whole: float | None
    """Seconds that the input says it has."""


@dataclass(frozen=True)
class Said:
    """Something for people."""

    level: Literal["note", "warning"]
    text: str


@dataclass(frozen=True)
class Finished:
    """An input is over, well or not."""

    number: int
    failure: str | None = None
    """Why it counts as failed; its files may have been written all the same."""
    seconds: float = 0.0
    """Of sound."""
    work: float = 0.0
    """Seconds that it took, of the time that inputs share."""
    outputs: tuple[Path, ...] = ()
    """Files that were written."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Broken:
    """Nothing more can be done by this worker, or by any."""

    kind: str
    """Name of the class in `errors`."""
    message: str


Event: TypeAlias = Moved | Said | Finished | Broken
