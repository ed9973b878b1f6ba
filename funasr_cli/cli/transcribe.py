"""`funasr transcribe`: recordings -> text, subtitles, JSON."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli.arguments import may_exist, parse_formats, parse_seconds
from funasr_cli.cli.delivery import Output
from funasr_cli.cli.hotword_lists import HotwordLists
from funasr_cli.cli.orders import Order, transcribe_inputs
from funasr_cli.cli.output_options import (
    AUTO_PRESET,
    DEFAULT_MAX_DURATION,
    DEFAULT_MAX_LINE_COUNT,
    DEFAULT_MIN_DURATION,
    AsJson,
    KeepPunctuation,
    MaxDuration,
    MaxLineCount,
    MaxLineWidth,
    MinDuration,
    OutputDir,
    OutputFormat,
    OutputTemplate,
    SubtitlePreset,
    Timestamps,
)
from funasr_cli.cli.targets import parse_targets
from funasr_cli.options import DEFAULT_HOTWORD_THRESHOLD, DEFAULT_MAX_HOTWORDS

if TYPE_CHECKING:
    from funasr_cli.cli.confidence import ConfidencePrinter
    from funasr_cli.cli.console import Sink

DEMO_NOTE = (
    "no model named (-m, $FUNASR_MODEL_DIR, ./model): using the built-in demo model, which knows "
    "synthetic voices and about 1,300 words; the README tells how to get a real one"
)


def transcribe(  # noqa: PLR0913, PLR0917 - one parameter an option
    audio: Annotated[
        list[str], typer.Argument(help="Audio or video files; - reads a stream from stdin.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "-m",
            "--model",
            "--model-dir",
            help="Model directory. Default: $FUNASR_MODEL_DIR, ./model, else the demo model.",
        ),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("-l", "--language", "--lang", help="中文, zh, Chinese, en, ja, ... or auto."),
    ] = None,
    hotwords: Annotated[
        list[str] | None,
        typer.Option(
            "--hotwords",
            "--hotword",
            help="Word list: a file with one word a line, or a,b,c. May be given several times; a "
            "file that changes is read again for the next input.",
        ),
    ] = None,
    hotword_recall: Annotated[
        bool,
        typer.Option(
            help="Put only words that were heard into the prompt; without it the whole list."
        ),
    ] = True,
    hotword_threshold: Annotated[
        float, typer.Option(help="How alike a word must sound to be recalled, 0 to 1.")
    ] = DEFAULT_HOTWORD_THRESHOLD,
    max_hotwords: Annotated[
        int, typer.Option(help="Most words in the prompt of one segment.")
    ] = DEFAULT_MAX_HOTWORDS,
    hotword_replace: Annotated[
        float | None,
        typer.Option(
            help="Write a recalled word over text that sounds so much like it, e.g. 0.85. "
            "Default: never."
        ),
    ] = None,
    context: Annotated[
        str, typer.Option(help="What the recording is about: topic, names, style.")
    ] = "",
    itn: Annotated[
        bool, typer.Option("--itn/--no-itn", help="Write numbers and dates as digits.")
    ] = True,
    output_format: OutputFormat = None,
    output_dir: OutputDir = None,
    output_template: OutputTemplate = None,
    timestamps: Timestamps = False,
    as_json: AsJson = False,
    subtitle_preset: SubtitlePreset = AUTO_PRESET,
    max_line_width: MaxLineWidth = None,
    max_line_count: MaxLineCount = DEFAULT_MAX_LINE_COUNT,
    min_duration: MinDuration = DEFAULT_MIN_DURATION,
    max_duration: MaxDuration = DEFAULT_MAX_DURATION,
    keep_punctuation: KeepPunctuation = False,
    print_confidence: Annotated[
        bool,
        typer.Option(
            "--print-confidence",
            help="Colour the text on a terminal by how sure the model was of each character.",
        ),
    ] = False,
    start: Annotated[str, typer.Option(help="Where to start: 90, 1:30 or 90000ms.")] = "0",
    duration: Annotated[
        str | None, typer.Option(help="How much to transcribe: 90, 1:30 or 90000ms.")
    ] = None,
    time_offset: Annotated[
        float | None,
        typer.Option(
            "--time-offset",
            help="Seconds to add to every time, e.g. -0.1 if subtitles come late. Default: what "
            "the model's manifest says.",
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("-t", "--threads", min=1, help="Default: the usable cores.")
    ] = None,
    max_new_tokens: Annotated[
        int | None,
        typer.Option("-n", "--max-new-tokens", min=1, help="Most tokens a segment."),
    ] = None,
    guard: Annotated[
        bool,
        typer.Option(help="Detect loops, overflow and silence; without it: the model's raw text."),
    ] = True,
    vad: Annotated[
        bool, typer.Option(help="Cut long audio where it is quiet; without it: plain windows.")
    ] = True,
    llama_bin: Annotated[
        Path | None,
        typer.Option(
            readable=False,  # we say better what is wrong
            help="Folder of a llama.cpp build. Default: $FUNASR_LLAMA_BIN, `funasr runtime`, "
            "llama_bin/, packages.",
        ),
    ] = None,
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots", min=1, help="Segments that are decoded at once. Default: as many as pay."
        ),
    ] = None,
    drafts: Annotated[
        bool,
        typer.Option(help="Let the CTC text propose tokens where that is faster; same text."),
    ] = True,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            help="auto (a GPU that proves itself, else the CPU), cpu, gpu, vulkan[:N], cuda[:N] "
            "or metal; `funasr doctor --devices` lists them.",
        ),
    ] = "auto",
    n_gpu_layers: Annotated[
        int | None,
        typer.Option(
            "--n-gpu-layers", "-ngl", min=-1, help="Layers of the LLM on the GPU. Default: all."
        ),
    ] = None,
    vulkan_f16: Annotated[
        bool,
        typer.Option(help="Half precision on Vulkan; left out by itself where it does harm."),
    ] = True,
    vulkan_coopmat: Annotated[
        bool,
        typer.Option(help="Cooperative matrices on Vulkan; likewise."),
    ] = True,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Only data, warnings and errors.")
    ] = False,
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
    from funasr_cli.captions import CaptionOptions
    from funasr_cli.cli.console import Sink
    from funasr_cli.errors import InputError
    from funasr_cli.languages import prompt_language
    from funasr_cli.model_dir import DEMO_MODEL, find_model
    from funasr_cli.options import RuntimeOptions, TranscribeOptions

    sink = Sink(quiet=quiet)
    prompt_language(language)  # a wrong name must not cost the loading of a model
    lists = HotwordLists(hotwords or [], sink)
    options = TranscribeOptions(
        language=language,
        hotword_recall=hotword_recall,
        hotword_threshold=hotword_threshold,
        max_hotwords=max_hotwords,
        hotword_replace=hotword_replace,
        context=context,
        itn=itn,
        start=parse_seconds("--start", start),
        duration=None if duration is None else parse_seconds("--duration", duration),
        time_offset=time_offset,
        max_new_tokens=max_new_tokens,
        guard=guard,
        vad=vad,
    )
    to_files = output_dir is not None or output_template is not None
    formats = parse_formats(output_format) or (("json",) if as_json and to_files else ())
    targets = parse_targets(audio, formats, output_dir, output_template)
    captions = CaptionOptions(
        preset=subtitle_preset,
        max_line_width=max_line_width,
        max_line_count=max_line_count,
        min_duration=min_duration,
        max_duration=max_duration,
        keep_punctuation=keep_punctuation,
    )
    printer = _printer(sink, as_json=as_json) if print_confidence else None
    output = Output(targets, as_json, timestamps, captions, printer)
    order = Order(options, lists, output, verbose)
    runtime = RuntimeOptions(
        threads=threads,
        llama_bin=llama_bin,
        slots=slots,
        drafts=drafts,
        device=device,
        n_gpu_layers=n_gpu_layers,
        vulkan_f16=vulkan_f16,
        vulkan_coopmat=vulkan_coopmat,
    )
    if not any(may_exist(name) for name in audio):
        raise InputError("; ".join(f"{name}: no such file" for name in audio))

    # the heavy imports start here: everything that can be wrong with the options is known
    from funasr_cli.transcriber import Transcriber

    path = find_model(model)
    if path == DEMO_MODEL:
        sink.note(DEMO_NOTE)
    if printer:
        printer.explain()
    with Transcriber(path, runtime, on_test=sink.note) as transcriber:
        transcribe_inputs(transcriber, audio, order, sink)


def _printer(sink: "Sink", *, as_json: bool) -> "ConfidencePrinter":
    from funasr_cli.cli.confidence import ConfidencePrinter
    from funasr_cli.errors import UsageError

    if as_json:
        raise UsageError("--print-confidence colours text; --json has the number of each character")
    return ConfidencePrinter(sink)
