"""Vocabularies of any size that spell every text and read as Chinese and English words.

Byte-level BPE: each token beyond the 256 bytes is a merge of two earlier ones, so that a real
prompt becomes about as many tokens as with the real vocabulary.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import product

from funasr_cli.prompt import build_prompt

_BYTES = 256
_MARKS = "，。？！：；、（）《》“”…—·"
_GB2312 = (range(0xB0, 0xF8), range(0xA1, 0xFF))
"""First and second bytes of its 6,763 characters, the common ones first."""
_SYLLABLES = ["".join(pair) for pair in product("bcdfghjklmnprstvwyz", "aeiou")]


class Vocabulary:
    """Tokens by id, and the merges that make them.

    Args:
        size: how many tokens; at least the 256 bytes.
    """

    def __init__(self, size: int) -> None:
        self.tokens: list[bytes] = [bytes([b]) for b in range(_BYTES)]
        self.merges: list[tuple[bytes, bytes]] = []
        known = set(self.tokens)
        for parts in _words():
            joined = parts[0]
            for part in parts[1:]:
                if len(self.tokens) >= size:
                    return
                left, joined = joined, joined + part
                if joined not in known:
                    known.add(joined)
                    self.tokens.append(joined)
                    self.merges.append((left, part))

    def spelled(self) -> list[str]:
        """The tokens in the printable letters that GGUF files use for bytes."""
        return list(map(_letters, self.tokens))

    def spelled_merges(self) -> list[str]:
        """The merges in these letters."""
        return [f"{_letters(left)} {_letters(right)}" for left, right in self.merges]


def is_character(token: bytes) -> bool:
    """Whether a token is one Chinese character."""
    return len(token) == len("一".encode()) and "一" <= token.decode("utf-8", "replace") <= "龥"


def is_text(token: bytes) -> bool:
    """Whether a token is whole characters, more than a single byte."""
    return len(token) > 1 and "\ufffd" not in token.decode("utf-8", "replace")


def _words() -> Iterator[Sequence[bytes]]:
    """Words as the parts that are merged from left to right; parts come before their wholes."""
    from pypinyin.phrases_dict import phrases_dict

    prompt = build_prompt(context="x", itn=False, language="x", think_block=True)
    for word in re.findall(r" ?[A-Za-z]+|\n+|\*+", prompt.prefix + prompt.suffix):
        yield _bytes(word)
    characters = [*_MARKS, *_common_characters()]
    yield from map(_bytes, characters)
    known = set(characters)
    for phrase in sorted(phrases_dict, key=len):
        if known.issuperset(phrase):
            yield [char.encode() for char in phrase]
    for syllables in product(_SYLLABLES, repeat=2):
        yield _bytes(f" {''.join(syllables)}")
    common = [char.encode() for char in _common_characters()]
    for shift in range(1, len(common)):
        yield from zip(common, common[shift:] + common[:shift], strict=True)


def _bytes(text: str) -> list[bytes]:
    return [bytes([b]) for b in text.encode()]


def _common_characters() -> Iterator[str]:
    for pair in product(*_GB2312):
        char = bytes(pair).decode("gb2312", "ignore")
        if char:
            yield char


def _letter_table() -> list[str]:
    """GPT-2's printable letter for each byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (b for b in range(_BYTES) if b not in plain)
    shown = {b: chr(b) for b in plain} | {b: chr(_BYTES + i) for i, b in enumerate(others)}
    return [shown[b] for b in range(_BYTES)]


_LETTERS = _letter_table()


def _letters(token: bytes) -> str:
    return "".join(_LETTERS[b] for b in token)
