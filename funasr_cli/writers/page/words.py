"""Transcript -> paragraphs of words that light up on their own.

A word is one Chinese character, or what stands between spaces in other scripts: letters that join
(Arabic) or kern (Latin) must not be torn apart, so the page fills such a word letter by letter.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from funasr_cli.captions.cutting import STRONG
from funasr_cli.confidence import doubt, timed_pieces
from funasr_cli.results import CharTime, Transcript

PARAGRAPH_S = 15.0
"""A paragraph of this length ends with its sentence."""
SENTENCE_PAUSE_S, PAUSE_S = 1.5, 3.0
"""Pauses that end a paragraph after a sentence, and anywhere."""
_INSIDE = frozenset("'’.,:%-/")
"""Punctuation that does not end a word when a letter follows at once; % also ends one."""


@dataclass(frozen=True)
class Word:
    """A piece of text with its letters' times, or text between words, which has none."""

    text: str
    chars: tuple[CharTime, ...] = ()

    @property
    def doubt(self) -> int:
        """The worst grade of a letter."""
        return max(map(doubt, self.chars), default=0)


def paragraphs(transcript: Transcript) -> list[list[Word]]:
    """Cut a transcript into paragraphs; joined, their words are its text without outer spaces."""
    found: list[list[Word]] = [[]]
    begin: CharTime | None = None
    last: CharTime | None = None
    between = ""
    for word in _words(transcript):
        if not word.chars:
            between += word.text
        elif begin and last and _parts(begin, last, word.chars[0], between):
            found.append([])
            begin, between = word.chars[0], ""
        else:
            begin, between = begin or word.chars[0], ""
        last = word.chars[-1] if word.chars else last
        if found[-1] or word.text.strip():
            found[-1].append(word)
    return [paragraph for paragraph in found if paragraph]


def _parts(begin: CharTime, last: CharTime, following: CharTime, between: str) -> bool:
    """Tell whether a paragraph ends after the text `between` two words."""
    pause = following.start - last.end
    mark = between.rstrip().rstrip("”’」』）)\"'")[-1:]
    sentence = (mark in STRONG and mark != "") or (mark == "." and between[-1:].isspace())
    enough = pause >= SENTENCE_PAUSE_S or last.end - begin.start >= PARAGRAPH_S
    return (sentence and enough) or pause >= PAUSE_S


def _words(transcript: Transcript) -> Iterator[Word]:
    """Join letters to words; marks inside a word belong to it, all others stand between words."""
    letters: list[CharTime] = []
    marks: list[CharTime] = []  # after the letters; inside the word if another letter follows
    for text, char in timed_pieces(transcript.text, transcript.segments):
        sounds = char is not None and any(c.isalnum() for c in text)
        if char and sounds and _narrow(text):
            letters += [*marks, char]
            marks = []
            continue
        if char and letters and text in _INSIDE:
            marks.append(char)
            continue
        yield from _finished(letters, marks)
        letters, marks = [], []
        yield Word(text, (char,)) if char and sounds else Word(text)
    yield from _finished(letters, marks)


def _finished(letters: list[CharTime], marks: list[CharTime]) -> Iterator[Word]:
    if not letters:
        return
    if marks and marks[0].text == "%":
        letters, marks = [*letters, marks[0]], marks[1:]
    yield Word("".join(c.text for c in letters), tuple(letters))
    if marks:
        yield Word("".join(c.text for c in marks))


def _narrow(text: str) -> bool:
    """Tell letters of scripts with words from ideographs, kana and Hangul syllables."""
    return len(text.split()) == 1 and unicodedata.east_asian_width(text[0]) not in "WF"
