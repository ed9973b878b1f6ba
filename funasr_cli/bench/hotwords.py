"""How fast hot words are found, and how many: index, cache, recall, beside a plain search.

The lists and the mishearings are made up from a seed (word_lists.py, mishearing.py), so that
anybody measures the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final

from funasr_cli.bench.mishearing import CHARS_PER_S, KINDS, NEAR, heard, insert, mishear
from funasr_cli.bench.word_lists import sentences, word_list
from funasr_cli.characters import readings
from funasr_cli.hotwords import HotwordIndex, open_index, recall
from funasr_cli.hotwords.phonemes import sound_out
from funasr_cli.hotwords.search import search
from funasr_cli.hotwords.store import LEAST_WORDS

THRESHOLD: Final = 0.6
LIMIT: Final = 10
SEGMENT: Final = 150
"""Characters of a segment of about 30 s."""
SHORT_SEGMENT: Final = 40
"""Characters of a segment of about 9 s, as VAD cuts them."""
SEGMENTS: Final = 12
RUNS: Final = 3


@dataclass(frozen=True)
class Rates:
    """What is found of words that were said, and of words that were not."""

    hits: Mapping[str, float]
    """Kind of mishearing -> share of the words among the first ten."""
    near: float
    """The same over all kinds of one near sound."""
    false_per_minute: float
    """Words found in everyday sentences that hold none of them."""
    false_long_per_minute: float
    """Of these, words of more than two characters."""


def bench_hotwords(words: int, *, samples: int, seed: int) -> dict[str, Any]:
    """Measure with a list of so many words.

    Args:
        words: of the list.
        samples: words to mishear in each way; 0: no rates.
        seed: decides the list, the texts and the mishearings.

    Returns:
        Seconds and milliseconds by name; `brute_force_ms` is None without rapidfuzz.
    """
    readings("长")  # the dictionaries are read once a run, whatever is built
    rng = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    listed = word_list(words, seed)
    build_s = _least(lambda: HotwordIndex.build(listed))
    with TemporaryDirectory() as folder:
        open_index(listed, {}, Path(folder))
        kept_s = _least(lambda: open_index(listed, {}, Path(folder)))
    index = HotwordIndex.build(listed)
    texts = [insert(_said(listed, rng), sentences(), rng, SEGMENT) for _ in range(SEGMENTS)]
    found: dict[str, Any] = {
        "words": words,
        "pronunciations": sum(len(group.words) for group in index.groups),
        "index_s": build_s,
        "cached_s": kept_s if words >= LEAST_WORDS else None,
        "segment_characters": SEGMENT,
        **_compare(index, texts),
    }
    if samples:
        rates = measure_rates(listed, samples=samples, seed=seed)
        found |= {"samples": samples, **vars(rates)}
    return found


def _compare(index: HotwordIndex, texts: Sequence[str]) -> dict[str, Any]:
    """Time recall and brute force in turn: what the machine does beside this falls on both."""
    plain = brute_force(index)
    fast: list[float] = []
    alone: list[float] = []
    slow: list[float] = []
    for text in texts:
        tokens, phonemes = heard(text), sound_out(text)
        fast.append(_least(partial(_recall, index, tokens)))
        alone.append(_least(partial(search, index, phonemes, THRESHOLD)))
        if plain:
            slow.append(_least(partial(plain, text)))
    brute = median(slow) * 1000 if slow else None
    return {
        "recall_ms": median(fast) * 1000,
        "recall_worst_ms": max(fast) * 1000,
        "search_ms": median(alone) * 1000,
        "brute_force_ms": brute,
        "brute_force_speedup": brute / (median(alone) * 1000) if brute else None,
    }


def brute_force(index: HotwordIndex) -> Callable[[str], list[int]] | None:
    """Compare every word with every stretch of a text by rapidfuzz; None: it is not installed.

    The phonemes are the same, but of each place only the first, and all differences cost the
    same: rapidfuzz knows no table of similar sounds. So it finds other words, and fewer; it
    stands here for the time that a plain search takes.
    """
    try:
        from rapidfuzz.fuzz import partial_ratio
        from rapidfuzz.process import extract
    except ImportError:
        return None
    firsts = index.places.symbols[index.places.offsets].tolist()
    none = len(firsts)
    ways, owners = [], []
    for group in index.groups:
        rows = index.pairs[group.pairs].reshape(len(group.pairs), -1).tolist()
        ways += ["".join(chr(firsts[p] + 1) for p in row if p != none) for row in rows]
        owners += group.words.tolist()

    def find(text: str) -> list[int]:
        said = "".join(chr(phoneme.place[0] + 1) for phoneme in sound_out(text))
        best = extract(said, ways, scorer=partial_ratio, score_cutoff=100 * THRESHOLD, limit=LIMIT)
        return [owners[at] for _, _, at in best]

    return find


def measure_rates(listed: Sequence[str], *, samples: int, seed: int) -> Rates:
    """Mishear words of a list in every way, and search sentences that hold none of them.

    Args:
        listed: the list.
        samples: words of two or more Chinese characters for each kind of mishearing.
        seed: decides which, and the sentences around them.
    """
    rng = Random(seed)  # noqa: S311 - a reproducible sample, not a secret
    index = HotwordIndex.build(listed)
    hits: dict[str, float] = {}
    for kind in KINDS:
        right = [
            word in _recall(index, heard(insert(wrong, sentences(), rng, SHORT_SEGMENT)))
            for word, wrong in _misheard(listed, kind, samples, rng)
        ]
        hits[kind] = sum(right) / len(right) if right else 0.0
    false, minutes = false_hits(listed)
    return Rates(
        hits,
        sum(hits[kind] for kind in NEAR) / len(NEAR),
        len(false) / minutes,
        sum(len(word) > 2 for word in false) / minutes,  # noqa: PLR2004 - as it says
    )


def false_hits(listed: Sequence[str]) -> tuple[list[str], float]:
    """Recall words in the everyday sentences; those that are written there are left out.

    Returns:
        What was found though nobody said it (a homophone is in it too), and minutes of speech.
    """
    texts = sentences()
    together = "".join(texts)
    index = HotwordIndex.build([word for word in listed if word not in together])
    found: list[str] = []
    spoken = 0
    for at in range(0, len(texts), 2):
        tokens = heard("".join(texts[at : at + 2]).replace("，", ""))
        spoken += len(tokens)
        found += _recall(index, tokens)
    return found, spoken / CHARS_PER_S / 60


def _misheard(listed: Sequence[str], kind: str, samples: int, rng: Random) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for word in rng.sample(listed, len(listed)):
        if len(found) == samples:
            break
        if len(word) > 1 and all(map(readings, word)):
            wrong = mishear(word, kind, rng)
            if wrong:
                found.append((word, wrong))
    return found


def _said(listed: Sequence[str], rng: Random) -> str:
    ((_, wrong),) = _misheard(listed, "homophones", 1, rng)
    return wrong


def _recall(index: HotwordIndex, tokens: Sequence[Any]) -> list[str]:
    return [hit.word for hit in recall(index, tokens, threshold=THRESHOLD, limit=LIMIT)]


def _least(work: Callable[[], object]) -> float:
    """Seconds of the fastest of some runs: what the machine does beside this only adds."""
    seconds = []
    for _ in range(RUNS):
        begin = perf_counter()
        work()
        seconds.append(perf_counter() - begin)
    return min(seconds)
