"""CTC text and the tokens written so far -> the tokens that probably follow.

The decoder evaluates them in one batch and keeps those that the language model would have written
itself: a wrong proposal costs time, never text.
"""

from bisect import bisect_left, bisect_right
from codecs import utf_8_decode
from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate
from typing import Final

from funasr_cli.jobs import no_draft
from funasr_cli.likely.text import SENTENCE_ENDS, LikelyText, fold, likely_text
from funasr_cli.likely.tracking import START, Place, Tracker
from funasr_cli.likely.units import find_units, is_letter
from funasr_cli.results import CtcToken, HotwordHit

__all__ = ["CtcDraft", "no_draft"]

_WINDOW: Final = 24
"""Least characters to tokenise anew where no token of the whole text begins."""
_OPENING: Final = frozenset("“‘《〈（(「『【[\"'")


class CtcDraft:
    """Proposes what the CTC head heard, in the way the language model will write it.

    Args:
        heard: the segment's CTC tokens.
        tokenize: text -> ids of the language model.
        piece: its id -> bytes.
        end: the id that ends a text.
        itn: whether the prompt lets it write digits.
        hits: the hotwords of the prompt.
    """

    def __init__(  # noqa: PLR0913 - what was heard, and whose tokens to write
        self,
        heard: Sequence[CtcToken],
        *,
        tokenize: Callable[[str], list[int]],
        piece: Callable[[int], bytes],
        end: int | None,
        itn: bool,
        hits: Sequence[HotwordHit] = (),
    ) -> None:
        units = find_units(heard, itn=itn, hits=hits)
        self._likely = likely_text(units, is_name=_name_test(tokenize))
        self._tracker = Tracker(self._likely)
        self._tokens = _Tokens(self._likely, tokenize, piece, end)
        self._piece = piece
        self._ids: list[int] = []
        self._places = [START]
        """Where the text of the first n ids ends; kept because ids mostly grow."""

    def propose(self, ids: Sequence[int], limit: int) -> list[int]:
        """Guess the tokens that follow `ids`, at most `limit`; the same for the same `ids`."""
        if limit <= 0 or not self._likely.text:
            return []
        place = self._read(ids)
        node = self._tracker.node(place)
        if node is None:
            return []
        head, offset = self._likely.heads[node], self._likely.offsets[node]
        if head:
            head = head.lstrip() if place.marks else head
        elif place.marks:
            head, offset = self._after_marks(place.marks, offset)
        else:
            offset = self._after_word(place.word, offset)
        return self._tokens.following(head, offset, limit, begun=place.rest)

    def _read(self, ids: Sequence[int]) -> Place:
        """Follow the written text; what the last call has followed is not read again."""
        new, same = list(ids), len(self._ids)
        if new[:same] != self._ids:
            pairs = enumerate(zip(new, self._ids, strict=False))
            same = next((at for at, (one, other) in pairs if one != other), len(new))
        del self._ids[same:], self._places[same + 1 :]
        for token in new[same:]:
            place = self._places[-1]
            data = place.rest + self._piece(token)
            text, used = utf_8_decode(data, "replace", False)  # noqa: FBT003 - more may come
            self._ids.append(token)
            self._places.append(self._tracker.read(place, text)._replace(rest=data[used:]))
        return self._places[-1]

    def _after_marks(self, marks: str, offset: int) -> tuple[str, int]:
        """Go on behind punctuation, guessed or not: with its space and a capital if need be."""
        text = self._likely.text
        begin = offset
        while begin < len(text) and not fold(text[begin]):
            begin += 1
        if text.startswith(marks, offset, begin):
            offset += len(marks)
        else:
            spaced = text[offset:begin].endswith(" ") and marks[-1] not in _OPENING
            offset = begin - (spaced and not marks[-1].isspace())
        ends = not SENTENCE_ENDS.isdisjoint(marks)
        letter = text[begin : begin + 1]
        if ends or (begin in self._likely.starts and not marks.isspace()):
            other = letter.upper() if ends else letter.lower()
            if other != letter:
                return text[offset:begin] + other, begin + 1
        return "", offset

    def _after_word(self, word: str, offset: int) -> int:
        """Skip the rest of a word that is spelled otherwise: their, where CTC heard there."""
        text = self._likely.text
        begin = stop = offset
        while begin and is_letter(text[begin - 1]):
            begin -= 1
        while stop < len(text) and is_letter(text[stop]):
            stop += 1
        heard = "".join(map(fold, text[begin:offset]))
        return offset if begin == offset or heard == word else stop


class _Tokens:
    """The tokens of the likely text, from any place on."""

    def __init__(
        self,
        likely: LikelyText,
        tokenize: Callable[[str], list[int]],
        piece: Callable[[int], bytes],
        end: int | None,
    ) -> None:
        self._text, self._doubts = likely.text, likely.doubts
        self._tokenize, self._piece = tokenize, piece
        self._end = [] if end is None else [end]
        self._ids = tokenize(likely.text)
        pieces = [piece(token) for token in self._ids]
        rewritten = b"".join(pieces) != likely.text.encode()
        if rewritten:
            self._ids, pieces = [], []
        bytes_before = list(accumulate((len(char.encode()) for char in self._text), initial=0))
        edges = list(accumulate(map(len, pieces), initial=0))
        self._stops = [bisect_left(bytes_before, edge) for edge in edges[1:]]
        """Characters that are begun when the token ends."""
        where = {edge: at for at, edge in enumerate(edges)}
        places = [] if rewritten else enumerate(bytes_before)
        self._first = {at: where[n] for at, n in places if n in where}
        """Offset in the text -> the token that begins there."""
        self._joints = sorted(self._first)

    def following(self, head: str, offset: int, limit: int, *, begun: bytes = b"") -> list[int]:
        """Tokenise `head` and the text from `offset` on, as far as CTC was sure of it.

        Args:
            head: text instead of what stands before `offset`.
            offset: index in the likely text.
            limit: most tokens.
            begun: bytes of the first character that are written already.
        """
        if begun:
            return self._without(begun, self.following(head, offset, limit + len(begun)))[:limit]
        at = bisect_left(self._doubts, offset)
        sure = self._doubts[at] if at < len(self._doubts) else len(self._text)
        found: list[int] = []
        first = None if head else self._first.get(offset)
        if first is None:
            at = bisect_left(self._joints, offset + _WINDOW)
            joint = self._joints[at] if at < len(self._joints) else len(self._text)
            found = self._tokenize(head + self._text[offset : min(joint, sure)])
            if joint > sure:
                return found[:limit]
            first = self._first.get(joint, len(self._ids))
        last = bisect_right(self._stops, sure)
        found += self._ids[first : min(last, first + limit)]
        if sure == len(self._text) and first + limit > len(self._ids):
            found += self._end
        return found[:limit]

    def _without(self, begun: bytes, tokens: list[int]) -> list[int]:
        """Drop the tokens that spell `begun`; nothing is left where it ends inside of one."""
        for at, token in enumerate(tokens):
            if not begun:
                return tokens[at:]
            piece = self._piece(token)
            if not piece or not begun.startswith(piece):
                break
            begun = begun[len(piece) :]
        return []


def _name_test(tokenize: Callable[[str], list[int]]) -> Callable[[str], bool]:
    """Tell names by the tokenizer: it was made from texts that wrote them with capitals."""

    @cache
    def is_name(word: str) -> bool:
        if not (word.isalpha() and word.islower()):
            return False
        tokens = len(tokenize(" " + word))
        return tokens > 1 and len(tokenize(" " + word.capitalize())) < tokens

    return is_name
