"""A batch on a terminal: a bar for everything, and one for each file at work."""

import os

from rich.cells import cell_len, set_cell_size
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn
from rich.table import Column

from funasr_cli.cli.board import Board, clock
from funasr_cli.cli.console import Sink
from funasr_cli.cli.events import Finished, Moved
from funasr_cli.cli.messages import tr
from funasr_cli.cli.plan import Plan, Task

SHOWN = 4
"""Files that are shown at once."""
BAR_FROM, SPEED_FROM = 60, 48
"""Columns of a terminal that has room for a bar, and for the speed."""
BAR, NAME = 10, 30
"""Cells of a bar, and of a name at most."""


class BarBoard(Board):
    """Draws on stderr; what it drew is gone at the end."""

    def __init__(self, plan: Plan, sink: Sink, *, fail_fast: bool = False) -> None:
        super().__init__(plan, sink, fail_fast=fail_fast)
        columns, self._room = _columns(sink.console.width)
        self._bars = Progress(*columns, console=sink.console, transient=True)
        self._all = self._bars.add_task("", total=1.0, times="", speed="")
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
            self._shown[number] = self._bars.add_task(
                escape(f"  {fitted(name, self._room - 2)}"), times="", speed=""
            )
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
        self._bars.update(
            self._all,
            completed=self.share(),
            description=tr(f"{len(tally.finished)}/{tally.files} files"),
            times=f"{clock(tally.seconds)}<{clock(self.left())}",
            speed=tr(f"{self.speed():.1f} audio s/s"),
        )


def fitted(name: str, cells: int) -> str:
    """Leave out the middle of a name that is wider than so many cells (Chinese takes two)."""
    if cell_len(name) <= cells:
        return name
    head = set_cell_size(name, (cells - 1) // 2).rstrip()
    tail = set_cell_size(name[::-1], cells - 1 - cell_len(head))[::-1].lstrip()
    return f"{head}…{tail}"


def _columns(width: int) -> tuple[list[ProgressColumn], int]:
    """Choose what a terminal has room for, and how many cells are left for names.

    The bar goes first, then the speed; the percentage and the time that is left stay.
    """
    name = TextColumn("{task.description}", table_column=Column(overflow="ellipsis"))
    share, times = TextColumn("{task.percentage:>3.0f} %"), TextColumn("{task.fields[times]}")
    columns: list[ProgressColumn] = [name, share, times]
    room = width - cell_len("100 %") - cell_len("00:00<00:00") - 2
    if width >= SPEED_FROM:
        columns.append(TextColumn("{task.fields[speed]}"))
        room -= 1 + cell_len(tr("100.0 audio s/s"))
    if width >= BAR_FROM:
        columns.insert(1, BarColumn(bar_width=BAR))
        room -= 1 + BAR
    return columns, max(8, min(NAME, room))
