"""The sink: data to stdout, everything for people to stderr."""

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from funasr_cli.cli.messages import tr, tr_word
from funasr_cli.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from funasr_cli.results import Notice, Transcript

PLAIN_INTERVAL_S = 5.0
"""Seconds between progress lines where stderr is not a terminal."""


def for_people(text: str) -> str:
    """Translate what goes to stdout if a terminal shows it; files and pipes get one language."""
    is_read = sys.stdout is not None and sys.stdout.isatty()
    return tr_word(text) if is_read else text


class Sink:
    """Where messages, progress and tables go; `quiet` leaves only errors and warnings."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._stderr = Console(stderr=True, highlight=False, soft_wrap=True)

    @property
    def console(self) -> Console:
        """Stderr, for what is drawn."""
        return self._stderr

    @property
    def draws(self) -> bool:
        """Whether stderr is a terminal on which bars can move."""
        return self._stderr.is_terminal and not self._stderr.is_dumb_terminal

    def data(self, text: str) -> None:
        """Write data to stdout and flush, so that a pipeline sees it at once.

        Raises:
            OutputError: stdout is closed or full.
            BrokenPipeError: the reader has gone.
        """
        if sys.stdout is None:
            raise OutputError("stdout: is closed")
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except OSError as error:
            # what is still in the buffer must not be tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                raise
            raise OutputError(f"stdout: cannot be written ({error.strerror or error})") from error

    def note(self, message: str) -> None:
        """Tell people something; dropped when quiet."""
        if not self.quiet:
            self._stderr.print(f"[dim]{escape(tr(message))}[/dim]")

    def legend(self, entries: "Sequence[tuple[str, str]]") -> None:
        """Tell people what styles mean, each entry in its own; dropped when quiet."""
        if not self.quiet:
            parts = (f"[{style}]{escape(name)}[/]" if style else name for name, style in entries)
            self._stderr.print(", ".join(parts))

    def warn(self, message: str) -> None:
        """Warn people; never dropped."""
        self._stderr.print(f"[yellow]{tr_word('warning')}:[/yellow] {escape(tr(message))}")

    def error(self, message: str) -> None:
        """Report that one input failed; never dropped."""
        self._stderr.print(f"[red]funasr:[/red] {escape(tr(message))}")

    def notices(self, notices: "Sequence[Notice]") -> None:
        """Warn of everything that a transcript carries as a warning."""
        for notice in notices:
            self.warn(notice.message)

    @contextmanager
    def progress(self, name: str) -> "Iterator[_Progress]":
        """Show how far one input is: a bar on a terminal, else a line every few seconds."""
        if self.quiet:
            yield _Progress()
        elif self.draws:
            with _Bar(self._stderr, name) as bar:
                yield bar
        else:
            yield _Lines(self._stderr, name)

    def timings(self, transcript: "Transcript") -> None:
        """Print the table of stages: time, share, tokens per second, RTF."""
        if self.quiet:
            return
        timings = transcript.timings
        table = Table(title=escape(transcript.path), title_justify="left", box=SIMPLE_HEAD)
        table.add_column(tr_word("stage"))
        table.add_column(tr_word("ms"), justify="right")
        table.add_column(tr_word("share"), justify="right")
        table.add_column("", justify="right")
        written = sum(len(s.token_ids) for s in transcript.segments)
        rows = sum(s.decode.rows for s in transcript.segments)
        speed = {
            "prefill": _rate(
                rows - sum(s.decode.calls for s in transcript.segments), timings.prefill
            ),
            "generate": _rate(written, timings.generate),
        }
        for stage, seconds in timings.stages().items():
            share = seconds / timings.total if timings.total else 0.0
            table.add_row(
                tr_word(stage), f"{seconds * 1000:.1f}", f"{share:.0%}", tr(speed.get(stage, ""))
            )
        work = timings.total - timings.load
        rtf = f"RTF {work / transcript.duration:.3f} of {transcript.duration:.1f} s"
        table.add_section()
        table.add_row(
            tr_word("total"), f"{timings.total * 1000:.1f}", "", tr(f"{rtf}, without load")
        )
        self._stderr.print(table)


class _Progress:
    """Progress that nobody sees."""

    def update(self, done: float, total: float | None) -> None:
        """Note the seconds done and in all."""


class _Bar(_Progress):
    """A rich bar that leaves nothing behind."""

    def __init__(self, console: Console, name: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(escape(tr(name)), total=None)

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._bar.stop()

    def update(self, done: float, total: float | None) -> None:
        self._bar.update(self._task, completed=done, total=total)


class _Lines(_Progress):
    """Lines for logs and pipes, few enough to read."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._begin = self._last = time.monotonic()

    def update(self, done: float, total: float | None) -> None:
        now = time.monotonic()
        if now - self._last < PLAIN_INTERVAL_S or (total and done >= total):
            return
        self._last = now
        share = f"{done / total:4.0%} | " if total else ""
        whole = f"/{total:.0f}" if total else ""
        speed = done / (now - self._begin)
        line = f"{self._name}: {share}{done:.0f}{whole} s | {speed:.1f} audio s/s"
        self._console.print(escape(tr(line)))


def _rate(tokens: int, seconds: float) -> str:
    return f"{tokens / seconds:.0f} tokens/s" if tokens > 0 and seconds > 0 else ""
