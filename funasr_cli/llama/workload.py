"""A model, and how it will be used: what a device has to prove itself on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALL_LAYERS = 999
"""What every build takes for "all of them" (-1 means it only since b7698)."""


@dataclass(frozen=True)
class Workload:
    """The model that a device has to prove itself on, and how it will be used."""

    model: Path
    threads: int
    exact_cache: bool = False
    n_gpu_layers: int = ALL_LAYERS


def job_of(workload: Workload) -> dict[str, Any]:
    """The part of a trial's job that says which model, and how."""
    return {
        "model": str(workload.model.absolute()),
        "threads": workload.threads,
        "n_gpu_layers": workload.n_gpu_layers,
        "exact_cache": workload.exact_cache,
    }
