"""The CTC vocabulary: a tiktoken file of bytes, zh characters and short English pieces."""

from __future__ import annotations

import base64
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from demo import lexicon

CTC_SPECIALS = 1679
CTC_PIECE_BYTES = 4


class CtcVocabulary:
    """Byte pieces with ranks; encodes as tiktoken does (join the pair of lowest rank, repeat)."""

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
            ranks = [self.rank.get(a + b, 1 << 30) for a, b in pairwise(parts)]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == 1 << 30:
                break
            parts[best : best + 2] = [parts[best] + parts[best + 1]]
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
        return b"".join(self.pieces[i] for i in ids if i < len(self.pieces)).decode(
            errors="replace"
        )

    def write(self, path: Path) -> None:
        """``base64 rank`` a line."""
        path.write_text(
            "".join(f"{base64.b64encode(p).decode()} {i}\n" for i, p in enumerate(self.pieces))
        )

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
    en = [*en, *(name.lower() for name in lexicon.EN_CANONICAL)]
    words = Counter({w.encode(): 1 for w in en} | {(" " + w).encode(): 4 for w in en})
    split = {w: [bytes([b]) for b in w] for w in words}
    for _ in range(900):
        pairs: Counter[tuple[bytes, bytes]] = Counter()
        for word, parts in split.items():
            for a, b in pairwise(parts):
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
                    parts[i : i + 2] = [a + b]
                i += 1
    return CtcVocabulary(pieces)
