"""The text, how it sounds and when -> the text with the words of the list written right."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from funasr_cli.characters import graphemes
from funasr_cli.hotwords.index import HotwordIndex
from funasr_cli.hotwords.odds import likely
from funasr_cli.hotwords.phonemes import sound_out
from funasr_cli.hotwords.recall import evidence, listen
from funasr_cli.hotwords.search import EXACT_ONLY, search
from funasr_cli.results import CharTime, CtcToken, Replacement

SAME_TIME: Final = 0.5
"""Share of the longer of two spans of time that both must have in common to be one place."""
_INSIDE: Final = frozenset("-·'’")
"""Punctuation that may stand inside one word."""
_SENTENCE_ENDS: Final = frozenset(".!?。！？")


@dataclass(frozen=True)
class Replaced:
    """A text after replacing; characters and times go with it."""

    text: str
    chars: tuple[CharTime, ...]
    replacements: tuple[Replacement, ...] = ()


@dataclass(frozen=True)
class _Span:
    """Characters [first, last) of a text that become a word, and where they are in the text."""

    first: int
    last: int
    begin: int
    stop: int
    word: str
    similarity: float


def replace_words(  # noqa: PLR0913 - two texts of one sound, and what decides
    text: str,
    chars: tuple[CharTime, ...],
    tokens: Sequence[CtcToken],
    words: Sequence[str],
    aliases: Mapping[str, str],
    *,
    least: float,
    heard: float,
    listed: int = 0,
) -> Replaced:
    """Write words of the list where the text sounds like them and CTC heard them.

    A span that is the word already stays, as does all that overlaps it; of overlapping spans the
    best explanation of the sound wins, of homophones the word that stands first. Words of one
    syllable are never put in: they are everywhere.

    Args:
        text: what was written.
        chars: its characters and when they were spoken, as `align` gives them.
        tokens: what CTC heard.
        words: those that were recalled, the likeliest first.
        aliases: other spoken forms -> one of `words`.
        least: similarity that a span of the text must have.
        heard: similarity that what CTC heard there must have.
        listed: words of the list from which they were recalled: the more, the more must speak
            for each (`odds.py`).
    """
    if not (words and chars):
        return Replaced(text, chars)
    index = HotwordIndex.build(words, aliases)
    places = _heard_places(index, tokens, heard, max(listed, len(words)))
    candidates = (
        span
        for span in _candidates(index, text, least)
        if _is_already(text, span) or _was_heard(span, places.get(span.word, ()), chars)
    )
    changed = [span for span in _best(candidates) if not _is_already(text, span)]
    new_text, new_chars = text, list(chars)
    for span in reversed(changed):
        new_text = new_text[: span.begin] + span.word + new_text[span.stop :]
        new_chars[span.first : span.last] = _timed(span.word, chars[span.first : span.last])
    replacements = tuple(
        Replacement(
            text[span.begin : span.stop],
            span.word,
            chars[span.first].start,
            chars[span.last - 1].end,
            round(span.similarity, 4),
        )
        for span in changed
    )
    return Replaced(new_text, tuple(new_chars), replacements)


def _heard_places(
    index: HotwordIndex, tokens: Sequence[CtcToken], threshold: float, listed: int
) -> dict[str, list[tuple[float, float]]]:
    """Everywhere that CTC heard a word, not only where it fits best."""
    heard, phonemes = listen(tokens)
    found = search(index, phonemes, threshold)
    places: dict[str, list[tuple[float, float]]] = {}
    for match in likely(index, found, heard, phonemes, threshold, listed=listed):
        begin, end = phonemes[match.first].first, phonemes[match.last - 1].last
        places.setdefault(index.words[match.word], []).append((heard[begin].start, heard[end].end))
    return places


def _candidates(index: HotwordIndex, text: str, least: float) -> list[_Span]:
    """Spans of whole words that sound like one of the list, the best explanations first."""
    phonemes = sound_out(text)
    owners, begins, stops = _positions(text)
    found: list[tuple[tuple[float, bool, int, int], _Span]] = []
    for match in search(index, phonemes, least):
        first = owners[phonemes[match.first].first]
        last = owners[phonemes[match.last - 1].last] + 1
        begin, stop = begins[first], stops[last - 1]
        word = index.words[match.word]
        whole = not (_joined(text, begin) or _joined(text, stop))
        inside = {char for char in text[begin:stop] if _divides(char)}
        if match.length > EXACT_ONLY and whole and inside <= _INSIDE.union(word):
            span = _Span(first, last, begin, stop, word, match.similarity)
            rank = (-evidence(match), not _is_already(text, span), match.word, begin)
            found.append((rank, span))
    return [span for _, span in sorted(found, key=itemgetter(0))]


def _positions(text: str) -> tuple[list[int], list[int], list[int]]:
    """Which grapheme each character of a text belongs to; where each grapheme begins and stops.

    Spaces belong to the grapheme behind them.
    """
    owners: list[int] = []
    begins: list[int] = []
    stops: list[int] = []
    at = 0
    for number, grapheme in enumerate(graphemes(text)):
        begin = text.index(grapheme, at)
        owners += [number] * (begin + len(grapheme) - at)
        at = begin + len(grapheme)
        begins.append(begin)
        stops.append(at)
    return owners, begins, stops


def _joined(text: str, at: int) -> bool:
    """Whether a Latin word or a number goes on over a place: 100|4, Ann|a, 3|.5."""
    before, after = text[at - 1 : at], text[at : at + 1]
    if before in {".", ","}:
        before = text[at - 2 : at - 1] if after.isdecimal() else ""
    elif after in {".", ","}:
        after = text[at + 1 : at + 2] if before.isdecimal() else ""
        return before.isdecimal() and after.isdecimal()
    return all(char.isascii() and char.isalnum() for char in (before, after))


def _divides(char: str) -> bool:
    return unicodedata.category(char)[0] in "PSC"


def _is_already(text: str, span: _Span) -> bool:
    """Whether the word stands there; a small one may have a capital where a sentence begins."""
    there = text[span.begin : span.stop]
    if there == span.word:
        return True
    opens = text[: span.begin].rstrip()[-1:] in {"", *_SENTENCE_ENDS}
    return opens and there == span.word[:1].upper() + span.word[1:]


def _was_heard(
    span: _Span, places: Sequence[tuple[float, float]], chars: Sequence[CharTime]
) -> bool:
    start, end = chars[span.first].start, chars[span.last - 1].end
    return any(
        min(end, stop) - max(start, begin) >= SAME_TIME * max(end - start, stop - begin) > 0
        for begin, stop in places
    )


def _best(spans: Iterator[_Span]) -> list[_Span]:
    """Keep what overlaps nothing better; in the order of the text."""
    kept: list[_Span] = []
    for span in spans:
        if all(span.stop <= other.begin or other.stop <= span.begin for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.begin)


def _timed(word: str, spoken: Sequence[CharTime]) -> list[CharTime]:
    """Lay the characters of a word over the time of others; as many: one by one."""
    letters = graphemes(word)
    if len(letters) == len(spoken):
        pairs = zip(letters, spoken, strict=True)
        return [CharTime(one, old.start, old.end, old.confidence) for one, old in pairs]
    start, length = spoken[0].start, spoken[-1].end - spoken[0].start
    confidence = sum(char.confidence for char in spoken) / len(spoken)
    edges = [start + length * at / len(letters) for at in range(len(letters) + 1)]
    return [CharTime(one, edges[at], edges[at + 1], confidence) for at, one in enumerate(letters)]
