"""Write funasr_cli/chinese_words.txt: common Chinese words, most frequent first, from jieba.

pip install jieba; python tests/make_words.py [FILE]

jieba (MIT licence, copyright 2013 Sun Junyi) counts 349,000 words. Kept are those of one to four
characters that it counted at least `LEAST` times. Words that it takes for names of persons are
among them: many are everyday words (阳光, 智慧, 明白). Only the order matters afterwards, so the
counts are left out.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

from funasr_cli import chinese_words

LEAST = 10
_WORD = re.compile(r"[\u4e00-\u9fff]{1,4}")


def counted(dictionary: Path) -> list[tuple[int, str]]:
    """Count and word of every line that is kept, most frequent first."""
    found = []
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        word, count, _ = line.rsplit(" ", 2)
        if _WORD.fullmatch(word) and int(count) >= LEAST:
            found.append((int(count), word))
    return sorted(found, key=lambda entry: (-entry[0], entry[1]))


def main() -> None:
    """Command line."""
    spec = find_spec("jieba")
    if spec is None or spec.origin is None:
        sys.exit("jieba is missing: pip install jieba")
    found = counted(Path(spec.origin).parent / "dict.txt")
    out = Path(sys.argv[1]) if sys.argv[1:] else chinese_words.WORDS
    out.write_text("".join(f"{word}\n" for _, word in found), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{out}: {len(found)} words\n")


if __name__ == "__main__":
    main()
