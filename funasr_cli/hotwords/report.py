"""What became of the words that were heard: in the prompt or not, in the text or not."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import replace

from funasr_cli.results import HotwordHit


def report(
    hits: Iterable[HotwordHit], prompt: Collection[str], text: str
) -> tuple[HotwordHit, ...]:
    """Mark each hit; those that were neither heard nor in the prompt are left out.

    Args:
        hits: all that were heard or meant for the prompt; of several of one word the most similar
            counts, and one that was left out least.
        prompt: words that stood in the prompt of the answer that was kept.
        text: what was written in the end.
    """
    best: dict[str, HotwordHit] = {}
    for hit in hits:
        known = best.setdefault(hit.word, hit)
        if (hit.taken_for is None, hit.similarity) > (known.taken_for is None, known.similarity):
            best[hit.word] = hit
    return tuple(
        replace(hit, in_prompt=hit.word in prompt, in_text=occurs(hit.word, text))
        for hit in best.values()
        if hit.word in prompt or hit.start is not None
    )


def occurs(word: str, text: str) -> bool:
    """Whether a word is in a text as it is written; `Ann` is not in `Anna`."""
    word, text = (unicodedata.normalize("NFC", form) for form in (word, text))
    before = r"(?<![A-Za-z0-9])" if _joins(word[:1]) else ""
    after = r"(?![A-Za-z0-9])" if _joins(word[-1:]) else ""
    return re.search(before + re.escape(word) + after, text) is not None


def _joins(char: str) -> bool:
    return char.isascii() and char.isalnum()
