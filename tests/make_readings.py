"""Write funasr_cli/readings.txt: how each Chinese character is read, from pypinyin's dictionaries.

python tests/make_readings.py [FILE]

The first line holds all syllables with their initial and final in strict spelling: `you,,iou`, for
`jue,j,ve`; then each line is a character and its readings, commonest first: `长chang2 zhang3`.
Dictionaries also list
archaic readings (能: neng2, tai2, nai2, xiong2), which would make unrelated characters sound alike:
those that pypinyin's 47,000 phrases hardly use are left out.
"""

import sys
from collections import Counter
from functools import cache
from pathlib import Path

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3
from pypinyin.phrases_dict import phrases_dict

from funasr_cli import characters

LIVING_SHARE = 0.02
"""Least share of a character's phrases that a reading needs to count."""
UNKNOWN_READINGS = 2
"""Readings kept of a character without phrases: rare ones, mostly in names."""


def living_readings(char: str) -> tuple[str, ...]:
    """Syllables with their tone digit; empty for what pypinyin does not know."""
    found = pinyin(char, style=Style.TONE3, heteronym=True, errors="ignore")
    if not found:
        return ()
    used = Counter({to_tone3(sound): n for sound, n in _uses().get(char, {}).items()})
    if not used:
        return tuple(found[0][:UNKNOWN_READINGS])
    least = LIVING_SHARE * used.total()
    return tuple(dict.fromkeys([s for s, n in used.most_common() if n >= least] + found[0][:1]))


@cache
def _uses() -> dict[str, Counter[str]]:
    """Count how often the phrases read each character in which way."""
    uses: dict[str, Counter[str]] = {}
    for phrase, sounds in phrases_dict.items():
        for char, sound in zip(phrase, sounds, strict=False):
            uses.setdefault(char, Counter())[sound[0]] += 1
    return uses


def all_characters() -> list[str]:
    """Every character that pypinyin knows, in the order of their code points."""
    return [chr(code) for code in sorted(PINYIN_DICT)]


def syllable_parts(syllable: str) -> tuple[str, str]:
    """Initial and final of a syllable without its tone."""
    final = to_finals(syllable, strict=True, v_to_u=False)
    return to_initials(syllable, strict=True), final


def main() -> None:
    """Command line."""
    default = Path(characters.__file__).parent / "readings.txt"
    out = Path(sys.argv[1]) if sys.argv[1:] else default
    known = [(char, living_readings(char)) for char in all_characters()]
    syllables = sorted({characters.toneless(sound) for _, said in known for sound in said})
    lines = [" ".join(",".join((one, *syllable_parts(one))) for one in syllables) + "\n"]
    lines += [f"{char}{' '.join(said)}\n" for char, said in known if said]
    out.write_text("".join(lines), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{out}: {len(lines) - 1} characters\n")


if __name__ == "__main__":
    main()
