"""The language model's folder inside a checkpoint: its configuration and where it lies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

USUAL_FOLDER = "Qwen3-0.6B"
_CONFIG = "config.json"


@dataclass(frozen=True)
class QwenConfig:
    """What the GGUF needs of config.json."""

    folder: Path
    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    context: int
    rope_base: float
    rms_epsilon: float
    tied: bool
    """Whether input embeddings and output head are one matrix."""
    bos: int | None
    eos: int | None


def find_qwen(checkpoint: Path, hint: str | None) -> Path:
    """Find the folder with the language model's configuration and tokenizer.

    config.yaml names it by a path that need not exist here, so only its last part is used.

    Raises:
        ModelError: no such folder.
    """
    names = [part for part in (_last(hint), USUAL_FOLDER) if part]
    folders = [checkpoint / name for name in names]
    if checkpoint.is_dir():
        folders += sorted(p for p in checkpoint.iterdir() if p.is_dir())
    for folder in folders:
        if (folder / _CONFIG).is_file():
            return folder
    raise ModelError(
        f"{checkpoint / names[0] / _CONFIG} is missing: the checkpoint must hold its language "
        f"model's folder ({USUAL_FOLDER}: config.json, tokenizer.json ...); download it again"
    )


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ModelError: the file is missing or is not a JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path} is missing; download the checkpoint again") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is not readable JSON ({error}); download it again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is not a JSON object; download it again")
    return value


def read_qwen(folder: Path) -> QwenConfig:
    """Read config.json.

    Raises:
        ModelError: it is missing, lacks a key, or is not of a Qwen3 model.
    """
    path = folder / _CONFIG
    raw = read_json(path)
    kind = raw.get("model_type")
    if kind != "qwen3":
        raise ModelError(f"{path}: model_type is {kind!r}, only 'qwen3' is supported")
    scaling = raw.get("rope_scaling") or {}
    if scaling.get("rope_type", scaling.get("type", "default")) != "default":
        raise ModelError(f"{path}: rope_scaling {scaling} is not supported")
    # transformers 5 writes rope_parameters where older versions write rope_theta
    theta = raw.get("rope_theta") or (raw.get("rope_parameters") or {}).get("rope_theta", 10000.0)
    try:
        heads = int(raw["num_attention_heads"])
        return QwenConfig(
            folder=folder,
            layers=int(raw["num_hidden_layers"]),
            width=int(raw["hidden_size"]),
            feed_forward=int(raw["intermediate_size"]),
            heads=heads,
            kv_heads=int(raw.get("num_key_value_heads", heads)),
            head_dim=int(raw.get("head_dim") or int(raw["hidden_size"]) // heads),
            vocab=int(raw["vocab_size"]),
            context=int(raw.get("max_position_embeddings", 32768)),
            rope_base=float(theta),
            rms_epsilon=float(raw.get("rms_norm_eps", 1e-6)),
            tied=bool(raw.get("tie_word_embeddings", False)),
            bos=_token(raw.get("bos_token_id")),
            eos=_token(raw.get("eos_token_id")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path}: not a complete Qwen3 configuration ({error!r})") from error


def _last(hint: str | None) -> str | None:
    """The folder's name at the end of a path, unless it is an unresolved `${...}`."""
    name = (hint or "").rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    return name if name and "$" not in name else None


def _token(value: object) -> int | None:
    """A token id; of a list (several ends) the first."""
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, int) else None
