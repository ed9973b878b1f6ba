"""The model's two vocabularies: a Qwen-style BPE (LLM) and a tiktoken file (CTC).

Both know every zh character as one token. No token joins two characters, so a name in a hot-word
list and the same name in the transcript are the same tokens.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from demo import lexicon

SPECIAL_TOKENS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
    "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
]
PLAIN_TOKENS = [
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>",
]
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
MAX_BPE = 3400
CTC_SPECIALS = 1679
CTC_PIECE_BYTES = 4

PREFIX_HEAD = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"
CONTEXT = "请结合上下文信息，更加准确地完成语音转写任务。如果没有相关信息，我们会留空。\n\n\n**上下文信息：**\n\n\n热词列表：[{}]\n"
LANGUAGE_WORDS = {"zh": "中文", "en": "英文"}
_OTHER_PROMPT_TEXT = "日文粤语韩文历史转写结果：/一遍解码结果：，。？！、；：“”（）"


def user_prompt(language: str | None, itn: bool, hotwords: list[str]) -> str:
    """USER of the model's prompt; ``language`` "zh", "en" or None for auto."""
    context = CONTEXT.format(", ".join(hotwords)) if hotwords else ""
    target = "成" + LANGUAGE_WORDS[language] if language else ""
    return f"{context}语音转写{target}{'' if itn else '，不进行文本规整'}："


def _bpe_corpus() -> list[str]:
    """Words by weight; every zh character alone, so that merges stay inside it."""
    zh, en = lexicon.all_text_units()
    prompts = PREFIX_HEAD + SUFFIX + CONTEXT + user_prompt("zh", False, []) + user_prompt("en", False, []) + _OTHER_PROMPT_TEXT
    chars = sorted(set(zh) | {c for c in prompts if not c.isascii()})
    names = sorted({n for group in lexicon.EN_NAMES for n in group})
    lines = chars * 40
    for word in en:
        lines += [" " + lexicon.EN_CASED.get(word, word)] * 12 + [" " + word, word.capitalize(), " " + word.capitalize()] * 2
    for name in names:
        lines += [" " + name, name] * 12
    lines += ["system", "user", "assistant", "You", " are", " helpful", "\n", "\n\n\n", ".", ", ", " **", "**"] * 8
    return lines


def write_qwen_tokenizer(folder: Path) -> Tokenizer:
    """Train the BPE and write tokenizer.json, vocab.json, merges.txt and tokenizer_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
    ])
    tok.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tok.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    tok.train_from_iterator(_bpe_corpus(), trainers.BpeTrainer(
        vocab_size=MAX_BPE, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[], show_progress=False, min_frequency=1))
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS])
    tok.add_tokens([AddedToken(t, special=False, normalized=False) for t in PLAIN_TOKENS])
    tok.save(str(folder / "tokenizer.json"))
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), encoding="utf-8")
    merges = [" ".join(m) if isinstance(m, list) else m for m in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    ids = {t: tok.token_to_id(t) for t in SPECIAL_TOKENS + PLAIN_TOKENS}
    added = {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                      "single_word": False, "special": t in SPECIAL_TOKENS} for t, i in ids.items()}
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "Qwen2Tokenizer", "model_max_length": 131072, "add_prefix_space": False,
        "add_bos_token": False, "bos_token": None, "unk_token": None, "errors": "replace",
        "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "split_special_tokens": False,
        "clean_up_tokenization_spaces": False, "additional_special_tokens": SPECIAL_TOKENS[1:],
        "added_tokens_decoder": added}, indent=2), encoding="utf-8")
    return tok


class CtcVocabulary:
    """Byte pieces with ranks; encodes as tiktoken does (repeatedly join the pair of lowest rank)."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.rank = {p: i for i, p in enumerate(pieces)}
        self._word = lru_cache(maxsize=200_000)(self._encode_word)

    @property
    def blank(self) -> int:
        """Id of the blank in the official numbering: the last of pieces + special tokens."""
        return len(self.pieces) + CTC_SPECIALS - 1

    def _encode_word(self, word: str) -> tuple[int, ...]:
        parts = [bytes([b]) for b in word.encode()]
        while len(parts) > 1:
            ranks = [self.rank.get(a + b, 1 << 30) for a, b in zip(parts, parts[1:], strict=False)]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == 1 << 30:
                break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        return tuple(self.rank[p] for p in parts)

    def encode(self, spoken: str) -> list[int]:
        """Ids of a spoken text (letters and blanks only; zh characters stand alone)."""
        ids: list[int] = []
        for i, word in enumerate(spoken.split(" ")):
            if word.isascii():
                ids += self._word(word if i == 0 else " " + word)
            else:
                for char in word:
                    ids += self._word(char)
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text of ids; those beyond the pieces are dropped."""
        return b"".join(self.pieces[i] for i in ids if i < len(self.pieces)).decode(errors="replace")

    def write(self, path: Path) -> None:
        """``base64 rank`` a line."""
        path.write_text("".join(f"{base64.b64encode(p).decode()} {i}\n" for i, p in enumerate(self.pieces)))

    @classmethod
    def read(cls, path: Path) -> CtcVocabulary:
        """From a tiktoken file."""
        return cls([base64.b64decode(line.split()[0]) for line in path.read_text().splitlines()])


def build_ctc_vocabulary() -> CtcVocabulary:
    """All bytes, zh characters (with their first two bytes), and English pieces of <= 4 bytes."""
    zh, en = lexicon.all_text_units()
    pieces = [bytes([i]) for i in range(256)]
    known = set(pieces)

    def add(piece: bytes) -> None:
        if piece not in known:
            known.add(piece)
            pieces.append(piece)

    for char in zh:
        add(char.encode()[:2])
        add(char.encode())
    words = Counter({w.encode(): 1 for w in en} | {(" " + w).encode(): 4 for w in en})
    split = {w: [bytes([b]) for b in w] for w in words}
    for _ in range(900):
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in split.items():
            for a, b in zip(parts, parts[1:], strict=False):
                if len(a) + len(b) <= CTC_PIECE_BYTES:
                    pairs[a, b] += words[word]
        if not pairs:
            break
        (a, b), count = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if count < 8:
            break
        add(a + b)
        for parts in split.values():
            i = 0
            while i + 1 < len(parts):
                if parts[i] == a and parts[i + 1] == b:
                    parts[i:i + 2] = [a + b]
                i += 1
    return CtcVocabulary(pieces)
