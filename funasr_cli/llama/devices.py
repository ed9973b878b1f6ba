"""The devices that a loaded llama.cpp sees."""

import re
from ctypes import byref, c_size_t
from dataclasses import dataclass
from typing import Literal

from funasr_cli.llama.api import Api

Kind = Literal["cpu", "gpu", "igpu", "accel"]
_KINDS: tuple[Kind, ...] = ("cpu", "gpu", "igpu", "accel")
# until 2025-09 the third kind was the accelerator, which is one of these
_ACCELERATORS = ("BLAS", "ACCELERATE", "AMX", "ZENDNN")
_BACKENDS = {"mtl": "metal", "rocm": "hip"}


@dataclass(frozen=True)
class Device:
    """One device, as llama.cpp names it."""

    name: str
    """`Vulkan0`, `CUDA1`, `Metal`, `CPU`."""
    description: str
    """What it is: `NVIDIA H100 80GB HBM3`."""
    kind: Kind
    """`gpu` has memory of its own, `igpu` shares the processor's."""
    free: int = 0
    """Bytes of memory now free; 0: unknown."""
    total: int = 0
    """Bytes of memory; 0: unknown."""

    @property
    def backend(self) -> str:
        """The family in the words of `--device`: vulkan, cuda, metal, cpu, ..."""
        family = re.sub(r"\d+$", "", self.name).lower()
        return _BACKENDS.get(family, family)

    def __str__(self) -> str:
        return f"{self.name} ({self.description})" if self.description else self.name


def list_devices(api: Api) -> list[tuple[int, Device]]:
    """Every device: `ggml_backend_dev_t` and what it is, in llama.cpp's order."""
    found = []
    for index in range(api.ggml_backend_dev_count()):
        pointer = api.ggml_backend_dev_get(index)
        name = _text(api.ggml_backend_dev_name(pointer))
        number = int(api.ggml_backend_dev_type(pointer))
        kind = _KINDS[number] if 0 <= number < len(_KINDS) else "accel"
        if name.upper().startswith(_ACCELERATORS):
            kind = "accel"
        free, total = c_size_t(), c_size_t()
        api.ggml_backend_dev_memory(pointer, byref(free), byref(total))
        description = _text(api.ggml_backend_dev_description(pointer))
        found.append((int(pointer), Device(name, description, kind, free.value, total.value)))
    return found


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "replace").strip()
