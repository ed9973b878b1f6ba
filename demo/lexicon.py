"""The closed vocabulary of the demo model: words, glue, names, and what sounds alike."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

WORDS = json.loads((Path(__file__).parent / "words.json").read_text(encoding="utf-8"))
ZH_WORDS: list[str] = WORDS["two"]
EN_WORDS: list[str] = WORDS["en"]

# Function words that words.json lacks as single entries; without them no sentence reads naturally.
ZH_GLUE = list("的的的了是在和有也都很我你他不就会要说去来到")
ZH_TITLES = ["先生", "老师", "主席", "教授", "主任", "同志", "部长", "总理", "记者", "总统"]
ZH_BEFORE_NAME = [
    "我是",
    "告诉",
    "认识",
    "联系",
    "这是",
    "名字是",
    "和",
    "我找",
    "谢谢",
    "欢迎",
    "因为",
    "的朋友",
]
# Number words in words.json must not touch a number expression: "twenty three" is 23.
EN_NUMBER_WORDS = set(
    "one two three four five six million half second third first oh may march june".split()
)
EN_CASED = {
    "american": "American",
    "america": "America",
    "london": "London",
    "york": "York",
    "june": "June",
    "mr": "Mr",
    "dr": "Dr",
    "st": "St",
    "i": "I",
}
# Short phrases fix the words that only their neighbours tell apart (to/two, know/no, buy/by).
EN_PHRASES = [
    "i know",
    "you know",
    "we know",
    "they know",
    "do you know",
    "no one",
    "no problem",
    "no more",
    "two years",
    "two people",
    "two days",
    "two hours",
    "too much",
    "too many",
    "too late",
    "too long",
    "me too",
    "have to",
    "want to",
    "need to",
    "going to",
    "to the",
    "to be",
    "to do",
    "to get",
    "by the",
    "by now",
    "buy a",
    "want to buy",
    "buy it",
    "buy the",
    "here is",
    "come here",
    "over here",
    "hear you",
    "can hear",
    "hear the",
    "due to",
    "a new",
    "the new",
    "new york",
    "i knew",
    "they knew",
    "in the",
    "of the",
    "for the",
    "on the",
    "there is",
    "there are",
    "their own",
    "their home",
    "it is",
    "this is",
    "that is",
    "i think",
    "i want",
    "i have",
    "he said",
    "the world",
    "united states",
    "right now",
    "four years",
    "for us",
    "i read",
    "is red",
    "the red",
]
EN_GLUE = ["i", "the", "a", "a", "i"]
# Groups of spellings that both English voices say alike; the first is what is written without a
# hot-word list. The product's recall finds every one by the first, "alone" also without a surname.
EN_NAMES: dict[str, list[list[str]]] = json.loads(
    (Path(__file__).parent / "names_en.json").read_text(encoding="utf-8")
)
EN_CANONICAL = [group[0] for kind in ("first", "last") for group in EN_NAMES[kind]]
EN_SPELLINGS = [name for kind in ("first", "last") for group in EN_NAMES[kind] for name in group]
_GROUPS = {kind: {group[0]: group for group in groups} for kind, groups in EN_NAMES.items()}

# lower case -> as it is written inside a sentence
CASED = EN_CASED | {n.lower(): n for n in EN_SPELLINGS}

# 70 syllables -> their characters. The characters that espeak-ng reads otherwise than the rest of
# their group (得 地 个 长) leave it: a hot word has to sound like what it replaces.
_READ_OTHERWISE = {"得", "地", "个", "长"}
HOMOPHONES: dict[str, list[str]] = {
    key: kept
    for key, chars in WORDS["homo"].items()
    if (kept := [c for c in chars if c not in _READ_OTHERWISE])
}
SYLLABLES = list(HOMOPHONES)
SYLLABLE_OF = {char: key for key, chars in HOMOPHONES.items() for char in chars}


@dataclass(frozen=True)
class Name:
    """A name of a sentence."""

    canonical: str
    """how it is written when no list says otherwise"""
    spelled: str
    """how the list spells it; equal to ``canonical`` in sound and length class"""
    key: tuple[str, ...]
    """its sound: syllables (zh) or the canonical spellings of its one or two parts (en)"""


def spelling_groups(language: str, key: tuple[str, ...]) -> list[list[str]]:
    """The spellings of each part of a sound; the canonical one is the first."""
    if language == "zh":
        return [HOMOPHONES[syllable] for syllable in key]
    kinds = ("alone",) if len(key) == 1 else ("first", "last")
    return [_GROUPS[kind][part] for kind, part in zip(kinds, key, strict=True)]


def spell(language: str, key: tuple[str, ...], rng: Random) -> str:
    """One of the spellings of a sound, each as likely."""
    joint = "" if language == "zh" else " "
    return joint.join(rng.choice(group) for group in spelling_groups(language, key))


def random_name(language: str, key: tuple[str, ...], rng: Random) -> Name:
    """A name of that sound with a random spelling."""
    joint = "" if language == "zh" else " "
    canonical = joint.join(group[0] for group in spelling_groups(language, key))
    return Name(canonical, spell(language, key, rng), key)


def all_text_units() -> tuple[list[str], list[str]]:
    """Every zh character and every en word (lower case, no names) that a target can hold."""
    zh = set("".join(ZH_WORDS + ZH_GLUE + ZH_TITLES + ZH_BEFORE_NAME))
    zh |= {c for chars in WORDS["homo"].values() for c in chars}
    zh |= set(
        "零一二三四五六七八九十百千万两幺点分之半月日号年第上午下晚个人天次元公里小时钟美条名位吗"
    )
    en = set(EN_WORDS) | {w for p in EN_PHRASES for w in p.split()} | set(EN_GLUE)
    from demo import numbers_en as v

    en |= set(
        v.EN_ONES
        + v.EN_TENS[2:]
        + v.EN_ORDINALS[1:]
        + ["hundred", "thousand", "and", "point", "percent", "at"]
    )
    en |= {t[:-1] + "ieth" for t in v.EN_TENS[2:]} | {m.lower() for m in v.EN_MONTHS}
    return sorted(zh), sorted(en)
