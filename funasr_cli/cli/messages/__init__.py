"""The language of what people read: English as it stands in the source, or Chinese.

Texts are translated where they leave the program (`tr`); what raises or warns knows nothing of it.
Data on stdout, JSON and logs of other programs stay as they are.
"""

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from funasr_cli.cli.messages.catalogue import Catalogue

LANGUAGE_VARIABLE = "FUNASR_LANG"
ENGLISH, CHINESE = "en", "zh"
_CHINESE_NAMES = ("zh", "chinese", "中文", "cmn")
_WINDOWS_CHINESE = 0x04
"""LANG_CHINESE, the low ten bits of a Windows LANGID (Microsoft, winnt.h)."""


def ui_language() -> str:
    """Tell in which language to speak: `zh` or `en`.

    FUNASR_LANG decides, else the first of LC_ALL, LC_MESSAGES and LANG that is set (POSIX), else,
    on Windows, the language of its windows.
    """
    for variable in (LANGUAGE_VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"):
        if name := os.environ.get(variable, "").strip().lower():
            return CHINESE if name.startswith(_CHINESE_NAMES) else ENGLISH
    return CHINESE if sys.platform == "win32" and _windows_is_chinese() else ENGLISH


def _windows_is_chinese() -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows only
    return bool(kernel.GetUserDefaultUILanguage() & 0x3FF == _WINDOWS_CHINESE)


def tr(text: str) -> str:
    """Translate a message into the user's language; whatever is unknown stays as it is."""
    return text if ui_language() == ENGLISH else _chinese().translate(text)


def tr_word(text: str) -> str:
    """Translate a word of a table: one that may also be somebody's file name elsewhere."""
    return text if ui_language() == ENGLISH else _chinese().word(text)


def tr_help(text: str) -> str:
    """Translate a help text, one paragraph at a time."""
    return text if ui_language() == ENGLISH else _chinese().help(text)


@lru_cache(maxsize=1)
def _chinese() -> "Catalogue":
    """Read the Chinese catalogue, once."""
    from funasr_cli.cli.messages.catalogue import Catalogue, read_po

    file = Path(__file__).with_name("zh.po")
    return Catalogue(read_po(file.read_text(encoding="utf-8")))
