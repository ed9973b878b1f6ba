"""`funasr transcribe`: recordings -> text, subtitles, JSON."""

from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli.arguments import what_is_missing
from funasr_cli.cli.delivery import Output
from funasr_cli.cli.gathering import expanded
from funasr_cli.cli.groups import grouped
from funasr_cli.cli.model_options import ModelOptions
from funasr_cli.cli.orders import Order, transcribe_inputs
from funasr_cli.cli.output_options import AsJson, CueOptions, OutputOptions, Quiet
from funasr_cli.cli.speech_options import SpeechOptions, VadOptions
from funasr_cli.cli.targets import parse_targets

if TYPE_CHECKING:
    from funasr_cli.cli.confidence import ConfidencePrinter
    from funasr_cli.cli.console import Sink


@grouped
def transcribe(  # noqa: PLR0913 - one parameter a group of options
    *,
    audio: Annotated[
        list[str], typer.Argument(help="Audio or video files; - reads a stream from stdin.")
    ],
    speech: SpeechOptions,
    start: Annotated[str, typer.Option(help="Where to start: 90, 1:30 or 90000ms.")] = "0",
    duration: Annotated[
        str | None, typer.Option(help="How much to transcribe: 90, 1:30 or 90000ms.")
    ] = None,
    output: OutputOptions,
    as_json: AsJson = False,
    cues: CueOptions,
    print_confidence: Annotated[
        bool,
        typer.Option(
            "--print-confidence",
            help="Colour the text on a terminal by how sure the model was of each character.",
        ),
    ] = False,
    vad: VadOptions,
    runtime: ModelOptions,
    quiet: Quiet = False,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Also say which model and library are used.")
    ] = False,
) -> None:
    """Turn recordings into text with character times.

    Text goes to stdout, one line per input; with several inputs each line starts with the
    input's name and a tab. With -f or -o files are written instead.

    \b
    Examples:
      funasr transcribe talk.mp3
      funasr transcribe film.mkv -l zh --hotwords names.txt -f srt -o subtitles
      ffmpeg -i in.ts -f wav - | funasr transcribe - --json | jq .text
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink
    from funasr_cli.errors import InputError

    sink = Sink(quiet=quiet)
    audio = [found for name in audio for found in expanded(name) or [name]]
    options = speech.options(vad, start=start, duration=duration)
    lists = speech.lists(sink)
    formats = output.formats(("json",) if as_json else ())
    targets = parse_targets(audio, formats, output.output_dir, output.output_template)
    if output.timestamps and formats and "txt" not in formats:
        sink.note("--timestamps is for txt; the other formats have their times anyway")
    told = "--json" if as_json else "--timestamps" if output.timestamps else None
    printer = _printer(sink, told) if print_confidence else None
    delivery = Output(targets, as_json, output.timestamps, cues.captions(), printer)
    order = Order(options, lists, delivery, verbose)
    devices = runtime.runtime()
    missing = [what_is_missing(name) for name in audio]
    if all(missing):
        raise InputError("; ".join(missing))

    # the heavy imports start here: everything that can be wrong with the options is known
    from funasr_cli.transcriber import Transcriber

    path = runtime.path(sink)
    if printer:
        printer.explain()
    with Transcriber(path, devices, on_test=sink.note) as transcriber:
        transcribe_inputs(transcriber, audio, order, sink)


def _printer(sink: "Sink", other: str | None) -> "ConfidencePrinter":
    from funasr_cli.cli.confidence import ConfidencePrinter
    from funasr_cli.errors import UsageError

    if other:
        raise UsageError(f"--print-confidence colours plain text; leave out {other}")
    return ConfidencePrinter(sink)
