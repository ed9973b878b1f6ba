import pytest
from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.spelling import Pieces

BYTES = [bytes([at]) for at in range(256)]
MERGES = [b"th", b"in", b"he", b"the", b" the", "我".encode()[:2], "我".encode(), "我们".encode()]
TABLE = (*BYTES, *MERGES, b"")


def slowly(word: str) -> list[int]:
    """Try every merge in the order of its rank, again from the first after each."""
    parts = [bytes([byte]) for byte in word.encode()]
    rank = 0
    while rank < len(TABLE) - 1:
        for at in range(len(parts) - 1):
            if parts[at] + parts[at + 1] == TABLE[rank]:
                parts[at : at + 2] = [TABLE[rank]]
                rank = -1
                break
        rank += 1
    return [TABLE.index(part) for part in parts]


@given(st.text(st.sampled_from(" thein我们"), max_size=12))
def test_words_are_spelled_as_by_the_plain_programme(word: str) -> None:
    assert list(Pieces(TABLE).spell(word) or ()) == slowly(word)


def test_low_ranks_merge_first() -> None:
    # "th" is before "he", so " the" is reached by way of "the"
    assert Pieces(TABLE).spell(" the") == (TABLE.index(b" the"),)
    assert Pieces(TABLE).spell("hein") == (TABLE.index(b"he"), TABLE.index(b"in"))


@pytest.mark.parametrize("word", ["é", "c"])
def test_a_byte_that_the_vocabulary_lacks(word: str) -> None:
    assert Pieces((b"a", b"b", b"ab", b"")).spell(word) is None


def test_the_blank_is_no_piece() -> None:
    assert Pieces((b"a", b"b", b"")).blank == 2
    assert Pieces((b"a", b"b", b"")).spell("") == ()
