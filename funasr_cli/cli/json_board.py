"""A batch for programs: events on stderr, one JSON object a line."""

import json
import sys
import time
from typing import Any

from funasr_cli.cli.board import Board
from funasr_cli.cli.console import Sink
from funasr_cli.cli.events import Finished, Moved
from funasr_cli.cli.plan import Plan, Task

JSON_INTERVAL_S = 1.0
"""Seconds between two `progress` events of all files together."""


class JsonSink(Sink):
    """Messages as events on stderr, one JSON object a line."""

    def note(self, message: str) -> None:
        """Tell people something."""
        if not self.quiet:
            self.event("note", message=message)

    def warn(self, message: str) -> None:
        """Warn people."""
        self.event("warning", message=message)

    def error(self, message: str) -> None:
        """Report a failure; the event `file` has it too."""
        self.event("error", message=message)

    def event(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - whatever JSON can say
        """Write an event."""
        if sys.stderr is None:
            return
        line = json.dumps({"event": kind, **values}, ensure_ascii=False)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


class JsonBoard(Board):
    """Events for programs."""

    _last = 0.0

    def __init__(self, plan: Plan, sink: JsonSink, *, fail_fast: bool = False) -> None:
        super().__init__(plan, sink, fail_fast=fail_fast)
        self._events = sink

    def __enter__(self) -> "JsonBoard":
        self._events.event("start", files=self.tally.files, bytes=self.tally.size)
        return self

    def moved(self, event: Moved) -> None:
        """Tell how far everything is, once a second."""
        now = time.monotonic()
        if now - self._last >= JSON_INTERVAL_S:
            self._last = now
            left, tally = self.left(), self.tally
            self._events.event(
                "progress",
                share=round(self.share(), 4),
                done=len(tally.finished),
                files=tally.files,
                seconds=round(tally.seconds, 1),
                left=None if left is None else round(left, 1),
                speed=round(self.speed(), 2),
                path=self.tasks[event.number].path,
                at=round(event.done, 2),
                of=None if event.whole is None else round(event.whole, 2),
            )

    def finished(self, event: Finished, task: Task) -> None:
        """Tell that a file is over."""
        self._events.event(
            "file",
            path=task.path,
            status="failed" if event.failure else "done",
            reason=event.failure,
            audio_s=round(event.seconds, 3),
            work_s=round(event.work, 3),
            outputs=[str(path) for path in event.outputs],
        )
