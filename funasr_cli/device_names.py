"""What people type after --device -> what it asks for."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from funasr_cli.errors import UsageError

AUTO, CPU, GPU = "auto", "cpu", "gpu"
BACKENDS = ("vulkan", "cuda", "metal", "hip", "sycl")
"""Families of GPUs, as llama.cpp's builds have them."""
_SYNONYMS = {"mps": "metal", "mtl": "metal", "rocm": "hip", "vk": "vulkan", "nvidia": "cuda"}
_FORM = re.compile(r"([a-z]+)(?::?(\d+))?")
DEVICE_HELP = "auto, cpu, gpu, vulkan[:N], cuda[:N] or metal"


@dataclass(frozen=True)
class DeviceRequest:
    """A wish; `llama.choice` says which device it becomes."""

    backend: str
    """`auto`, `cpu`, `gpu` or one of BACKENDS."""
    index: int | None = None
    """The N of `vulkan:N`; None: any."""

    @property
    def is_optional(self) -> bool:
        """Whether the CPU will do where there is no GPU."""
        return self.backend == AUTO

    def admits(self, backend: str, name: str) -> bool:
        """Whether a GPU fits: its family, and its name with llama.cpp's number (`Vulkan1`)."""
        if self.backend not in {AUTO, GPU, backend}:
            return False
        number = re.search(r"\d+$", name)
        return self.index is None or self.index == int(number[0] if number else 0)

    def __str__(self) -> str:
        return self.backend if self.index is None else f"{self.backend}:{self.index}"


def parse_device(text: str) -> DeviceRequest:
    """Read `auto`, `cpu`, `gpu`, `vulkan:1`, `Vulkan1`, `cuda`, `metal`, ...

    Raises:
        UsageError: it is none of these; with what may have been meant.
    """
    known = (AUTO, CPU, GPU, *BACKENDS)
    match = _FORM.fullmatch(text.strip().lower())
    backend = _SYNONYMS.get(match[1], match[1]) if match else ""
    if match is None or backend not in known or (match[2] and backend in {AUTO, CPU, GPU}):
        near = get_close_matches(re.split(r"[:\d]", text.strip().lower())[0], known, n=1)
        hint = f"did you mean {near[0]}? " if near and near[0] != text else ""
        raise UsageError(f"--device {text}: {hint}expected {DEVICE_HELP}")
    return DeviceRequest(backend, int(match[2]) if match[2] else None)
