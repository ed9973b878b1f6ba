"""Write random checkpoints; the numbers come from a hash, so they never change."""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from parity.architecture import Architecture
from parity.vocabularies import ADDED, SPECIAL, write_qwen, write_tiktoken

LLM_GAIN = 2.0
"""Weight gain of the language model: large enough for clear winners among its logits."""


def write_checkpoint(
    folder: Path,
    architecture: Architecture,
    seed: int,
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Write config.yaml, model.pt and the vocabularies.

    Args:
        folder: where to; made if it is missing.
        architecture: sizes and habits.
        seed: decides the weights.
        change: edits the tensors before they are written.

    Returns:
        `folder`.
    """
    import torch

    a = architecture
    folder.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_dump(a.config(), allow_unicode=True, sort_keys=False)
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    metas = {
        "init_param": "model.pt",
        "config": "config.yaml",
        "llm_conf": {"init_param_path": "Qwen3-0.6B"},
        "tokenizer_conf": {"init_param_path": "Qwen3-0.6B"},
        "dataset_conf": {"ctc_tokenizer_conf": {"vocab_path": "multilingual.tiktoken"}},
    }
    configuration = {
        "framework": "pytorch",
        "task": "auto-speech-recognition",
        "model": {"type": "funasr"},
        "pipeline": {"type": "funasr-pipeline"},
        "file_path_metas": metas,
    }
    (folder / "configuration.json").write_text(json.dumps(configuration), encoding="utf-8")
    write_tiktoken(folder / "multilingual.tiktoken", a.ctc_tokens)
    qwen = a.qwen(bos=a.llm_pieces, eos=a.llm_pieces + SPECIAL.index("<|im_end|>"))
    assert a.llm_pieces + len(SPECIAL) + len(ADDED) <= a.llm_vocab
    write_qwen(folder / "Qwen3-0.6B", qwen, a.llm_pieces)
    dtype = getattr(torch, a.dtype)
    tensors: dict[str, Any] = {}
    for name, shape in a.shapes().items():
        if name == "llm.lm_head.weight" and a.tied:  # stored twice, as in the released file
            tensors[name] = tensors["llm.model.embed_tokens.weight"].clone()
        else:
            tensors[name] = torch.from_numpy(_values(a, name, shape, seed)).to(dtype)
    if change is not None:
        change(tensors)
    tensors = {a.prefix + name: tensor for name, tensor in tensors.items()}
    torch.save({a.container: tensors} if a.container else tensors, folder / "model.pt")
    return folder


def noise(key: str, count: int) -> NDArray[np.float32]:
    """Draw `count` even random numbers of variance 1, by `key` alone (splitmix64)."""
    start = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    out = np.empty(count, np.float32)
    block = 1 << 20
    for at in range(0, count, block):
        size = min(block, count - at)
        z = np.arange(at, at + size, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z += np.uint64(start)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        top = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float32)
        out[at : at + size] = (top - 2.0**23) * np.float32(math.sqrt(3) / 2**23)
    return out


def _values(a: Architecture, name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """Give a tensor numbers under which every part of the network matters."""
    x: NDArray[np.float32] = noise(f"{seed}/{name}", math.prod(shape)).reshape(shape)
    if "norm" in name:
        return 0.2 * x + (1.0 if name.endswith("weight") else 0.0)
    if name == "ctc.ctc_lo.bias":  # mostly text, some blanks, few special tokens
        x *= 0.1
        x[a.ctc_tokens :] -= 9.0
        x[:256] -= 2.0
        x[-1] = 5.0
        return x
    if name.endswith("bias"):
        return 0.1 * x
    if "embed_tokens" in name or "lm_head" in name:
        return x
    gain = LLM_GAIN if name.startswith("llm.") else 2.5 if name == "ctc.ctc_lo.weight" else 1.0
    x *= np.float32(gain / math.sqrt(math.prod(shape[1:])))
    return x
