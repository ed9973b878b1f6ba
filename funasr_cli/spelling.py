"""The byte pieces of the CTC vocabulary: which pieces spell a word.

A leaf. The vocabulary is a tiktoken file: a piece's id is its rank.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise


class Pieces:
    """A vocabulary of byte pieces.

    Args:
        table: id -> bytes; the last id is the blank.
    """

    def __init__(self, table: Sequence[bytes]) -> None:
        self.table = table

    @property
    def blank(self) -> int:
        """The id that stands for no token."""
        return len(self.table) - 1

    @cached_property
    def _ranks(self) -> dict[bytes, int]:
        # only texts that CTC did not hear so need it: 60,000 entries are not made at load
        return {piece: rank for rank, piece in enumerate(self.table[:-1])}

    def spell(self, word: str) -> tuple[int, ...] | None:
        """Split one word as tiktoken does.

        Of all neighbours those merge that make the piece of lowest rank, again and again.

        Returns:
            Its ids; None if the vocabulary lacks one of its bytes.
        """
        ranks = self._ranks
        parts = [bytes([byte]) for byte in word.encode()]
        while len(parts) > 1:
            rank, at = min(
                (ranks.get(left + right, len(self.table)), at)
                for at, (left, right) in enumerate(pairwise(parts))
            )
            if rank == len(self.table):
                break
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        ids = tuple(ranks.get(part, -1) for part in parts)
        return None if -1 in ids else ids
