"""Work ahead: the next items are made in a thread while the last one is used."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
_POLL_S = 0.1
"""How long a full queue is waited for before looking whether to stop."""


class _End:
    """Behind the last item: how the source ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def ahead(source: Iterable[T], depth: int) -> Iterator[Iterator[T]]:
    """Iterate `source` in a thread of its own, at most `depth` items ahead.

    Its exceptions are raised where the items are taken. When the block is left, the thread has
    ended.

    Args:
        source: touched by the thread alone until the block is left.
        depth: 0: no thread, each item is made when it is asked for.
    """
    if depth < 1:
        yield iter(source)
        return
    queue, stop = Queue[T | _End](depth), Event()
    thread = Thread(target=_work, args=(source, queue, stop), daemon=True)
    thread.start()
    try:
        yield _taken(queue)
    finally:
        stop.set()
        thread.join()


def _work(source: Iterable[T], queue: "Queue[T | _End]", stop: Event) -> None:
    end = _End(None)
    try:
        for item in source:
            if not _put(queue, item, stop):
                return
    except BaseException as error:  # noqa: BLE001 - raised again by the taker
        end = _End(error)
    _put(queue, end, stop)


def _put(queue: "Queue[T | _End]", item: "T | _End", stop: Event) -> bool:
    while not stop.is_set():
        try:
            queue.put(item, timeout=_POLL_S)
        except Full:
            continue
        return True
    return False


def _taken(queue: "Queue[T | _End]") -> Iterator[T]:
    while True:
        try:
            item = queue.get(timeout=_POLL_S)  # a wait without end could not be interrupted
        except Empty:
            continue
        if isinstance(item, _End):
            if item.error is not None:
                raise item.error
            return
        yield item
