"""Cues and the words that they show: what the writers of timed formats share.

A cue may break lines and leave punctuation out; its words are found again in the transcript by
their order.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions, cues
from funasr_cli.characters import graphemes
from funasr_cli.merge import join_texts
from funasr_cli.results import CharTime, Segment, Transcript

_LINE_END = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")
_OPENING = frozenset({"Ps", "Pi", "Sc"})
"""Brackets, quotes and currency signs belong to the word behind them."""
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, kana and ideographs: written without spaces between words."""


class Beat(NamedTuple):
    """What lights up at once."""

    shown: str
    start: float
    end: float


@dataclass(frozen=True)
class Word:
    """A word, or one character of a script without spaces, with its punctuation."""

    text: str
    """As in the transcript, with the space before it."""
    beats: tuple[Beat, ...]
    """The word, or each digit of a number, as the cue shows it: after a space or a line end, maybe
    without its punctuation."""
    start: float
    end: float
    confidence: float
    """Mean over its letters; 0 where nothing was heard for it."""


@dataclass(frozen=True)
class Line:
    """One cue; times in seconds."""

    start: float
    end: float
    rows: tuple[str, ...]
    """What is shown, without empty rows and control characters."""
    text: str
    """The same part of the transcript in one row, with the punctuation that the cue leaves out,
    and the space before it."""
    words: tuple[Word, ...]
    """Empty where no times are known."""
    window: float
    """Where the segment begins that it was decoded in."""


@dataclass(frozen=True)
class _Piece:
    """One character of the transcript."""

    lead: str
    """The space before it."""
    core: str
    time: CharTime | None
    window: float


@dataclass
class _Draft:
    """A cue while its pieces are being found; each with what the cue shows of it."""

    start: float
    end: float
    shown: str
    parts: list[tuple[_Piece, str]] = field(default_factory=list)


def lines(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> list[Line]:
    """Cut a transcript into cues, each with its words; cues without anything to see are left out.

    The texts of all lines, joined, are the transcript's text, but for control characters and the
    kind of its spaces.
    """
    drafts = [
        _Draft(cue.start, cue.end, shown)
        for cue in cues(transcript.segments, options=captions)
        if (shown := _cleaned(cue.text))
    ]
    _assign(drafts, list(_pieces(transcript.segments)))
    return [_line(draft) for draft in drafts]


def one_row(text: str) -> str:
    """Put a text into one row, without control characters."""
    return re.sub(r"\s+", " ", _cleaned(text))


def _cleaned(text: str) -> str:
    """Drop control characters and empty rows; rows end with a line feed."""
    rows = _LINE_END.sub("\n", text.strip())
    return "".join(
        " " if c == "\t" else c for c in rows if c in "\n\t" or unicodedata.category(c) != "Cc"
    ).strip()


def _pieces(segments: Iterable[Segment]) -> Iterator[_Piece]:
    before = ""
    for segment in segments:
        text = segment.text.strip()
        chars = graphemes(text)
        times: Sequence[CharTime | None] = segment.chars
        if len(times) != len(chars):
            times = [None] * len(chars)
        # what the transcript has between two segments
        lead = join_texts((before, text))[len(before) : -len(text)] if before and text else ""
        at = 0
        for char, time in zip(chars, times, strict=True):
            found = text.index(char, at)
            space = lead if not at else " " * (found > at)
            yield _Piece(space, char, time, segment.start)
            at = found + len(char)
        before = text[-1:] or before


def _assign(drafts: Sequence[_Draft], pieces: Sequence[_Piece]) -> None:
    """Give each cue the pieces that it shows, and those behind them that no cue shows."""
    at = 0
    for number, draft in enumerate(drafts):
        here = 0
        lead = ""
        while here < len(draft.shown):
            piece = pieces[at] if at < len(pieces) else None
            if draft.shown[here].isspace():
                lead += draft.shown[here]
                here += 1
            elif piece and draft.shown.startswith(piece.core, here):
                draft.parts.append((piece, lead + piece.core))
                here += len(piece.core)
                at += 1
                lead = ""
            elif piece and not _is_letter(piece.core):
                # left out by the cue, or by the end of the cue before
                owner = draft if draft.parts or not number else drafts[number - 1]
                owner.parts.append((piece, ""))
                at += 1
            else:  # what the cue has and the transcript has not
                lead += draft.shown[here]
                here += 1
        if lead and draft.parts:
            piece, shown = draft.parts[-1]
            draft.parts[-1] = (piece, shown + lead)
    if drafts:
        drafts[-1].parts.extend((piece, "") for piece in pieces[at:])


def _line(draft: _Draft) -> Line:
    text = "".join(piece.lead + piece.core for piece, _ in draft.parts)
    lead = " " if text.startswith(" ") else ""
    return Line(
        draft.start,
        draft.end,
        tuple(draft.shown.split("\n")),
        lead + one_row(text or draft.shown),
        tuple(_words(draft.parts)),
        draft.parts[0][0].window if draft.parts else draft.start,
    )


def _words(parts: Sequence[tuple[_Piece, str]]) -> Iterator[Word]:
    if any(piece.time is None for piece, _ in parts):
        return
    for group in _grouped(parts, _begins_word):
        letters = _sounding(group)
        yield Word(
            "".join(piece.lead + piece.core for piece, _ in group),
            tuple(_beat(one) for one in _grouped(group, _begins_digit)),
            letters[0].start,
            letters[-1].end,
            sum(time.confidence for time in letters) / len(letters),
        )


def _grouped(
    parts: Sequence[tuple[_Piece, str]],
    begins: Callable[[Sequence[_Piece], _Piece, str], bool],
) -> list[list[tuple[_Piece, str]]]:
    groups: list[list[tuple[_Piece, str]]] = []
    for piece, shown in parts:
        if not groups or begins([p for p, _ in groups[-1]], piece, shown):
            groups.append([])
        groups[-1].append((piece, shown))
    return groups


def _beat(parts: Sequence[tuple[_Piece, str]]) -> Beat:
    letters = _sounding(parts)
    return Beat("".join(shown for _, shown in parts), letters[0].start, letters[-1].end)


def _sounding(parts: Sequence[tuple[_Piece, str]]) -> list[CharTime]:
    """Times of the letters; of punctuation, where there is nothing else."""
    times = [(piece.core, piece.time) for piece, _ in parts if piece.time]
    return [time for core, time in times if _is_letter(core)] or [time for _, time in times]


def _begins_digit(before: Sequence[_Piece], piece: _Piece, _shown: str) -> bool:
    return piece.core.isdigit() and any(p.core.isdigit() for p in before)


def _begins_word(word: Sequence[_Piece], piece: _Piece, shown: str) -> bool:
    if piece.lead or shown[:1].isspace():
        return True
    if _is_opening(word[-1].core):
        return False
    if not _is_letter(piece.core):
        return _is_opening(piece.core)
    letters = [known.core for known in word if _is_letter(known.core)]
    return bool(letters) and (_is_unspaced(letters[-1]) or _is_unspaced(piece.core))


def _is_letter(core: str) -> bool:
    return any(c.isalnum() for c in core)


def _is_opening(core: str) -> bool:
    return unicodedata.category(core[0]) in _OPENING


def _is_unspaced(core: str) -> bool:
    return _UNSPACED.match(core) is not None
