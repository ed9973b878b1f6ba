"""Tasks of a batch -> transcripts -> files; what happens is told as events."""

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from funasr_cli.cli.console import Sink
from funasr_cli.cli.events import Event, Finished, Moved, Said
from funasr_cli.cli.plan import Task
from funasr_cli.cli.state import Entry, State, content_of, digest
from funasr_cli.errors import DecodeError, InputError, OutputError
from funasr_cli.options import RuntimeOptions, TranscribeOptions

if TYPE_CHECKING:
    from funasr_cli.captions import CaptionOptions
    from funasr_cli.cli.hotword_lists import HotwordLists
    from funasr_cli.errors import FunasrError
    from funasr_cli.results import Transcript

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""What every other file would fail with, too."""


@dataclass(frozen=True)
class BatchOrder:
    """What is to become of every input; goes to other processes."""

    model: Path
    model_key: str
    """Digest of the model's manifest."""
    runtime: RuntimeOptions
    options: TranscribeOptions
    hotwords: tuple[str, ...]
    """Word lists, as they were named."""
    captions: "CaptionOptions"
    timestamps: bool
    state: Path

    def asked(self, options: TranscribeOptions) -> str:
        """Stand for everything that decides what is written about an input."""
        told = [
            self.model_key, asdict(options), asdict(self.captions), self.timestamps,
        ]  # fmt: skip
        return digest(repr(told).encode("utf-8", "backslashreplace"))


class Relay(Sink):
    """A sink whose messages become events."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        super().__init__()
        self._emit = emit

    def note(self, message: str) -> None:
        """Tell people something."""
        self._emit(Said("note", message))

    def warn(self, message: str) -> None:
        """Warn people."""
        self._emit(Said("warning", message))


def work(
    order: BatchOrder,
    tasks: Iterable[Task],
    emit: Callable[[Event], None],
    lists: "HotwordLists | None" = None,
) -> None:
    """Transcribe and write tasks, one after the other; one that fails does so alone.

    Args:
        order: what becomes of them.
        tasks: each is asked for when there is room for it.
        emit: told what happens; may raise, which ends the work.
        lists: the word lists, where they have been read.

    Raises:
        UnusableError: nothing can be transcribed here.
        OutputError: the disk is full, or what is done cannot be kept.
    """
    # the heavy imports start here: there is something to do
    from funasr_cli.cli.hotword_lists import HotwordLists
    from funasr_cli.results import Transcript
    from funasr_cli.transcriber import Transcriber

    relay = Relay(emit)
    held = lists or HotwordLists(order.hotwords, relay)
    taken: list[Task] = []
    asked: list[str] = []

    def paths() -> Iterator[str]:
        for task in tasks:
            taken.append(task)
            yield task.path

    def options() -> TranscribeOptions:
        found = held.renew(order.options)
        asked.append(order.asked(found))
        return found

    def moved(number: int, done: float, whole: float | None) -> None:
        emit(Moved(taken[number].number, done, whole))

    with (
        State(order.state) as state,
        Transcriber(order.model, order.runtime, on_test=relay.note) as transcriber,
    ):
        of_model = transcriber.notices
        for notice in of_model:
            relay.warn(notice.message)
        # closed before the model is, whatever ends this
        with closing(transcriber.transcribe_all(paths(), options, on_progress=moved)) as outcomes:
            for number, outcome in enumerate(outcomes):
                task = taken[number]
                if isinstance(outcome, Transcript):
                    own = tuple(one for one in outcome.warnings if one not in of_model)
                    transcript = replace(outcome, warnings=own)
                    emit(_written(transcript, task, asked[number], order, state))
                else:
                    emit(_failed(outcome, task, asked[number], state))


def _written(
    transcript: "Transcript", task: Task, asked: str, order: BatchOrder, state: State
) -> Finished:
    """Write the files of an input, announced before and confirmed afterwards.

    Those that the same question has been answered with stay: they may be corrected by hand.
    """
    from funasr_cli.cli.keepsakes import keep_by_hand
    from funasr_cli.writers import render, write_text

    kept = task.kept if asked == task.asked else {}
    wanted = [one for one in task.outputs if not _has(*one, kept, state)]
    texts = {
        kind: render(
            kind,
            transcript,
            captions=order.captions,
            timestamps=order.timestamps,
            folder=path.parent,
        )
        for kind, path in wanted
    }
    outputs = {
        kind: (state.told(path), digest(texts[kind].encode("utf-8", "backslashreplace")))
        for kind, path in wanted
    }
    timings, failure = transcript.timings, transcript.failure
    entry = Entry(
        task.size, task.changed, content_of(task.path), asked, "writing",
        failure or "", transcript.duration, {**kept, **outputs},
    )  # fmt: skip
    told = tuple(_named(notice.message, task.path) for notice in transcript.warnings)
    done = Finished(
        task.number, failure, transcript.duration, timings.total - timings.load, warnings=told
    )
    if not _is_as_planned(task):
        # what was heard may be neither the old file nor the new one
        return replace(done, failure=f"{task.path}: has changed while it was transcribed")
    with timings.measure("write"):
        try:
            saved = [keep_by_hand(path, outputs[kind][1], state) for kind, path in wanted]
            done = replace(done, warnings=(*told, *filter(None, saved)))
        except OutputError as error:
            return _unwritten(done, error)
        state.put(task.key, entry)
        try:
            for kind, path in wanted:
                write_text(path, texts[kind])
        except OutputError as error:
            return _unwritten(done, error)
    state.put(task.key, replace(entry, status="failed" if failure else "done"))
    return replace(
        done, outputs=tuple(path for _, path in task.outputs), work=done.work + timings.write
    )


def _has(kind: str, path: Path, kept: Mapping[str, tuple[str, str]], state: State) -> bool:
    """Whether a file is there, and answers the same question."""
    return kind in kept and kept[kind][0] == state.told(path) and path.exists()


def _unwritten(done: Finished, error: OutputError) -> Finished:
    """Let an input fail whose files cannot be written.

    Raises:
        OutputError: no other input could be written or kept, either.
    """
    cause = error.__cause__
    if not isinstance(cause, OSError) or cause.errno in NO_ROOM:
        raise error
    return replace(done, failure=str(error))


def _failed(error: "FunasrError", task: Task, asked: str, state: State) -> Finished:
    """Keep why an input failed, if it would fail again."""
    # a file that may not be read now, or a drive that is away, leaves no trace on the file
    is_its_own = not isinstance(error.__cause__, (OSError, MemoryError))
    if isinstance(error, (InputError, DecodeError)) and is_its_own and _is_as_planned(task):
        state.put(
            task.key,
            Entry(task.size, task.changed, content_of(task.path), asked, "failed", str(error)),
        )
    return Finished(task.number, str(error))


def _is_as_planned(task: Task) -> bool:
    try:
        found = os.stat(task.path)  # noqa: PTH116 - as in `plan`
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (task.size, task.changed)


def _named(message: str, name: str) -> str:
    return message if name in message else f"{name}: {message}"
