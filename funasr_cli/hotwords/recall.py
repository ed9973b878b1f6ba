"""CTC tokens + word index -> the words of the list that were probably said."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Recalled:
    """The words of a list that sound like something in the CTC text.

    Each at most once, where it fits best; longer and better ones first.
    """

    hits: tuple[HotwordHit, ...] = ()
    """Probably said. Of overlapping words those stay that explain the sound best; words that sound
    alike all stay."""
    left_out: tuple[HotwordHit, ...] = ()
    """Nothing speaks for them but that everyday language, `taken_for`, sounds like them."""


def recall(
    index: HotwordIndex, tokens: Sequence[CtcToken], *, threshold: float, limit: int
) -> list[HotwordHit]:
    """Find the words that were probably said: see `weigh`."""
    return [*weigh(index, tokens, threshold=threshold, limit=limit).hits]


def weigh(
    index: HotwordIndex, tokens: Sequence[CtcToken], *, threshold: float, limit: int
) -> Recalled:
    """Find the words that sound like something in the CTC text, and tell which were said.

    Args:
        index: The list.
        tokens: What CTC heard, in order of time.
        threshold: Least similarity, 0..1.
        limit: Most words of either kind.
    """
    heard, phonemes = listen(tokens)

    def rank(match: Match) -> tuple[float, bool, int, int]:
        other = match.similarity < 1 or not index.spells(_span(match, heard, phonemes), match.word)
        return (-evidence(match), other, match.word, match.first)

    matches = sorted(search(index, phonemes, threshold), key=rank)
    said = set(likely(index, matches, heard, phonemes, threshold))
    hits = _first(_best_explanations(match for match in matches if match in said), limit)
    others = (
        match
        for match in matches
        if match not in said and not any(_explains(hit, match) for hit in hits.values())
    )
    left_out = _first(others, limit, but=hits)

    def told(match: Match, taken_for: str | None = None) -> HotwordHit:
        return HotwordHit(
            word=index.words[match.word],
            similarity=round(match.similarity, 4),
            start=heard[phonemes[match.first].first].start,
            end=heard[phonemes[match.last - 1].last].end,
            taken_for=taken_for,
        )

    return Recalled(
        tuple(map(told, hits.values())),
        tuple(told(match, _span(match, heard, phonemes)) for match in left_out.values()),
    )


def listen(tokens: Sequence[CtcToken]) -> tuple[list[HeardChar], list[Phoneme]]:
    """Read what CTC heard aloud, with what else it may have heard."""
    heard = heard_characters(tokens)
    return heard, or_rather(sound_out("".join(char.text for char in heard)), heard)


def evidence(match: Match) -> float:
    """Longer and better first: what fits speaks for a word, what does not fit against it."""
    return match.length * (2 * match.similarity - 1)


def _span(match: Match, heard: Sequence[HeardChar], phonemes: Sequence[Phoneme]) -> str:
    """What CTC wrote where a word was heard."""
    span = heard[phonemes[match.first].first : phonemes[match.last - 1].last + 1]
    return "".join(char.text for char in span)


def _first(matches: Iterable[Match], limit: int, *, but: Container[int] = ()) -> dict[int, Match]:
    """The first match of each word, of so many words."""
    chosen: dict[int, Match] = {}
    for match in matches:
        if len(chosen) == limit:
            break
        if match.word not in but:
            chosen.setdefault(match.word, match)
    return chosen


def _best_explanations(matches: Iterable[Match]) -> Iterator[Match]:
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
