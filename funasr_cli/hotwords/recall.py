"""CTC tokens + word index -> the words of the list that were probably said."""

from collections.abc import Iterator, Sequence
from typing import Final

from funasr_cli.characters import HeardChar, heard_characters
from funasr_cli.hotwords.index import HotwordIndex
from funasr_cli.hotwords.odds import likely
from funasr_cli.hotwords.phonemes import Phoneme, or_rather, sound_out
from funasr_cli.hotwords.search import Match, search
from funasr_cli.results import CtcToken, HotwordHit

ALIKE: Final = 0.1
"""Words this near in similarity on one stretch cannot be told apart by sound."""
SAME_STRETCH: Final = 0.75
"""A shorter stretch inside a longer one counts as the same from this share of its length."""


def recall(
    index: HotwordIndex, tokens: Sequence[CtcToken], *, threshold: float, limit: int
) -> list[HotwordHit]:
    """Find the words that sound like something in the CTC text.

    Args:
        index: The list.
        tokens: What CTC heard, in order of time.
        threshold: Least similarity, 0..1.
        limit: Most words to return.

    Returns:
        Each word at most once, where it fits best; longer and better ones first. Of overlapping
        words those stay that explain the sound best; words that sound alike all stay. Words for
        which nothing speaks but that everyday language sounds like them are left out.
    """
    heard, phonemes = listen(tokens)
    found = search(index, phonemes, threshold)
    matches = sorted(
        likely(index, found, heard, phonemes, threshold),
        key=lambda match: (
            -evidence(match),
            not _as_written(index, match, heard, phonemes),
            match.word,
            match.first,
        ),
    )
    chosen: dict[int, Match] = {}
    for match in _best_explanations(matches):
        if len(chosen) == limit:
            break
        chosen.setdefault(match.word, match)
    return [
        HotwordHit(
            word=index.words[match.word],
            similarity=round(match.similarity, 4),
            start=heard[phonemes[match.first].first].start,
            end=heard[phonemes[match.last - 1].last].end,
        )
        for match in chosen.values()
    ]


def listen(tokens: Sequence[CtcToken]) -> tuple[list[HeardChar], list[Phoneme]]:
    """Read what CTC heard aloud, with what else it may have heard."""
    heard = heard_characters(tokens)
    return heard, or_rather(sound_out("".join(char.text for char in heard)), heard)


def evidence(match: Match) -> float:
    """Longer and better first: what fits speaks for a word, what does not fit against it."""
    return match.length * (2 * match.similarity - 1)


def _as_written(
    index: HotwordIndex, match: Match, heard: Sequence[HeardChar], phonemes: Sequence[Phoneme]
) -> bool:
    """Whether CTC wrote the word itself: of homophones, the likeliest."""
    if match.similarity < 1:
        return False
    span = heard[phonemes[match.first].first : phonemes[match.last - 1].last + 1]
    return index.spells("".join(char.text for char in span), match.word)


def _best_explanations(matches: Sequence[Match]) -> Iterator[Match]:
    """Leave out what a better match explains."""
    kept: list[Match] = []
    for match in matches:
        if not any(_explains(better, match) for better in kept):
            kept.append(match)
            yield match


def _explains(better: Match, match: Match) -> bool:
    """Whether half of a match's stretch is taken by one that is longer or more alike."""
    shared = min(better.last, match.last) - max(better.first, match.first)
    length = match.last - match.first
    if 2 * shared < length:
        return False
    same = length >= SAME_STRETCH * (better.last - better.first)
    return not (same and match.similarity >= better.similarity - ALIKE)
