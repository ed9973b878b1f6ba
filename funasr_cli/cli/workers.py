"""Several processes that work on one batch; each has its own model."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from multiprocessing.connection import wait
from threading import Lock, Thread
from typing import TYPE_CHECKING

from funasr_cli import errors
from funasr_cli.cli import ENDINGS
from funasr_cli.cli.events import Broken, Event, Finished
from funasr_cli.memory import available_bytes

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext
    from pathlib import Path

    from funasr_cli.cli.plan import Task
    from funasr_cli.cli.work import BatchOrder

OVERHEAD_BYTES = 600_000_000
"""What a process takes beside its model: Python, onnxruntime, a segment's matrices, KV cache."""
POLL_S = 0.5


def check_memory(workers: int, model: "Path") -> None:
    """See that so many models fit.

    Raises:
        UnusableError: they do not; says how many would.
    """
    files = [file for file in model.iterdir() if file.suffix in {".onnx", ".gguf", ".data"}]
    each = sum(file.stat().st_size for file in files) + OVERHEAD_BYTES
    free = available_bytes()
    if free is not None and workers * each > free:
        most = max(1, free // each)
        raise errors.UnusableError(
            f"--workers {workers}: would take about {workers * each / 1e9:.1f} GB "
            f"({each / 1e9:.1f} each), {free / 1e9:.1f} GB are free; at most --workers {most}"
        )


def work_in_processes(
    order: "BatchOrder", tasks: "Iterable[Task]", workers: int, take: Callable[[Event], None]
) -> None:
    """Let processes transcribe and write tasks.

    A process that dies takes what it was working on with it: these count as failed.

    Args:
        order: what becomes of them.
        tasks: what is to be done.
        workers: processes.
        take: told what happens; what it raises ends all processes at once.

    Raises:
        FunasrError: what ended a worker, and would end every one.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pool = [stack.enter_context(_Worker(context, order)) for _ in range(workers)]
        left = iter(tasks)
        while pool:
            ready = wait([one.pipe for one in pool], POLL_S)
            for one in [one for one in pool if one.pipe in ready]:
                try:
                    told = one.pipe.recv()
                except (EOFError, OSError):
                    pool.remove(one)
                    for lost in one.lost():
                        take(lost)
                    if not pool and next(left, None) is not None:
                        raise errors.UnusableError(
                            f"every worker process has ended; the last one {one.end()}: try fewer "
                            "--workers"
                        ) from None
                    continue
                if told is None:
                    one.give(next(left, None))
                elif isinstance(told, Broken):
                    raise getattr(errors, told.kind)(told.message)
                else:
                    one.note(told)
                    take(told)


class _Worker:
    """A process, the pipe to it, and what it is working on; a context manager that ends it."""

    def __init__(self, context: "SpawnContext", order: "BatchOrder") -> None:
        self.pipe, other = context.Pipe()
        self._open: dict[int, Task] = {}
        self._process = context.Process(target=_work, args=(order, other), daemon=True)
        self._process.start()
        other.close()  # the process has its own: when it dies, ours tells

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.pipe.close()
        self._process.kill()  # nothing that it writes is ever half
        self._process.join()

    def give(self, task: "Task | None") -> None:
        """Hand out a task; None: there are no more."""
        if task is not None:
            self._open[task.number] = task
        with suppress(OSError):  # it has died, as the next `recv` will tell
            self.pipe.send(task)

    def note(self, event: Event) -> None:
        """Know what is over."""
        if isinstance(event, Finished):
            self._open.pop(event.number, None)

    def end(self) -> str:
        """Say how the process ended."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"

    def lost(self) -> list[Finished]:
        """Tell what was not finished."""
        end = self.end()
        return [
            Finished(task.number, f"{task.path}: the worker process {end}")
            for task in self._open.values()
        ]


def _work(order: "BatchOrder", pipe: "Connection[Event | None, Task | None]") -> None:
    """One process: asks for tasks until there are no more."""
    from funasr_cli.cli.work import work

    # the parent has them, too, where all processes get one; it ends this process
    for name in ("SIGINT", *ENDINGS):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    Thread(target=_follow_parent, daemon=True).start()
    one_at_a_time = Lock()  # the encoder may run ahead in a thread

    def emit(event: Event | None) -> None:
        with one_at_a_time:
            pipe.send(event)

    def tasks() -> "Iterator[Task]":
        while True:
            emit(None)
            task = pipe.recv()
            if task is None:
                return
            yield task

    try:
        work(order, tasks(), emit)
    except BrokenPipeError:
        os._exit(1)  # the parent has gone: nobody is left to be told
    except errors.FunasrError as error:
        emit(Broken(type(error).__name__, str(error)))
    except (ImportError, MemoryError) as error:
        emit(Broken("UnusableError", f"a worker process failed ({type(error).__name__}: {error})"))


def _follow_parent() -> None:
    """End with the parent, however that ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
