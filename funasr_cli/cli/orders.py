"""The inputs of one command, one after the other: transcribe, write, go on after a bad one."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.cli import leave_if_interrupted
from funasr_cli.cli.arguments import STDIN, Targets
from funasr_cli.errors import DecodeError, FunasrError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from funasr_cli.audio import AudioSource
    from funasr_cli.cli.confidence import ConfidencePrinter
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
    targets: Targets
    as_json: bool
    verbose: bool
    printer: "ConfidencePrinter | None" = None
    """Colours the text, which then goes to stdout beside files, too."""


def transcribe_inputs(
    transcriber: "Transcriber", names: "Sequence[str]", order: Order, sink: "Sink"
) -> None:
    """Transcribe and write each input; what fails is one line, and the others go on.

    Raises:
        FunasrError: the only input failed; InputError: some of several did.
    """
    failures = 0
    for number, name in enumerate(names):
        leave_if_interrupted()
        try:
            transcript = _transcribe(transcriber, name, order, sink)
            leave_if_interrupted()
            if order.verbose and not number:
                _tell_model(transcript, sink)
            _write(transcript, name, order, sink, several=len(names) > 1)
        except (InputError, OutputError, DecodeError) as error:
            leave_if_interrupted()
            if len(names) == 1 or _stdout_is_gone(error):
                raise
            failures += 1
            sink.error(str(error))
            continue
        sink.notices(transcript.warnings)
        sink.timings(transcript)
    if failures:
        raise InputError(f"{failures} of {len(names)} inputs failed")


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


def _write(
    transcript: "Transcript", name: str, order: Order, sink: "Sink", *, several: bool
) -> None:
    from funasr_cli.cli.tables import ESCAPES
    from funasr_cli.writers import render, write_text
    from funasr_cli.writers.json import to_json

    timings, paths = transcript.timings, order.targets.of(name)
    before = timings.write
    with timings.measure("write"):
        for kind, path in paths:
            write_text(path, render(kind, transcript, folder=path.parent))
            sink.note(f"wrote {path}")
    timings.total += timings.write - before
    if order.as_json:
        sink.data(to_json(transcript, compact=True))
    elif order.printer or not paths:
        prefix = f"{name.translate(ESCAPES)}\t" if several else ""
        text = order.printer.text(transcript) if order.printer else transcript.text
        sink.data(f"{prefix}{text}\n")


def _stdout_is_gone(error: FunasrError) -> bool:
    """Tell a broken stdout, which ends everything, from one file that cannot be written."""
    return isinstance(error.__cause__, OSError) and str(error).startswith("stdout")


def _tell_model(transcript: "Transcript", sink: "Sink") -> None:
    model = transcript.model
    sink.note(f"model {model.name} in {model.path}, decoder {model.decoder}")
    sink.note(f"llama.cpp: {model.llama}")
    sink.note(f"LLM on {model.device}, encoder on {model.encoder_provider}")
