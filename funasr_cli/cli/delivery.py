"""A transcript -> its files, or stdout."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from funasr_cli.cli.targets import Targets
from funasr_cli.units import clock

if TYPE_CHECKING:
    from pathlib import Path

    from funasr_cli.captions import CaptionOptions
    from funasr_cli.cli.confidence import ConfidencePrinter
    from funasr_cli.cli.console import Sink
    from funasr_cli.results import Transcript


@dataclass(frozen=True)
class Output:
    """What is to be written of every transcript."""

    targets: Targets
    as_json: bool
    timestamps: bool
    """Text has a line a cue, with its times."""
    captions: "CaptionOptions"
    printer: "ConfidencePrinter | None" = None
    """Colours the text, which then goes to stdout beside files, too."""


def deliver(
    transcript: "Transcript", name: str, output: Output, sink: "Sink", *, several: bool
) -> None:
    """Write the files of an input, and its text to stdout where there are none.

    Raises:
        OutputError: a file or stdout cannot be written.
    """
    from funasr_cli.cli.tables import ESCAPES
    from funasr_cli.writers import render
    from funasr_cli.writers.json import to_json

    timings, paths = transcript.timings, output.targets.of(name)
    before = timings.write
    with timings.measure("write"):
        write_files(transcript, paths, output, sink)
    timings.total += timings.write - before
    if output.as_json:
        sink.data(to_json(transcript, compact=True))
    elif output.printer or not paths:
        prefix = f"{name.translate(ESCAPES)}\t" if several else ""
        if output.printer:
            text = output.printer.text(transcript) + "\n"
        else:
            text = render("txt", transcript, captions=output.captions, timestamps=output.timestamps)
        sink.data("".join(f"{prefix}{line}\n" for line in text.split("\n")[:-1]))


def write_files(
    transcript: "Transcript", paths: "tuple[tuple[str, Path], ...]", output: Output, sink: "Sink"
) -> None:
    """Write a transcript in each (format, path), and tell how fast its cues are to be read."""
    from funasr_cli.writers import CUED, render, write_text

    for kind, path in paths:
        text = render(
            kind,
            transcript,
            captions=output.captions,
            timestamps=output.timestamps,
            folder=path.parent,
        )
        write_text(path, text)
        sink.note(f"wrote {path}")
    if any(kind in CUED for kind, _ in paths):
        _tell_pace(transcript, output.captions, sink)


def _tell_pace(transcript: "Transcript", captions: "CaptionOptions", sink: "Sink") -> None:
    from funasr_cli.captions import pace

    told = pace(transcript.segments, options=captions)
    if told.fastest is not None:
        sink.note(
            f"{told.fast} of {told.cues} cues have to be read faster than {told.limit:g} "
            f"characters a second; the fastest, {told.fastest.cps:.1f}, at "
            f"{clock(told.fastest.start)}"
        )
