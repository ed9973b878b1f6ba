"""model.pt: its tensors, one at a time, whatever the container."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import torch

    from funasr_cli.protocols import Floats

MODEL = "model.pt"
_CONTAINERS = ("state_dict", "model_state_dict", "model")
_DDP_PREFIX = "module."
_PEFT_PREFIX = "llm.base_model.model."
_HASH_BLOCK = 1 << 22


@dataclass(frozen=True)
class Lora:
    """A low-rank change of a matrix: W + scale B A."""

    a: torch.Tensor
    b: torch.Tensor


class Checkpoint:
    """The tensors of model.pt by their plain names (`audio_encoder...`, `llm...`, `ctc...`).

    The file stays mapped; a tensor is read when it is asked for.
    """

    def __init__(
        self, path: Path, tensors: dict[str, torch.Tensor], container: str, lora_alpha: float
    ) -> None:
        self.path = path
        self.container = container
        """Keys it was wrapped in, joined by dots, or `flat`."""
        self._tensors, self._lora = _plain(tensors)
        self._lora_alpha = lora_alpha

    @property
    def names(self) -> list[str]:
        """Every tensor, in the file's order; adapters counted with their matrix."""
        return list(self._tensors)

    @property
    def merged(self) -> int:
        """How many matrices have a LoRA adapter, which `read` folds in."""
        return len(self._lora)

    @property
    def dtype(self) -> str:
        """The commonest element type, e.g. `bfloat16`."""
        kinds = Counter(str(t.dtype).removeprefix("torch.") for t in self._tensors.values())
        return kinds.most_common(1)[0][0]

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor."""
        return tuple(self._tensors[name].shape)

    def read(self, name: str) -> Floats:
        """One tensor as float32, adapters merged."""
        return self.read_rows(name, 0, None)

    def read_row(self, name: str, row: int) -> Floats:
        """One row of a matrix as float32."""
        values: Floats = self.read_rows(name, row, row + 1)[0]
        return values

    def read_rows(self, name: str, start: int, end: int | None) -> Floats:
        """Rows of one tensor as float32, adapters merged."""
        import torch

        part = self._tensors[name][start:end].to(torch.float32)
        lora = self._lora.get(name)
        if lora is not None:
            scale = self._lora_alpha / lora.a.shape[0]
            change = lora.b[start:end].to(torch.float32) @ lora.a.to(torch.float32)
            part = part + scale * change
        array: Floats = part.contiguous().numpy()
        return array

    def equal(self, one: str, other: str) -> bool:
        """Whether two tensors hold the same numbers."""
        import torch

        return torch.equal(self._tensors[one], self._tensors[other])


def load_checkpoint(folder: Path, lora_alpha: float) -> Checkpoint:
    """Map model.pt of a folder.

    Raises:
        ModelError: it is missing, truncated, not a checkpoint, or not of this family.
    """
    import torch

    path = folder / MODEL
    if not path.is_file():
        raise ModelError(
            f"{path} is missing: give the folder of a complete checkpoint, as downloaded from "
            "ModelScope (FunAudioLLM/Fun-ASR-Nano-2512) or Hugging Face"
        )
    try:
        loaded = _load(torch, path)
    except MemoryError:
        raise
    except Exception as error:  # torch raises half a dozen kinds here, none of them documented
        lines = str(error).strip().splitlines()
        reason = lines[0][:200] if lines else type(error).__name__
        if "Unsupported global" in str(error):
            raise ModelError(
                f"{path} holds Python objects besides tensors, which are not loaded because they "
                "may run code: save its state_dict alone, with torch.save"
            ) from error
        raise ModelError(
            f"{path} is not a readable PyTorch checkpoint: truncated, still a Git LFS pointer, or "
            f"not a model ({reason}); download it again"
        ) from error
    return _checked(torch, path, loaded, lora_alpha)


def sha256(path: Path, progress: Callable[[float], None] | None = None) -> str:
    """Hex digest of a file; `progress` hears the fraction done."""
    digest, done, size = hashlib.sha256(), 0, max(1, path.stat().st_size)
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress(done / size)
    return digest.hexdigest()


def _load(torch: Any, path: Path) -> object:  # noqa: ANN401 - the module itself
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError as error:
        if "mmap" not in str(error):
            raise
        # files written before torch 1.6 cannot be mapped
        return torch.load(path, map_location="cpu", weights_only=True)


def _checked(torch: Any, path: Path, loaded: object, lora_alpha: float) -> Checkpoint:  # noqa: ANN401
    keys = []
    while isinstance(loaded, dict):
        key = next((k for k in _CONTAINERS if isinstance(loaded.get(k), dict)), None)
        if key is None:
            break
        keys.append(key)
        loaded = loaded[key]
    tensors = {
        str(name).removeprefix(_DDP_PREFIX): tensor
        for name, tensor in (loaded.items() if isinstance(loaded, dict) else ())
        if isinstance(tensor, torch.Tensor)
    }
    if not any(name.startswith(("audio_encoder.", "llm.")) for name in tensors):
        found = ", ".join(list(tensors)[:3]) or "nothing"
        raise ModelError(
            f"{path} holds no tensors of a Fun-ASR-Nano model (found: {found}); this exporter is "
            "for checkpoints with audio_encoder.*, audio_adaptor.* and llm.*"
        )
    return Checkpoint(path, tensors, ".".join(keys) or "flat", lora_alpha)


def _plain(
    tensors: dict[str, torch.Tensor],
) -> tuple[dict[str, torch.Tensor], dict[str, Lora]]:
    """Take LoRA adapters (FunASR's and PEFT's names) out of the list of tensors."""
    plain: dict[str, torch.Tensor] = {}
    halves: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        name = key
        if name.startswith(_PEFT_PREFIX):
            name = "llm." + name.removeprefix(_PEFT_PREFIX)
        name = name.replace(".base_layer.", ".")
        match = re.fullmatch(r"(.+)\.lora_([AB])(?:\.default)?(?:\.weight)?", name)
        if match is None:
            plain[name] = tensor
        else:
            halves.setdefault(f"{match[1]}.weight", {})[match[2]] = tensor
    _reject(name for name, half in halves.items() if len(half) != 2 or name not in plain)  # noqa: PLR2004 - A and B
    lora = {name: Lora(half["A"], half["B"]) for name, half in halves.items()}
    _reject(
        name
        for name, x in lora.items()
        if x.a.shape[0] != x.b.shape[1] or (x.b.shape[0], x.a.shape[1]) != tuple(plain[name].shape)
    )
    return plain, lora


def _reject(names: Iterable[str]) -> None:
    broken = sorted(names)
    if broken:
        raise ModelError(
            f"{len(broken)} LoRA adapters of {MODEL} do not fit their matrices, e.g. {broken[0]}; "
            "save the checkpoint again with its base weights"
        )
