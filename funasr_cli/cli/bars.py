"""A batch on a terminal: a bar for everything, and one for each file at work."""

import os

from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from funasr_cli.cli.board import Board, clock
from funasr_cli.cli.console import Sink
from funasr_cli.cli.events import Finished, Moved
from funasr_cli.cli.plan import Plan, Task

SHOWN = 4
"""Files that are shown at once."""


class BarBoard(Board):
    """Draws on stderr; what it drew is gone at the end."""

    def __init__(self, plan: Plan, sink: Sink, *, fail_fast: bool = False) -> None:
        super().__init__(plan, sink, fail_fast=fail_fast)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[told]}"),
            console=sink.console,
            transient=True,
        )
        self._all = self._bars.add_task("", total=1.0, told="")
        self._shown: dict[int, TaskID] = {}

    def __enter__(self) -> "BarBoard":
        self._bars.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._bars.stop()

    def moved(self, event: Moved) -> None:
        """Move the bars."""
        number = event.number
        if number not in self._shown and len(self._shown) < SHOWN:
            name = os.path.basename(self.tasks[number].path)  # noqa: PTH119 - as typed
            self._shown[number] = self._bars.add_task(escape(f"  {name[-40:]}"), told="")
        if number in self._shown:
            self._bars.update(self._shown[number], completed=event.done, total=event.whole)
        self._draw()

    def finished(self, event: Finished, _task: Task) -> None:
        """Take a file's bar away."""
        bar = self._shown.pop(event.number, None)
        if bar is not None:
            self._bars.remove_task(bar)
        self._draw()

    def _draw(self) -> None:
        tally = self.tally
        told = f"{clock(tally.seconds)}<{clock(self.left())} | {self.speed():.1f} audio s/s"
        files = f"{len(tally.finished)}/{tally.files} files"
        self._bars.update(self._all, completed=self.share(), description=files, told=told)
