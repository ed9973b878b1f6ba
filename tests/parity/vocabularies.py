"""Synthetic vocabularies: a small byte-level BPE that knows the prompts, and a CTC table."""

import base64
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SPECIAL = [
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>"),
    *("<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>"),
    *("<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
]
ADDED = [
    *("<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"),
    *("<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>"),
    *("<think>", "</think>"),
]
"""Added in Qwen3 too, but not flagged special."""
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CORPUS = """You are a helpful assistant. system user assistant
语音转写： 语音转写成中文： 语音转写成英文： 语音转写成日文： ，不进行文本规整
请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。 \
**上下文信息：** 热词列表：[开放时间, 北京]
hello world, this is a small test of the tokenizer. 开放时间早上九点至下午五点。
今日は良い天気ですね。 the quick brown fox jumps over the lazy dog"""
CTC_WORDS = [" the", " a", "th", "he", "in", "er", "an", " t", "ing", " w", "on", "the"]
CTC_CHARS = (
    "的一是不了人我在有他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可"
)


def byte_letters() -> list[str]:
    """GPT-2's printable letter for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (b for b in range(256) if b not in plain)
    letters = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [letters[b] for b in range(256)]


def train_bpe(size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Learn merges from CORPUS, commonest pair first; then fill up to `size` tokens.

    Returns:
        The tokens by id, and the merges in order.
    """
    letters = byte_letters()
    words = Counter(re.findall(r" ?[^\W\d_]+|\s+|[^\w\s]+", CORPUS))
    parts = {w: [letters[b] for b in w.encode()] for w in words}
    tokens, merges = list(letters), list[tuple[str, str]]()
    known = set(tokens)
    for _ in range(min(300, size - len(tokens))):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in itertools.pairwise(parts[word]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        tokens.append("".join(best))
        known.add(tokens[-1])
        parts = {w: _merge(p, best) for w, p in parts.items()}
    for pair in _fillers(letters):
        if len(tokens) >= size:
            break
        if "".join(pair) not in known:
            merges.append(pair)
            tokens.append("".join(pair))
            known.add(tokens[-1])
    return tokens, merges


def write_qwen(folder: Path, config: dict[str, Any], pieces: int) -> None:
    """Write the language model's folder; `config` lacks only the token ids."""
    tokens, merges = train_bpe(pieces)
    ids = {token: i for i, token in enumerate([*tokens, *SPECIAL, *ADDED])}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    added = [
        {"id": ids[t], "content": t, **flags, "special": t in SPECIAL} for t in (*SPECIAL, *ADDED)
    ]
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}
    level["use_regex"] = False
    split = {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False}
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
        "post_processor": level,
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": [list(pair) for pair in merges],
        },
    }
    settings = {
        "tokenizer_class": "Qwen2Tokenizer",
        "model_max_length": 131072,
        "add_prefix_space": False,
        "add_bos_token": False,
        "bos_token": None,
        "unk_token": None,
        "errors": "replace",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "clean_up_tokenization_spaces": False,
        "additional_special_tokens": SPECIAL[1:],
        "added_tokens_decoder": {
            str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in added
        },
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in (
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", settings),
        ("vocab.json", {token: i for i, token in enumerate(tokens)}),
        ("config.json", config),
    ):
        (folder / name).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_tiktoken(path: Path, size: int) -> None:
    """Write a CTC vocabulary of `size` tokens: bytes, parts of words, some whole characters."""
    tokens = [bytes([b]) for b in range(256)]
    known = set(tokens)
    wanted = [w.encode()[:k] for w in CTC_WORDS for k in range(2, len(w) + 1)]
    # the other characters stay split over several tokens
    wanted += [c.encode()[:k] for c in CTC_CHARS for k in (2, 3)]
    everything = itertools.chain(wanted, map(bytes, itertools.product(range(256), repeat=2)))
    for token in everything:
        if len(tokens) == size:
            break
        if token not in known:
            known.add(token)
            tokens.append(token)
    lines = (f"{base64.b64encode(t).decode()} {i}\n" for i, t in enumerate(tokens))
    path.write_text("".join(lines), encoding="utf-8")


def _merge(parts: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    for part in parts:
        if out and (out[-1], part) == pair:
            out[-1] += part
        else:
            out.append(part)
    return out


def _fillers(letters: list[str]) -> Iterator[tuple[str, str]]:
    """Pairs of bytes, then of such pairs and bytes: enough for a vocabulary of any size."""
    yield from itertools.product(letters, repeat=2)
    for first, second, third in itertools.product(letters, repeat=3):
        yield first + second, third
