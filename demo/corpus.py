"""Sentences in three forms: spoken (CTC), written with digits, written with number words.

    python -m demo.corpus --count 20 --seed 1      # look at some

A sentence is random words of the closed vocabulary in random order, with numbers and names strewn
in: the model cannot guess the next word, so it has to listen. Names stand in the targets as
private-use characters (NAME_MARK + index); ``fill`` puts a spelling in.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from random import Random

from demo import lexicon as lex
from demo import numbers_en, numbers_zh
from demo.lexicon import Name

NAME_MARK = 0xE000
PUNCTUATION = "，。？！,.?!"
MAX_NAMES = 4


@dataclass(frozen=True)
class Sentence:
    """What is said and how it is written. ``language`` is "zh" or "en"."""

    language: str
    speak: str
    """for espeak-ng: number words and punctuation, names as spelled"""
    spoken: str
    """no punctuation, lower case, number words, canonical names"""
    itn: str
    """punctuation and digits, name marks"""
    plain: str
    """punctuation and number words, name marks"""
    names: tuple[Name, ...] = ()


@dataclass(frozen=True)
class _Unit:
    """One word, number or name: said, written, and kept apart from other numbers."""

    speak: str
    itn: str
    plain: str
    numeric: bool = False
    name: Name | None = None


def fill(text: str, spellings: list[str]) -> str:
    """Replace each name mark by its spelling."""
    for i, spelling in enumerate(spellings):
        text = text.replace(chr(NAME_MARK + i), spelling)
    return text


def strip_punctuation(text: str) -> str:
    """Without punctuation, except the point inside a number; blanks collapsed."""
    text = re.sub(r"(?<!\d)[.]|[.](?!\d)|[，。？！,?!]", " ", text)
    return re.sub(r"\s+", " ", text).strip()


def _random_key(language: str, rng: Random) -> tuple[str, ...]:
    if language == "zh":
        return tuple(rng.choice(lex.SYLLABLES) for _ in range(2 if rng.random() < 0.45 else 3))
    if rng.random() < 0.3:
        return (rng.choice(lex.EN_NAMES["alone"])[0],)
    return (rng.choice(lex.EN_NAMES["first"])[0], rng.choice(lex.EN_NAMES["last"])[0])


def make_name(language: str, rng: Random) -> Name:
    """A random name; zh: 2-3 syllables of words.json's homophones, en: first name, or both."""
    return lex.random_name(language, _random_key(language, rng), rng)


def near_name(language: str, key: tuple[str, ...], rng: Random) -> Name:
    """A name that shares all but one part with the sound ``key`` (zh: syllable, en: name)."""
    at = rng.randrange(len(key))
    if language == "zh":
        alike = [s for s in lex.SYLLABLES if s != key[at] and s[:2] == key[at][:2]]
        part = rng.choice(alike if alike and rng.random() < 0.5 else lex.SYLLABLES)
    else:
        kind = "alone" if len(key) == 1 else ("first", "last")[at]
        part = rng.choice(lex.EN_NAMES[kind])[0]
    return lex.random_name(language, (*key[:at], part, *key[at + 1 :]), rng)


def _zh_units(rng: Random, count: int, numbers: float, names: float) -> list[_Unit]:
    units: list[_Unit] = []
    while len(units) < count:
        kind = rng.random()
        if kind < numbers and not (units and units[-1].numeric):
            said, written = rng.choice(numbers_zh.ZH_KINDS)(rng)
            units.append(_Unit(said, written, said, numeric=True))
        elif kind < numbers + names:
            if rng.random() < 0.5:
                units.append(_word(rng.choice(lex.ZH_BEFORE_NAME)))
            name = make_name("zh", rng)
            units.append(_Unit(name.spelled, "\0", "\0", name=name))
            if rng.random() < 0.4:
                units.append(_word(rng.choice(lex.ZH_TITLES)))
        elif rng.random() < 0.17:
            units.append(_word(rng.choice(lex.ZH_GLUE)))
        else:
            word = rng.choice(lex.ZH_WORDS)
            # 十分 or 一个 after a number would read as part of it.
            if not (
                units
                and units[-1].numeric
                and word[0] in "一二三四五六七八九十两几第点分半百千万年月日号"
            ):
                units.append(_word(word))
    return units


