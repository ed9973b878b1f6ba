"""Where words begin in scripts that do not put a space between them.

Chinese: the likeliest words (`chinese_words.py`). Japanese: a phrase begins where an ideograph,
katakana or a digit follows hiragana. Only spaces tell in Korean, and nothing does in Thai, Lao,
Khmer and Burmese.
"""

import re
from typing import Final

from funasr_cli.chinese_words import word_starts
from funasr_cli.script import Script

BREAKABLE: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fff\u3005-\u3007\u3041-\u3096\u3099-\u30fa"
    r"\u30fc-\u30ff\u31f0-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f"
    r"\U00020000-\U0003ffff"
)
"""Inside [] of a pattern: what may be cut between any two characters, if it has to be."""
_RUN: Final = re.compile(f"[{BREAKABLE}]+")
_HAN_RUN: Final = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff]+")
_AFTER_HIRAGANA: Final = re.compile(r"(?<=[\u3041-\u309f])(?=[^\u3041-\u309f\u30fc\s])")


def inner_offsets(text: str, script: Script) -> set[int]:
    """Find the offsets at which a cut would go through a word of a script without spaces."""
    inner = {at for run in _RUN.finditer(text) for at in range(run.start() + 1, run.end())}
    if script == "zh":
        for run in _HAN_RUN.finditer(text):
            inner.difference_update(run.start() + at for at in word_starts(run.group()))
    elif script == "ja":
        inner.difference_update(match.start() for match in _AFTER_HIRAGANA.finditer(text))
    return inner
