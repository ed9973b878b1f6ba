"""`funasr batch`: folders of recordings -> folders of subtitles; goes on where it was stopped."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli import FAILURES, watch_endings
from funasr_cli.cli.batch_options import PROGRESS, BatchOptions, BatchOutput
from funasr_cli.cli.groups import grouped
from funasr_cli.cli.model_options import ModelOptions
from funasr_cli.cli.output_options import CueOptions, Quiet
from funasr_cli.cli.speech_options import SpeechOptions, VadOptions
from funasr_cli.cli.targets import BESIDE

if TYPE_CHECKING:
    from funasr_cli.cli.board import Board
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.hotword_lists import HotwordLists
    from funasr_cli.cli.plan import Plan
    from funasr_cli.cli.work import BatchOrder
    from funasr_cli.options import TranscribeOptions

NAMED = 3
"""Inputs that a hint repeats."""


@grouped
def batch(  # noqa: PLR0913 - one parameter a group of options
    *,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Folders, patterns, audio and video files."),
    ] = None,
    what: BatchOptions,
    output: BatchOutput,
    speech: SpeechOptions,
    cues: CueOptions,
    vad: VadOptions,
    runtime: ModelOptions,
    quiet: Quiet = False,
) -> None:
    """Transcribe folders of recordings into files; the same command goes on where it stopped.

    What is done, with this model and these options, is skipped. A file that fails is told of, and
    the others go on; the exit code is then 5.

    \b
    Examples:
      funasr batch recordings -r -o subtitles -f srt,txt
      funasr batch "talks/*.mp3" -o source -f srt --report report.csv
      find . -name "*.m4a" -print0 | funasr batch --from-file - -o texts
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.gathering import gather
    from funasr_cli.cli.plan import Wish, make_plan
    from funasr_cli.cli.state import State
    from funasr_cli.cli.summary import report_suffix, show_plan
    from funasr_cli.errors import InputError

    sink = _sink(what.progress, quiet=quiet)
    wish_folder, kinds = _place(output, paths or [], what)
    if what.report is not None:
        report_suffix(what.report)
    options, lists = speech.options(vad), speech.lists(sink)
    order = _order(speech, cues, runtime, output, options, wish_folder, sink)
    gathered = gather(paths or [], what.from_file or [], recursive=what.recursive)
    if not gathered.inputs:
        told = "; ".join(f"{name}: {reason}" for name, reason in gathered.missing)
        raise InputError(told or "nothing to do: --from-file names nothing")
    with State(order.state) as state:
        if not what.dry_run and wish_folder != BESIDE:
            state.claim()
        wish = Wish(
            kinds,
            wish_folder,
            output.output_template,
            order.asked(lists.renew(options)),
            overwrite=what.overwrite,
            retry_failed=what.retry_failed,
        )
        plan = make_plan(gathered.inputs, state, wish, tidy=not what.dry_run)
        plan.missing += gathered.missing
        if what.dry_run:
            show_plan(plan, sink)
        else:
            _run(plan, order, what, lists, sink)


def _run(
    plan: "Plan", order: "BatchOrder", what: BatchOptions, lists: "HotwordLists", sink: "Sink"
) -> None:
    """Work through a plan and sum up, even where it is interrupted.

    Raises:
        typer.Exit: some of it failed.
    """
    from funasr_cli.cli.board import StopBatch, open_board
    from funasr_cli.cli.summary import report_suffix, report_text, rows, tell

    watch_endings()
    for name, reason in plan.missing:
        sink.error(f"{name}: {reason}")
    board = open_board(plan, sink, what.progress, fail_fast=what.fail_fast)
    interrupted = True
    try:
        with board:
            if plan.tasks and not (what.fail_fast and plan.missing):
                _work(plan, order, what, lists, board, sink)
        interrupted = False
    except StopBatch:
        interrupted = False
    finally:
        found = list(rows(plan, board.tally))
        try:
            tell(found, board.tally, sink, interrupted=interrupted)
        finally:  # the terminal may be what has gone
            if what.report is not None:
                from funasr_cli.writers import write_text

                write_text(what.report, report_text(found, report_suffix(what.report)))
    if board.tally.failures or plan.missing or plan.failed_before:
        raise typer.Exit(FAILURES)