def _en_units(rng: Random, count: int, numbers: float, names: float) -> list[_Unit]:
    units: list[_Unit] = []
    while len(units) < count:
        kind = rng.random()
        after_number = bool(units) and units[-1].numeric
        if (
            kind < numbers
            and not after_number
            and not (units and units[-1].plain.lower() in lex.EN_NUMBER_WORDS)
        ):
            said, written = rng.choice(numbers_en.EN_KINDS)(rng)
            units.append(_Unit(said, written, said, numeric=True))
        elif kind < numbers + names:
            name = make_name("en", rng)
            units.append(_Unit(name.spelled, "\0", "\0", name=name))
        elif rng.random() < 0.12:
            units += [_word(lex.EN_CASED.get(w, w)) for w in rng.choice(lex.EN_PHRASES).split()]
        else:
            word = rng.choice(lex.EN_GLUE) if rng.random() < 0.06 else rng.choice(lex.EN_WORDS)
            if not (after_number and word in lex.EN_NUMBER_WORDS):
                units.append(_word(lex.EN_CASED.get(word, word)))
    return units


def _word(text: str) -> _Unit:
    return _Unit(text, text, text)


def make_sentence(
    language: str, rng: Random, names: float | None = None, clauses: int | None = None
) -> Sentence:
    """One sentence of 1-4 clauses; ``names``: the chance of a name at each place, else drawn."""
    zh = language == "zh"
    if names is None:
        names = 0.16 if rng.random() < 0.45 else 0.0
    numbers = rng.choice([0.0, 0.1, 0.25])
    if clauses is None:
        clauses = rng.choices([1, 2, 3, 4], [45, 30, 17, 8])[0]
    make, blank = (_zh_units, "") if zh else (_en_units, " ")
    comma, stop, ask, shout = "，。？！" if zh else (", ", ".", "?", "!")
    parts: list[tuple[str, str, str]] = []
    found: list[Name] = []
    said: dict[tuple[str, ...], Name] = {}
    for _ in range(clauses):
        longest = 7 if zh else 9
        units = make(rng, rng.randint(1 if clauses == 1 else 2, longest), numbers, names)
        written = []
        for u in units:
            if u.name is not None and len(found) < MAX_NAMES:
                # who is named twice is spelled alike both times
                name = said.setdefault(u.name.key, u.name)
                mark = chr(NAME_MARK + len(found))
                found.append(name)
                written.append((name.spelled, mark, mark))
            elif u.name is not None:
                written.append((u.name.canonical,) * 3)
            else:
                written.append((u.speak, u.itn, u.plain))
        parts.append(tuple(blank.join(w[i] for w in written) for i in range(3)))  # type: ignore[arg-type]
    end = rng.choices([stop, ask, shout], [84, 13, 3])[0]
    tail = "吗" if zh and end == ask else ""
    speak, itn, plain = (comma.join(p[i] for p in parts) + tail + end for i in range(3))
    if not zh:
        speak, itn, plain = (t[0].upper() + t[1:] for t in (speak, itn, plain))
    spoken = fill(strip_punctuation(plain), [n.canonical for n in found]).lower()
    spoken = spoken.replace(" ", blank)
    return Sentence(language, speak, spoken, itn, plain, tuple(found))


def join(sentences: list[Sentence]) -> Sentence:
    """Several sentences of one language as one text; name marks are renumbered."""
    blank = "" if sentences[0].language == "zh" else " "
    texts: list[tuple[str, str]] = []
    names: list[Name] = []
    for s in sentences:
        shift = {NAME_MARK + i: NAME_MARK + len(names) + i for i in range(len(s.names))}
        texts.append((s.itn.translate(shift), s.plain.translate(shift)))
        names += s.names
    return Sentence(
        sentences[0].language,
        " ".join(s.speak for s in sentences),
        blank.join(s.spoken for s in sentences),
        blank.join(t[0] for t in texts),
        blank.join(t[1] for t in texts),
        tuple(names),
    )


def main() -> None:
    """Print some sentences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = Random(args.seed)
    for i in range(args.count):
        s = make_sentence("zh" if i % 2 else "en", rng)
        canonical = [n.canonical for n in s.names]
        print(
            f"speak  {s.speak}\nspoken {s.spoken}\nitn    {fill(s.itn, canonical)}\n"
            f"plain  {fill(s.plain, canonical)}\n"
            f"names  {[(n.canonical, n.spelled) for n in s.names]}\n"
        )


if __name__ == "__main__":
    main()
