import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from funasr_cli.ahead import ahead


@pytest.mark.parametrize("depth", [0, 1, 3, 100])
def test_the_items_come_in_order(depth: int) -> None:
    with ahead(range(50), depth) as items:
        assert list(items) == list(range(50))
    assert threading.active_count() == 1


@pytest.mark.parametrize("depth", [0, 2])
def test_an_error_is_raised_behind_the_items_before_it(depth: int) -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("three")

    with ahead(source(), depth) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(ValueError, match="three"):
            next(items)
    assert threading.active_count() == 1


def test_it_is_only_so_far_ahead() -> None:
    made: list[int] = []

    def source() -> Iterator[int]:
        for n in range(100):
            made.append(n)
            yield n

    with ahead(source(), 2) as items:
        assert next(items) == 0
        begin = monotonic()
        while len(made) < 4 and monotonic() - begin < 5:
            sleep(0.01)
        sleep(0.1)
        assert len(made) <= 4  # taken, two in the queue, one in hand
    assert len(made) <= 5
    assert threading.active_count() == 1


def test_the_thread_works_while_the_taker_does() -> None:
    def source() -> Iterator[int]:
        for n in range(5):
            sleep(0.1)
            yield n

    begin = monotonic()
    with ahead(source(), 2) as items:
        for _ in items:
            sleep(0.1)
    assert monotonic() - begin < 0.9