def _work(  # noqa: PLR0913, PLR0917 - what is done, how, and who is told
    plan: "Plan",
    order: "BatchOrder",
    what: BatchOptions,
    lists: "HotwordLists",
    board: "Board",
    sink: "Sink",
) -> None:
    from funasr_cli.cli.work import work

    workers = min(what.workers, len(plan.tasks))
    if workers == 1:
        work(order, plan.tasks, board.take, lists)
        return
    from dataclasses import replace

    from funasr_cli.cli.workers import check_memory, work_in_processes

    check_memory(workers, order.model)
    threads = order.runtime.threads or max(1, (os.cpu_count() or 1) // workers)
    runtime = replace(order.runtime, threads=threads)
    sink.note(f"{workers} workers with {threads} threads each")
    work_in_processes(replace(order, runtime=runtime), plan.tasks, workers, board.take)


def _sink(progress: str, *, quiet: bool) -> "Sink":
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.json_board import JsonSink
    from funasr_cli.errors import UsageError

    if progress not in PROGRESS:
        raise UsageError(f"--progress {progress}: unknown; known are {', '.join(PROGRESS)}")
    return JsonSink(quiet=quiet) if progress == "json" else Sink(quiet=quiet)


def _place(
    output: BatchOutput, paths: list[str], what: BatchOptions
) -> tuple[str, tuple[str, ...]]:
    """Where the files go, and which.

    Raises:
        UsageError: nobody said where, or what.
    """
    from funasr_cli.errors import UsageError

    if not paths and not what.from_file:
        raise UsageError("name folders or files: funasr batch recordings -r -o OUT")
    if output.output_dir is None:
        raise UsageError(
            f"say where the files go: {_so_far(paths, what)} -o OUT (or -o source: beside inputs)"
        )
    folder = output.output_dir
    if folder != BESIDE and os.path.isfile(folder):  # noqa: PTH113 - a text
        raise UsageError(f"-o {folder}: is a file, not a folder")
    return folder, output.formats(("txt",))


def _so_far(paths: list[str], what: BatchOptions) -> str:
    """Write a command again, as much of it as is needed to know it."""
    words = ["funasr", "batch", *paths[:NAMED]]
    for name in what.from_file or []:
        words += ["--from-file", name]
    more = " ..." if len(paths) > NAMED else ""
    return shlex.join(words) + more + (" -r" if what.recursive else "")


def _order(  # noqa: PLR0913, PLR0917 - one parameter a group of options
    speech: SpeechOptions,
    cues: CueOptions,
    runtime: ModelOptions,
    output: BatchOutput,
    options: "TranscribeOptions",
    folder: str,
    sink: "Sink",
) -> "BatchOrder":
    from funasr_cli.cli.state import FILE, FOLDER
    from funasr_cli.cli.work import BatchOrder
    from funasr_cli.folders import user_data_folder
    from funasr_cli.model_dir import open_model_dir

    model = runtime.path(sink)
    open_model_dir(model)  # to be told of before anything is written
    home = user_data_folder() / "batch" if folder == BESIDE else Path(folder, FOLDER)
    return BatchOrder(
        model=model,
        model_key=_model_key(model),
        runtime=runtime.runtime(),
        options=options,
        hotwords=tuple(speech.hotwords or ()),
        captions=cues.captions(),
        timestamps=output.timestamps,
        state=home / FILE,
    )


def _model_key(model: Path) -> str:
    """Stand for a model: by its manifest, which has the digests of its files."""
    from funasr_cli.cli.state import content_of
    from funasr_cli.manifest import MANIFEST
    from funasr_cli.verdicts import fingerprint

    return content_of(model / MANIFEST) or fingerprint(*model.glob("*.*"))
