"""Units -> the text that will probably be written, with the other spellings that may be.

Punctuation stands where the speaker paused, digits for number words, capitals at the start of
sentences. Where two spellings are likely (2025, 二零二五), both are kept, as branches of a
lattice: a draft follows the one that the language model turns out to write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Final
from unicodedata import category, normalize

from funasr_cli.likely.units import Unit, is_ideograph, is_letter

PAUSE_S: Final = 0.14
"""A comma stands where the next unit comes this much later than the speaker's pace lets expect;
two CTC frames of 60 ms happen inside phrases too."""
LONG_PAUSE_S: Final = 0.6
"""The same for a full stop."""
TRUST: Final = 0.5
"""Characters that CTC was less sure of than this are more often wrong than right."""
SENTENCE_ENDS: Final = frozenset(".?!。？！…")
_SIGNS: Final = frozenset("%‰")
_QUESTIONS: Final = frozenset("吗呢")
_CAPITALISED: Final = frozenset(
    (  # noqa: SIM905 - thirty quotes would hide the words
        "i i'm i'll i've i'd mr mrs dr monday tuesday wednesday thursday friday saturday sunday "
        "january february april june july august september october november december"
    ).split()
)
"""Words that are names wherever they stand."""
_MONTHS: Final = frozenset({"march", "may"})
"""Words that are names before a number."""


@cache
def fold(char: str) -> str:
    """Fold width and case; "" for what has no sound: spaces, punctuation."""
    key = normalize("NFKC", char).casefold()
    return key if key in _SIGNS or category(key[:1] or " ")[0] in "LN" else ""


def sound(char: str, before: str) -> str:
    """Fold a character; a letter that begins a word keeps the space that sets it apart."""
    key = fold(char)
    return " " + key if is_letter(char) and not is_letter(before) else key


@dataclass
class LikelyText:
    """The favourite text, and a lattice with the other spellings.

    Node n is one sounding character; node 0 stands before the first.
    """

    text: str = ""
    keys: list[str] = field(default_factory=lambda: [""])
    """Folded character of each node; a word's first letter has a space before it."""
    after: list[list[int]] = field(default_factory=lambda: [[]])
    """Nodes that may follow; all greater than the node itself."""
    ends: list[list[int]] = field(default_factory=lambda: [[]])
    """Nodes that end the units which begin behind the node, so that these can be left out."""
    favourite: list[int] = field(default_factory=list)
    """The nodes of the favourite text."""
    heads: list[str] = field(default_factory=lambda: [""])
    """What is left of another spelling after the node; "" in the favourite text."""
    offsets: list[int] = field(default_factory=lambda: [0])
    """Where the favourite text goes on, after the node and its head."""
    doubts: list[int] = field(default_factory=list)
    """Offsets of characters that CTC was not sure of; rising."""
    starts: set[int] = field(default_factory=set)
    """Offsets of letters that are capitals only because they begin a sentence."""

    def add(self, before: Sequence[int], key: str, head: str) -> list[int]:
        """Put a node behind others, before what the text goes on with."""
        node = len(self.keys)
        for other in before:
            self.after[other].append(node)
        self.keys.append(key)
        self.after.append([])
        self.ends.append([])
        self.heads.append(head)
        self.offsets.append(len(self.text))
        return [node]


def likely_text(units: Sequence[Unit], *, is_name: Callable[[str], bool]) -> LikelyText:
    """Write the units; `is_name` tells of a word in lower case whether it is a name."""
    likely, last = LikelyText(), [0]
    marks = guess_marks(units)
    for at, unit in enumerate(units):
        mark = marks[at - 1] if at else ""
        spaced = not is_ideograph(unit.spoken[0])
        if at and spaced and not is_ideograph(units[at - 1].spoken[-1]):
            mark += " "
        likely.text += mark
        written, following = unit.written, units[at + 1].written[0] if at + 1 < len(units) else ""
        month = written in _MONTHS and following.isdigit()
        if month or written in _CAPITALISED or (written == unit.spoken and is_name(written)):
            written = _capitalised(written)
        elif (not at or mark[:1] in SENTENCE_ENDS) and _capitalised(written) != written:
            likely.starts.add(len(likely.text))
            written = _capitalised(written)
        last = _add_unit(likely, last, unit, written)
    likely.text += marks[-1] if marks else ""
    return likely


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:] if len(word[:1].upper()) == 1 else word


def _add_unit(likely: LikelyText, before: list[int], unit: Unit, written: str) -> list[int]:
    """Add a unit, and its spoken form where that is another; return the nodes that end it."""
    ends = before
    for char in written:
        if unit.confidence < TRUST:
            likely.doubts.append(len(likely.text))
        key = sound(char, likely.text[-1:])
        likely.text += char
        if key:
            ends = likely.add(ends, key, "")
            likely.favourite += ends
    if unit.spoken.casefold() != unit.written.casefold():
        other = before
        for at, char in enumerate(unit.spoken):
            if key := sound(char, unit.spoken[at - 1 : at]):
                other = likely.add(other, key, unit.spoken[at + 1 :])
        ends = sorted({*ends, *other})
    for node in before if ends != before else ():
        likely.ends[node] += [end for end in ends if end > node]
    return ends


def guess_marks(units: Sequence[Unit]) -> list[str]:
    """Guess the punctuation after each unit from how late the next one comes."""
    spans = [after.start - unit.start for unit, after in pairwise(units)]
    pace = median([span / unit.pace for span, unit in zip(spans, units, strict=False)] or [0])
    marks = []
    for unit, span in zip(units, spans, strict=False):
        late = span - pace * unit.pace
        pair = "，。" if is_ideograph(unit.spoken[-1]) else ",."
        marks.append("" if late < PAUSE_S else pair[late >= LONG_PAUSE_S])
    for unit in units[-1:]:
        last = unit.spoken[-1]
        marks.append("." if not is_ideograph(last) else "？" if last in _QUESTIONS else "。")
    return marks
