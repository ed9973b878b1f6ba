"""How sure the model was of each character of a text, in three grades.

A leaf: the terminal and the page must call the same characters doubtful.
"""

from collections.abc import Iterable, Iterator

from funasr_cli.results import CharTime, Segment

SURE, LIKELY = 0.8, 0.5
"""From `SURE` on a character is taken as heard; below `LIKELY` it may be another one."""


def doubt(char: CharTime) -> int:
    """Grade a character: 0 sure, 1 unsure, 2 doubtful.

    Punctuation makes no sound, so its confidence of 0 says nothing: it is never in doubt.
    """
    if char.confidence >= SURE or not any(c.isalnum() for c in char.text):
        return 0
    return 1 if char.confidence >= LIKELY else 2


def timed_pieces(text: str, segments: Iterable[Segment]) -> Iterator[tuple[str, CharTime | None]]:
    """Cut a transcript's text at its characters; joined, the pieces are the text again.

    A segment without character times is one piece with the times of the segment, taken as sure.

    Yields:
        A piece and its time; None for spaces and for what stands in no segment.
    """
    at = 0
    for char in _chars(segments):
        found = text.find(char.text, at)
        # only spaces may be between: anything else means that text and times do not belong together
        if found < 0 or text[at:found].strip():
            break
        if found > at:
            yield text[at:found], None
        at = found + len(char.text)
        yield char.text, char
    if at < len(text):
        yield text[at:], None


def _chars(segments: Iterable[Segment]) -> Iterator[CharTime]:
    for segment in segments:
        if segment.chars:
            yield from segment.chars
        elif segment.text:
            yield CharTime(segment.text.strip(), segment.start, segment.end, 1.0)
