"""The inputs of one command, one after the other: transcribe, write, go on after a bad one."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.cli import leave_if_interrupted
from funasr_cli.cli.arguments import STDIN
from funasr_cli.cli.delivery import Output, deliver
from funasr_cli.errors import CoverageError, DecodeError, FunasrError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from funasr_cli.audio import AudioSource
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.hotword_lists import HotwordLists
    from funasr_cli.options import TranscribeOptions
    from funasr_cli.results import Transcript
    from funasr_cli.transcriber import Transcriber


@dataclass(frozen=True)
class Order:
    """What is to become of every input."""

    options: "TranscribeOptions"
    lists: "HotwordLists"
    output: Output
    verbose: bool


def transcribe_inputs(
    transcriber: "Transcriber", names: "Sequence[str]", order: Order, sink: "Sink"
) -> None:
    """Transcribe and write each input; what fails is one line, and the others go on.

    Raises:
        FunasrError: the only input failed.
        InputError: some of several did; CoverageError: all of those for want of text.
    """
    failures = uncovered = 0
    for number, name in enumerate(names):
        leave_if_interrupted()
        try:
            transcript = _transcribe(transcriber, name, order, sink)
            leave_if_interrupted()
            if order.verbose and not number:
                _tell_model(transcript, sink)
            deliver(transcript, name, order.output, sink, several=len(names) > 1)
        except (InputError, OutputError, DecodeError) as error:
            leave_if_interrupted()
            if len(names) == 1 or _stdout_is_gone(error):
                raise
            failures += 1
            sink.error(str(error))
            continue
        sink.notices(transcript.warnings)
        sink.timings(transcript)
        if transcript.failure is not None:
            if len(names) == 1:
                raise CoverageError(transcript.failure)
            uncovered += 1
            sink.error(transcript.failure)
    if failures or uncovered:
        told = f"{failures + uncovered} of {len(names)} inputs failed"
        raise InputError(told) if failures else CoverageError(told)


def _transcribe(transcriber: "Transcriber", name: str, order: Order, sink: "Sink") -> "Transcript":
    with sink.progress(name) as progress:

        def update(done: float, total: float | None) -> None:
            leave_if_interrupted()
            progress.update(done, total)

        options = order.lists.renew(order.options)
        return transcriber.transcribe(_source(name), options, on_progress=update)


def _source(name: str) -> "AudioSource":
    from funasr_cli.audio import AudioSource

    if name != STDIN:
        return AudioSource(name)
    if sys.stdin is None:
        raise InputError("<stdin>: is closed")
    return AudioSource("<stdin>", sys.stdin.buffer)


def _stdout_is_gone(error: FunasrError) -> bool:
    """Tell a broken stdout, which ends everything, from one file that cannot be written."""
    return isinstance(error.__cause__, OSError) and str(error).startswith("stdout")


def _tell_model(transcript: "Transcript", sink: "Sink") -> None:
    model = transcript.model
    sink.note(f"model {model.name} in {model.path}, decoder {model.decoder}")
    sink.note(f"llama.cpp: {model.llama}")
    sink.note(f"LLM on {model.device}, encoder on {model.encoder_provider}")
