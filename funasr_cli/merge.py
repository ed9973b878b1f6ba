"""Texts of consecutive segments -> one transcript."""

from collections.abc import Iterable

from funasr_cli.script import spaced_between


def join_texts(texts: Iterable[str]) -> str:
    """Join segment texts: a space between them unless their script has none."""
    joined = ""
    for text in filter(None, texts):
        joined += " " * spaced_between(joined, text) + text
    return joined
