"""What a batch comes to: the table at its end, and the report for programs."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from funasr_cli.cli.board import Tally, clock
from funasr_cli.cli.json_board import JsonSink
from funasr_cli.cli.messages import tr, tr_word
from funasr_cli.cli.plan import Plan, Task
from funasr_cli.errors import UsageError

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink

Status: TypeAlias = Literal["done", "failed", "skipped", "failed-before", "missing", "left"]
SHOWN_FAILURES = 20
"""Failures that the table names; a report has all of them."""
REPORTS = (".jsonl", ".csv")


@dataclass(frozen=True)
class Row:
    """One input in the report."""

    path: str
    status: Status
    """done; failed; skipped: was done before; failed-before: and not tried again; missing: could
    not be looked at; left: the batch ended before it."""
    reason: str = ""
    audio_s: float | None = None
    work_s: float | None = None
    """Of the time that files share."""
    rtf: float | None = None
    outputs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def rows(plan: Plan, tally: Tally) -> Iterator[Row]:
    """Tell what became of each input."""
    over = {finished.number: finished for finished in tally.finished}
    for task in plan.tasks:
        finished = over.get(task.number)
        if finished is None:
            yield Row(task.path, "left")
            continue
        rtf = finished.work / finished.seconds if finished.seconds else None
        yield Row(
            task.path,
            "failed" if finished.failure else "done",
            _short(task.path, finished.failure or ""),
            round(finished.seconds, 3),
            round(finished.work, 3),
            None if rtf is None else round(rtf, 4),
            tuple(map(str, finished.outputs)),
            finished.warnings,
        )
    for task in plan.done:
        yield Row(task.path, "skipped", outputs=_outputs(task))
    for task, reason in plan.failed_before:
        yield Row(task.path, "failed-before", _short(task.path, reason))
    for name, reason in plan.missing:
        yield Row(name, "missing", reason)


def report_suffix(report: Path) -> str:
    """Tell a report's format by its name.

    Raises:
        UsageError: it is neither JSON lines nor CSV.
    """
    suffix = report.suffix.lower()
    if suffix not in REPORTS:
        raise UsageError(f"--report {report}: name it .jsonl or .csv")
    return suffix


def report_text(found: Sequence[Row], suffix: str) -> str:
    """Write rows as JSON lines or CSV."""
    if suffix == ".jsonl":
        return "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in found)
    text = io.StringIO()
    text.write("\ufeff")  # or Excel takes UTF-8 for the code page of its country
    writer = csv.writer(text, lineterminator="\n")
    names = [one.name for one in fields(Row)]
    writer.writerow(names)
    for row in found:
        values = (getattr(row, name) for name in names)
        writer.writerow(" | ".join(v) if isinstance(v, tuple) else v for v in values)
    return text.getvalue()


def tell(found: Sequence[Row], tally: Tally, sink: "Sink", *, interrupted: bool) -> None:
    """Sum up on stderr: files, sound, speed, what was skipped, and why files failed."""
    counts = {status: sum(row.status == status for row in found) for status in Status.__args__}  # type: ignore[attr-defined]
    bad = [row for row in found if row.status in {"failed", "failed-before", "missing"}]
    seconds = tally.seconds
    if isinstance(sink, JsonSink):
        sink.event(
            "end",
            interrupted=interrupted,
            **{status.replace("-", "_"): count for status, count in counts.items()},
            audio_s=round(tally.sound, 3),
            seconds=round(seconds, 3),
            rtf=round(seconds / tally.sound, 4) if tally.sound else None,
        )
        return
    if sink.quiet:
        return
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, show_header=False)
    table.add_column()
    table.add_column(overflow="fold")
    sound = sum(row.audio_s or 0.0 for row in found if row.status == "done")
    for name, value in _lines(counts, sound, tally, seconds):
        table.add_row(name, tr(value))
    if bad:
        table.add_section()
    for row in bad[:SHOWN_FAILURES]:
        reason = escape(tr(f"{row.path}: {row.reason}"))
        table.add_row(f"[red]{tr_word('failed')}[/red]", reason)
    if len(bad) > SHOWN_FAILURES:
        table.add_row("", tr(f"and {len(bad) - SHOWN_FAILURES} more; --report FILE names all"))
    sink.console.print(table)


def show_plan(plan: Plan, sink: "Sink") -> None:
    """Tell on stdout what would be done: status, input, files."""
    from funasr_cli.cli.tables import show_table

    found = [
        *(("do", task.path, ", ".join(_outputs(task))) for task in plan.tasks),
        *(("skip", task.path, ", ".join(_outputs(task))) for task in plan.done),
        *(("failed before", task.path, reason) for task, reason in plan.failed_before),
        *(("missing", name, reason) for name, reason in plan.missing),
    ]
    show_table(sink, ("what", "input", "files"), found, told=("what", "files"))


def _lines(
    counts: dict[str, int], sound: float, tally: Tally, seconds: float
) -> Iterator[tuple[str, str]]:
    yield tr_word("transcribed"), f"{_files(counts['done'])}, {_hours(sound)} of sound"
    failed = counts["failed"] + counts["missing"] + counts["failed-before"]
    if failed:
        before = counts["failed-before"]
        told = _files(failed)
        value = f"{told}, {before} of them before: --retry-failed" if before else told
        yield tr_word("failed"), value
    if counts["skipped"]:
        yield tr_word("skipped"), f"{_files(counts['skipped'])}: done before"
    if counts["left"]:
        yield tr_word("left"), f"{_files(counts['left'])}: the same command goes on"
    if tally.sound:  # of failed ones too: they took their time
        rtf, speed = seconds / tally.sound, tally.sound / seconds
        told = f"{clock(seconds)}, RTF {rtf:.3f} ({speed:.1f} audio s/s), loading included"
        yield tr_word("time"), told


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f} hours" if seconds >= 360 else f"{seconds:.0f} s"  # noqa: PLR2004


def _short(path: str, message: str) -> str:
    return message.removeprefix(f"{path}: ")


def _outputs(task: Task) -> tuple[str, ...]:
    return tuple(str(path) for _, path in task.outputs)
