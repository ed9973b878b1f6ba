"""Hotwords: word list -> phonemes -> what of it was heard."""

from funasr_cli.hotwords.index import HotwordIndex
from funasr_cli.hotwords.recall import Recalled, recall, weigh
from funasr_cli.hotwords.replace import Replaced, replace_words
from funasr_cli.hotwords.report import report
from funasr_cli.hotwords.store import open_index
from funasr_cli.hotwords.wordlist import WordList, read_hotwords

__all__ = [
    "HotwordIndex",
    "Recalled",
    "Replaced",
    "WordList",
    "open_index",
    "read_hotwords",
    "recall",
    "replace_words",
    "report",
    "weigh",
]
