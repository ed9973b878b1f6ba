"""The Hugging Face tokenizer's files -> the vocabulary that llama.cpp reads from a GGUF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.errors import ModelError
from funasr_cli.export.qwen import read_json

if TYPE_CHECKING:
    from pathlib import Path

NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""llama.cpp's token types: text; special; added but visible; nothing."""
_TOKENIZER = "tokenizer.json"
_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How Qwen2 and Qwen3 cut text before BPE: what llama.cpp calls the pre-tokenizer `qwen2`."""


@dataclass(frozen=True)
class QwenTokenizer:
    """A byte-level BPE vocabulary."""

    tokens: list[str]
    types: list[int]
    merges: list[str]
    eos: int | None
    pad: int | None
    usual_split: bool
    """Whether the text is cut as llama.cpp will cut it."""


def read_tokenizer(folder: Path, vocab: int) -> QwenTokenizer:
    """Read tokenizer.json, or vocab.json + merges.txt where that is missing.

    Args:
        folder: the language model's folder.
        vocab: rows of its embedding; ids without a token get a filler.

    Raises:
        ModelError: files are missing or broken, or the vocabulary is larger than `vocab`.
    """
    settings_path = folder / "tokenizer_config.json"
    settings = read_json(settings_path) if settings_path.is_file() else {}
    whole = folder / _TOKENIZER
    try:
        if whole.is_file():
            raw = read_json(whole)
            pieces, merges = _bpe(whole, raw)
            added = raw.get("added_tokens") or []
            split = _split_pattern(raw.get("pre_tokenizer"))
        else:
            pieces, merges = _slow_files(folder)
            listed = settings.get("added_tokens_decoder") or {}
            added = [{"id": int(i), **token} for i, token in listed.items()]
            split = _SPLIT
        names, types = _table(folder, pieces, added, vocab)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{folder}: the tokenizer's files are broken ({error!r}); download the checkpoint again"
        ) from error
    ids = {token: i for i, token in enumerate(names)}
    return QwenTokenizer(
        tokens=names,
        types=types,
        merges=merges,
        eos=ids.get(_text(settings.get("eos_token"))),
        pad=ids.get(_text(settings.get("pad_token"))),
        usual_split=split == _SPLIT,
    )


def _bpe(path: Path, raw: dict[str, Any]) -> tuple[dict[str, int], list[str]]:
    model = raw["model"]
    if model.get("type", "BPE") != "BPE":
        raise ModelError(f"{path}: a {model['type']} tokenizer; only byte-level BPE is supported")
    # older files join a pair by a space, newer ones list it
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    return dict(model["vocab"]), merges


def _slow_files(folder: Path) -> tuple[dict[str, int], list[str]]:
    merges = folder / "merges.txt"
    if not (folder / "vocab.json").is_file() or not merges.is_file():
        raise ModelError(
            f"{folder / _TOKENIZER} is missing, and so is vocab.json or merges.txt; download the "
            "checkpoint again"
        )
    lines = merges.read_text(encoding="utf-8").splitlines()
    pieces = read_json(folder / "vocab.json")
    return pieces, [m for m in lines if m and not m.startswith("#version")]


def _table(
    folder: Path, pieces: dict[str, int], added: list[dict[str, Any]], vocab: int
) -> tuple[list[str], list[int]]:
    """Lay the tokens out by id.

    Returns:
        Their names and types, `vocab` each.
    """
    special = {int(t["id"]): t for t in added}
    used = [*pieces.values(), *special]
    if not used or min(used) < 0 or max(used) >= vocab:
        raise ModelError(
            f"{folder}: the tokenizer has ids up to {max(used, default=-1)}, but the language "
            f"model has {vocab} tokens: the files belong to different models"
        )
    names = [f"[PAD{i}]" for i in range(vocab)]
    types = [UNUSED] * vocab
    for piece, i in pieces.items():
        names[i], types[i] = piece, NORMAL
    for i, token in special.items():
        names[i] = token["content"]
        types[i] = CONTROL if token.get("special") else USER_DEFINED
    return names, types


def _split_pattern(pre_tokenizer: object) -> str | None:
    """The regular expression inside tokenizer.json's pre-tokenizer."""
    if not isinstance(pre_tokenizer, dict):
        return None
    steps = pre_tokenizer.get("pretokenizers", [pre_tokenizer])
    found = [s["pattern"]["Regex"] for s in steps if s.get("type") == "Split"]
    return found[0] if len(found) == 1 else None


def _text(token: object) -> str:
    """A token's text, written plain or as an object."""
    return str(token.get("content") if isinstance(token, dict) else token)
