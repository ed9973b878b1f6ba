"""The LLM's tokenizer: a byte-level BPE in Qwen's format.

Every zh character is one token and no token joins two, so a name in a hot-word list and the same
name in the transcript are the same tokens.
"""

from __future__ import annotations

import json
from pathlib import Path

from demo import lexicon
from demo.prompts import CONTEXT, PREFIX_HEAD, SUFFIX, user_prompt
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
]
PLAIN_TOKENS = [
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
]
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
MAX_BPE = 3800

_OTHER_PROMPT_TEXT = "日文粤语韩文历史转写结果：/一遍解码结果：，。？！、；：“”（）"


def _bpe_corpus() -> list[str]:
    """Words by weight; every zh character alone, so that merges stay inside it."""
    zh, en = lexicon.all_text_units()
    prompts = (
        PREFIX_HEAD
        + SUFFIX
        + CONTEXT
        + user_prompt("zh", False, [])
        + user_prompt("en", False, [])
        + _OTHER_PROMPT_TEXT
    )
    chars = sorted(set(zh) | {c for c in prompts if not c.isascii()})
    lines = chars * 40
    for word in en:
        lines += [" " + lexicon.EN_CASED.get(word, word)] * 12 + [
            " " + word,
            word.capitalize(),
            " " + word.capitalize(),
        ] * 2
    for name in sorted(lexicon.EN_SPELLINGS):
        lines += [" " + name] * 12 + [name] * 4
    lines += [
        "system",
        "user",
        "assistant",
        "You",
        " are",
        " helpful",
        "\n",
        "\n\n\n",
        ".",
        ", ",
        " **",
        "**",
    ] * 8
    return lines


def write_qwen_tokenizer(folder: Path) -> Tokenizer:
    """Train the BPE and write tokenizer.json, vocab.json, merges.txt and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
        ]
    )
    tok.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tok.post_processor = processors.ByteLevel(
        add_prefix_space=False, trim_offsets=False, use_regex=False
    )
    tok.train_from_iterator(
        _bpe_corpus(),
        trainers.BpeTrainer(
            vocab_size=MAX_BPE,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            special_tokens=[],
            show_progress=False,
            min_frequency=1,
        ),
    )
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS])
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in PLAIN_TOKENS])
    tok.save(str(folder / "tokenizer.json"))
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "vocab.json").write_text(
        json.dumps(model["vocab"], ensure_ascii=False), encoding="utf-8"
    )
    merges = [" ".join(m) if isinstance(m, list) else m for m in model["merges"]]
    (folder / "merges.txt").write_text(
        "#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8"
    )
    ids = {t: tok.token_to_id(t) for t in SPECIAL_TOKENS + PLAIN_TOKENS}
    added = {
        str(i): {
            "content": t,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": t in SPECIAL_TOKENS,
        }
        for t, i in ids.items()
    }
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
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
                "additional_special_tokens": SPECIAL_TOKENS[1:],
                "added_tokens_decoder": added,
            },
            indent=2,
        ),
        encoding="utf-8",
    )
    return tok
