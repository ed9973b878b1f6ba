import random
import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.edits import kept

few = st.lists(st.sampled_from("abc"), max_size=30)


def longest_common(old: list[str], new: list[str]) -> int:
    """The textbook's table."""
    row = [0] * (len(new) + 1)
    for left in old:
        before = row
        row = [0]
        for at, right in enumerate(new):
            row.append(before[at] + 1 if left == right else max(row[at], before[at + 1]))
    return row[-1]


@given(few, few)
def test_as_many_as_can_be_are_kept(old: list[str], new: list[str]) -> None:
    pairs = kept(old, new)
    assert all(old[a] == new[b] for a, b in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    assert len(pairs) == longest_common(old, new)


@given(st.text(), st.text(), st.text(), st.text())
def test_what_stands_around_a_difference_is_kept(
    head: str, one: str, other: str, tail: str
) -> None:
    old, new = [*head, *one, *tail], [*head, *other, *tail]
    pairs = kept(old, new)
    assert len(pairs) >= len(head) + len(tail)
    assert pairs[: len(head)] == [(at, at) for at in range(len(head))]


def test_an_hour_of_text_with_a_thousand_edits_takes_a_moment() -> None:
    rng = random.Random(5)  # noqa: S311 - the same text every time
    old = [chr(0x4E00 + int(rng.paretovariate(0.6)) % 2000) for _ in range(20_000)]
    new = list(old)
    for _ in range(1000):
        at = rng.randrange(len(new))
        new[at : at + rng.randrange(3)] = rng.choices("甲乙丙丁", k=rng.randrange(3))
    begin = time.perf_counter()
    pairs = kept(old, new)
    assert time.perf_counter() - begin < 5
    assert len(pairs) > 18_000
    assert all(old[a] == new[b] for a, b in pairs)


def test_nothing_in_common_and_nothing_unique_end_too() -> None:
    assert kept(["a"] * 3000, ["b"] * 3000) == []
    assert len(kept(["a", "b"] * 1500, ["b", "a"] * 1400)) == 2800
    assert kept([], ["a"]) == kept(["a"], []) == []
