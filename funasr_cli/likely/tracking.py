"""Where in the likely text a written text has arrived.

Edit distance over the lattice of spellings, one written character at a time, keeping only the
places that are nearly as good as the best.
"""

from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from funasr_cli.likely.text import LikelyText, sound
from funasr_cli.likely.units import is_ideograph, is_letter

_OTHER: Final = 10
"""Cost of another character than the likely one, such as a homophone."""
_ADDED: Final = 12
_LETTER_ADDED: Final = 9
"""Less than `_OTHER`: words that differ mostly differ in length."""
_LEFT_OUT: Final = 8
"""Less than `_OTHER`: what fits after a gap is seldom there by chance."""
_WORD_LEFT_OUT: Final = 20
_BEAM: Final = 48
"""Places that cost more than the best by this are given up."""
_FAR: Final = 1 << 30
_MARKS: Final = 8
"""Silent characters that are kept."""


class _Patience(NamedTuple):
    """Sounding characters until something is done."""

    same: int
    """That must be the same to find a place anywhere in the text."""
    search: int
    """That do not fit, until the place is searched for."""
    hope: int
    """That do not fit, until there is no place."""


_IDEOGRAPHS: Final = _Patience(same=3, search=4, hope=8)
_LETTERS: Final = _Patience(same=8, search=8, hope=20)


class Place(NamedTuple):
    """What matters of a written text for its continuation."""

    nodes: dict[int, int]
    """Nodes of the likely text where it may end -> cost; the best costs 0."""
    keys: str = ""
    """Its last sounding characters, folded."""
    marks: str = ""
    """What it has written since the last of them."""
    word: str = ""
    """The letters at its end, folded."""
    misses: int = 0
    """Sounding characters since the last that fitted."""
    rest: bytes = b""
    """Beginning of a character whose other bytes are still to come."""


START: Final = Place({0: 0})


class Tracker:
    """Follows written texts along one likely text; holds no state of them."""

    def __init__(self, likely: LikelyText) -> None:
        self._likely = likely
        self._sounds = "".join(likely.keys[node][-1:] for node in likely.favourite)
        self._left_out = [
            [(node, _LEFT_OUT) for node in after] + [(node, _WORD_LEFT_OUT) for node in ends]
            for after, ends in zip(likely.after, likely.ends, strict=True)
        ]
        """Where a text may be after leaving out a character or a word, and the cost."""

    def node(self, place: Place) -> int | None:
        """Choose the node that the written text has most probably reached; None: it is lost."""
        return None if place.misses >= _patience(place.keys).hope else _best(place.nodes)

    def read(self, place: Place, text: str) -> Place:
        """Go on from `place` over more of the written text."""
        nodes, keys, marks, word, misses, rest = place
        for char in text:
            key = sound(char, word[-1:])
            if not key:
                marks, word = (marks + char)[-_MARKS:], ""
                continue
            nodes, growth = self._step(nodes, key)
            keys, marks = (keys + key[-1:])[-_LETTERS.same :], ""
            word = word + key.strip() if is_letter(char) else ""
            misses = misses + 1 if growth else 0
            if misses >= _patience(keys).search:
                found = self._find(keys, _best(nodes))
                if found is not None:
                    nodes, misses = {found: 0}, 0
        return Place(nodes, keys, marks, word, misses, rest)

    def _step(self, nodes: dict[int, int], key: str) -> tuple[dict[int, int], int]:
        """Account for one written character.

        Returns:
            The new costs, and by how much the best of them grew: 0 if the character fitted.
        """
        keys, after = self._likely.keys, self._likely.after
        best = [node for node, cost in nodes.items() if not cost]
        fits = [follower for node in best for follower in after[node] if keys[follower] == key]
        if fits and not any(nodes.values()):  # by far the commonest case
            return dict.fromkeys(fits, 0), 0
        added = _LETTER_ADDED if is_letter(key[-1:]) else _ADDED
        reached: dict[int, int] = {}
        for node, cost in (nodes if fits else self._skipping(nodes)).items():
            reached[node] = min(reached.get(node, _FAR), cost + added)
            for follower in after[node]:
                new = cost if keys[follower] == key else cost + _OTHER
                if new < reached.get(follower, _FAR):
                    reached[follower] = new
        growth = min(reached.values())
        limit = growth + _BEAM
        return {node: cost - growth for node, cost in reached.items() if cost <= limit}, growth

    def _skipping(self, nodes: dict[int, int]) -> dict[int, int]:
        """Add the places that leaving out characters or words leads to."""
        reached = dict(nodes)
        waiting = list(reached)
        heapify(waiting)
        while waiting:  # rising, so that each node's cost is final when its turn comes
            node = heappop(waiting)
            for follower, cost in self._left_out[node]:
                new, old = reached[node] + cost, reached.get(follower, _FAR)
                if new < old and new <= _BEAM:
                    reached[follower] = new
                    if old == _FAR:
                        heappush(waiting, follower)
        return reached

    def _find(self, keys: str, here: int) -> int | None:
        """Find the last characters anywhere in the favourite text, nearest to a node."""
        same = _patience(keys).same
        found: list[int] = []
        at = self._sounds.find(keys[-same:]) if len(keys) >= same else -1
        while at >= 0:
            found.append(self._likely.favourite[at + same - 1])
            at = self._sounds.find(keys[-same:], at + 1)
        return min(found, key=lambda node: (abs(node - here), -node), default=None)


def _best(nodes: dict[int, int]) -> int:
    return min(nodes, key=lambda node: (nodes[node], node))


def _patience(keys: str) -> _Patience:
    return _IDEOGRAPHS if is_ideograph(keys[-1:]) else _LETTERS
