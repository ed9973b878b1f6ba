"""A word list -> what is wrong with it, and what its owner should know."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from funasr_cli.hotwords.index import HotwordIndex
from funasr_cli.hotwords.phonemes import Phoneme, pronunciations, sound_out
from funasr_cli.hotwords.search import EXACT_ONLY, USUAL_THRESHOLD, search, weights
from funasr_cli.hotwords.similarity import SIMILAR
from funasr_cli.hotwords.store import open_index
from funasr_cli.hotwords.wordlist import Entry, Problem

MANY_WORDS: Final = 1000
"""From here on, words of two characters are met by chance in any text (docs/HOTWORDS.md)."""
TWO_CHARACTERS: Final = 4
"""Phonemes of two Chinese characters."""
BATCH: Final = 300
"""Phonemes that are searched at once."""

Kind = Literal["unreadable", "duplicate", "same sound", "near sound", "short", "silent", "weight"]


@dataclass(frozen=True)
class Finding:
    """Something about some words of a list."""

    kind: Kind
    words: tuple[str, ...]
    where: tuple[str, ...]
    """Where in the list; empty where it concerns many lines."""
    text: str

    @property
    def is_error(self) -> bool:
        """Whether the list cannot be used as it is."""
        return self.kind == "unreadable"


def check(entries: Sequence[Entry], problems: Sequence[Problem] = ()) -> tuple[Finding, ...]:
    """Look for everything in a list that surprises people later; errors come first."""
    words = tuple(dict.fromkeys(entry.word for entry in entries))
    aliases = {form: entry.word for entry in entries for form in entry.spoken}
    index = open_index(words, aliases)
    return (
        *(Finding("unreadable", (), (problem.where,), problem.what) for problem in problems),
        *_duplicates(entries),
        *_alike(index, entries),
        *_short(words, aliases),
        *_silent(index),
        *_weights(entries),
    )


def _duplicates(entries: Sequence[Entry]) -> Iterator[Finding]:
    same: dict[tuple[str, tuple[str, ...]], list[Entry]] = {}
    leads: dict[str, dict[str, Entry]] = {}
    for entry in entries:
        same.setdefault((entry.word, entry.spoken), []).append(entry)
        for form in entry.spoken:
            leads.setdefault(form, {})[entry.word] = entry
    for (word, _), held in same.items():
        if len(held) > 1:
            where = tuple(entry.where for entry in held)
            yield Finding("duplicate", (word,), where, f"stands there {len(held)} times")
    for form, targets in leads.items():
        if len(targets) > 1:
            where = tuple(entry.where for entry in targets.values())
            text = f"{form} leads to {len(targets)} words; only the last one counts"
            yield Finding("duplicate", tuple(targets), where, text)


def _alike(index: HotwordIndex, entries: Sequence[Entry]) -> Iterator[Finding]:
    """Words that the sound cannot tell apart, or hardly."""
    where: dict[str, str] = {}
    forms: dict[str, str] = {}  # spoken form -> its word
    for entry in entries:
        where.setdefault(entry.word, entry.where)
        forms |= dict.fromkeys((entry.word, *entry.spoken), entry.word)
    numbers = {word: at for at, word in enumerate(index.words)}
    near: dict[str, dict[str, int]] = {}
    for form, other, distance in _near_pairs(index, forms):
        # each pair once, under the word that stands first
        first, second = sorted((forms[form], other), key=numbers.__getitem__)
        found = near.setdefault(first, {})
        found[second] = min(distance, found.get(second, distance))
    told: set[str] = set()
    for word in sorted(near, key=numbers.__getitem__):
        others = sorted(near[word], key=numbers.__getitem__)
        same = tuple(other for other in others if near[word][other] == 0)
        if same and word not in told:
            told.update(same)
            words = (word, *same)
            places = tuple(where[one] for one in words)
            text = "nothing in the sound tells them apart; the LLM decides"
            yield Finding("same sound", words, places, text)
        if close := tuple(other for other in others if near[word][other]):
            words = (word, *close)
            places = tuple(where[one] for one in words)
            yield Finding("near sound", words, places, "one sound or tone apart")


def _near_pairs(index: HotwordIndex, forms: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """Search the list for each of its own forms: (form, another word, distance)."""
    for spoken in _batches(forms):
        phonemes: list[Phoneme] = []
        stretches: dict[tuple[int, int], str] = {}
        for form, sounds in spoken:
            stretches[len(phonemes), len(phonemes) + len(sounds)] = form
            phonemes += sounds
        for match in search(index, phonemes, USUAL_THRESHOLD, most=SIMILAR):
            form_at = stretches.get((match.first, match.last))
            if form_at is None or forms[form_at] == index.words[match.word]:
                continue
            scale = float(weights(np.array([match.length], np.int32))[0])
            distance = round((1 - match.similarity) * scale)
            yield form_at, index.words[match.word], distance


def _batches(forms: Iterable[str]) -> Iterator[list[tuple[str, list[Phoneme]]]]:
    batch: list[tuple[str, list[Phoneme]]] = []
    size = 0
    for form in forms:
        if sounds := sound_out(form):
            batch.append((form, sounds))
            size += len(sounds)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _short(words: Sequence[str], aliases: dict[str, str]) -> Iterator[Finding]:
    longest = {word: max(map(len, pronunciations(word)), default=0) for word in words}
    for form, word in aliases.items():
        longest[word] = max(longest[word], 0, *map(len, pronunciations(form)))
    syllables = tuple(word for word, length in longest.items() if 0 < length <= EXACT_ONLY)
    if syllables:
        text = "one syllable: counts only if it sounds exactly so, and then everywhere"
        yield Finding("short", syllables, (), text)
    if len(words) >= MANY_WORDS:
        pairs = tuple(
            word for word, length in longest.items() if EXACT_ONLY < length <= TWO_CHARACTERS
        )
        if pairs:
            text = (
                f"two characters in a list of {len(words)}: some are in every text by sound; "
                "write full names and long forms"
            )
            yield Finding("short", pairs, (), text)


def _silent(index: HotwordIndex) -> Iterator[Finding]:
    if index.silent:
        text = "no sound that is known (or too long): never found; write `spoken = written`"
        yield Finding("silent", index.silent, (), text)


def _weights(entries: Sequence[Entry]) -> Iterator[Finding]:
    weighted = tuple(entry for entry in entries if entry.weighted)
    if weighted:
        words = tuple(dict.fromkeys(entry.word for entry in weighted))
        where = tuple(entry.where for entry in weighted)
        text = "^ ignored: the words go into a prompt, which knows no weights"
        yield Finding("weight", words, where, text)
