"""How a batch stands: counted from events, shown while it runs, summed up at its end."""

import time
from dataclasses import dataclass, field

from funasr_cli.cli import raise_if_interrupted
from funasr_cli.cli.console import PLAIN_INTERVAL_S, Sink
from funasr_cli.cli.events import Event, Finished, Moved, Said
from funasr_cli.cli.plan import Plan, Task


@dataclass
class Tally:
    """What has been done so far."""

    files: int
    """To be done in all."""
    size: int
    """Their bytes."""
    finished: list[Finished] = field(default_factory=list)
    failures: list[Finished] = field(default_factory=list)
    sound: float = 0.0
    """Seconds of the inputs that are over."""
    over: int = 0
    """Bytes of the inputs that are over."""
    open: dict[int, Moved] = field(default_factory=dict)
    begin: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108 - asked then

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.begin


class Board:
    """Takes the events of a batch, and shows nothing.

    Args:
        plan: what is to be done.
        sink: where failures and warnings go.
        fail_fast: end at the first failure.
    """

    def __init__(self, plan: Plan, sink: Sink, *, fail_fast: bool = False) -> None:
        self.tasks = {task.number: task for task in plan.tasks}
        self.tally = Tally(len(plan.tasks), sum(task.size for task in plan.tasks))
        self._sink = sink
        self._fail_fast = fail_fast

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_exc: object) -> None:
        pass

    def take(self, event: Event) -> None:
        """Count an event and show it.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed.
            StopBatch: this was the failure to stop at.
        """
        raise_if_interrupted()
        match event:
            case Moved():
                self.tally.open[event.number] = event
                self.moved(event)
            case Said(level, text):
                (self._sink.warn if level == "warning" else self._sink.note)(text)
            case Finished():
                self._finish(event)
            case _:
                pass

    def _finish(self, event: Finished) -> None:
        tally, task = self.tally, self.tasks[event.number]
        tally.open.pop(event.number, None)
        tally.finished.append(event)
        tally.sound += event.seconds
        tally.over += task.size
        for warning in event.warnings:
            self._sink.warn(warning)
        if event.failure is not None:
            tally.failures.append(event)
            self._sink.error(event.failure)
        self.finished(event, task)
        if event.failure is not None and self._fail_fast:
            raise StopBatch

    def moved(self, event: Moved) -> None:
        """Show that an input has come further."""

    def finished(self, event: Finished, task: Task, /) -> None:
        """Show that an input is over."""

    def share(self) -> float:
        """How much of the bytes is done, 0..1; only bytes are known of files not yet opened."""
        tally = self.tally
        done = float(tally.over)
        for moved in tally.open.values():
            if moved.whole:
                done += min(1.0, moved.done / moved.whole) * self.tasks[moved.number].size
        return done / tally.size if tally.size else 1.0

    def speed(self) -> float:
        """Seconds of sound a second."""
        tally = self.tally
        return (tally.sound + sum(m.done for m in tally.open.values())) / max(tally.seconds, 1e-9)

    def left(self) -> float | None:
        """Seconds that the rest will take; None: not to be told yet."""
        share = self.share()
        return self.tally.seconds * (1 - share) / share if share > 0 else None


class StopBatch(Exception):  # noqa: N818 - no error: --fail-fast asked for it
    """The batch is to end here."""


class LineBoard(Board):
    """A line every few seconds, for logs and pipes."""

    _last = 0.0

    def moved(self, event: Moved) -> None:
        """Write a line if the last one is old enough."""
        now = time.monotonic()
        if now - max(self._last, self.tally.begin) >= PLAIN_INTERVAL_S:
            self._last = now
            name = self.tasks[event.number].path
            self._sink.note(self._line(name))

    def finished(self, event: Finished, task: Task) -> None:
        """Write a line if the last one is old enough."""
        self.moved(Moved(task.number, event.seconds, event.seconds))

    def _line(self, name: str) -> str:
        tally = self.tally
        return (
            f"{self.share():.0%} | {len(tally.finished)}/{tally.files} | "
            f"{clock(tally.seconds)}<{clock(self.left())} | {self.speed():.1f} audio s/s | {name}"
        )


def clock(seconds: float | None) -> str:
    """Write 754 s as 12:34."""
    if seconds is None:
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def open_board(plan: Plan, sink: Sink, style: str, *, fail_fast: bool) -> Board:
    """Choose a board: bars on a terminal, else lines, else what was asked for."""
    from funasr_cli.cli.bars import BarBoard
    from funasr_cli.cli.json_board import JsonBoard, JsonSink

    if isinstance(sink, JsonSink):
        return JsonBoard(plan, sink, fail_fast=fail_fast)
    if sink.quiet or style == "none":
        return Board(plan, sink, fail_fast=fail_fast)
    if style == "bars" or (style == "auto" and sink.draws):
        return BarBoard(plan, sink, fail_fast=fail_fast)
    return LineBoard(plan, sink, fail_fast=fail_fast)
