"""Texts of consecutive segments -> one transcript."""

import re
from collections.abc import Iterable

# ideographs, kana, CJK punctuation and full-width forms: written without spaces between
_UNSPACED = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


def join_texts(texts: Iterable[str]) -> str:
    """Join segment texts: a space between them unless both sides are CJK."""
    joined = ""
    for text in filter(None, texts):
        if joined and not (_UNSPACED.match(joined[-1]) and _UNSPACED.match(text[0])):
            joined += " "
        joined += text
    return joined
