"""`funasr hotwords test`: one recording without and with a word list, side by side."""

import json
import os
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from funasr_cli.cli import leave_if_interrupted
from funasr_cli.cli.arguments import STDIN, what_is_missing
from funasr_cli.options import DEFAULT_HOTWORD_THRESHOLD, DEFAULT_MAX_HOTWORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from funasr_cli.audio import AudioSource
    from funasr_cli.cli.console import Sink
    from funasr_cli.options import TranscribeOptions
    from funasr_cli.results import Segment, Transcript
    from funasr_cli.transcriber import Transcriber


def compare(  # noqa: PLR0913, PLR0917 - one parameter an option
    words: Annotated[str, typer.Argument(metavar="LIST", help="A word list, or a,b,c.")],
    audio: Annotated[str, typer.Argument(help="A recording; - reads a stream from stdin.")],
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", "--model-dir", help="Model directory."),
    ] = None,
    language: Annotated[
        str | None, typer.Option("-l", "--language", "--lang", help="As for `funasr transcribe`.")
    ] = None,
    threshold: Annotated[
        float, typer.Option("--hotword-threshold", help="How alike a word must sound, 0 to 1.")
    ] = DEFAULT_HOTWORD_THRESHOLD,
    max_hotwords: Annotated[
        int, typer.Option(help="Most words in the prompt of one segment.")
    ] = DEFAULT_MAX_HOTWORDS,
    hotword_replace: Annotated[
        float | None, typer.Option(help="Also write words over text that sounds so much like them.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("-t", "--threads", min=1, help="Default: the usable cores.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Only data, warnings and errors.")
    ] = False,
) -> None:
    """Transcribe a recording without and with a list, and show what the list did.

    Which words were recalled, where and how well, whether they stood in the prompt, and in the
    text with and without the list; which everyday words others were taken for, and left out;
    then both texts of each segment, side by side.

    \b
    Examples:
      funasr hotwords test names.txt meeting.mp3 --lang zh
      funasr hotwords test names.txt meeting.mp3 --hotword-replace 0.85 --json
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.hotword_lists import HotwordLists
    from funasr_cli.errors import InputError
    from funasr_cli.languages import prompt_language
    from funasr_cli.options import RuntimeOptions, TranscribeOptions

    sink = Sink(quiet=quiet)
    prompt_language(language)
    bare = TranscribeOptions(language=language)
    options = TranscribeOptions(
        language=language,
        hotword_threshold=threshold,
        max_hotwords=max_hotwords,
        hotword_replace=hotword_replace,
    )
    options = HotwordLists([words], sink).renew(options)
    runtime = RuntimeOptions(threads=threads)
    if os.path.isdir(audio):  # noqa: PTH112 - raises for less
        raise InputError(f"{audio}: is a folder; name one recording in it")
    if missing := what_is_missing(audio):
        raise InputError(missing)

    from funasr_cli.transcriber import Transcriber

    source = _source(audio)
    with Transcriber(model, runtime, on_test=sink.note) as transcriber:
        without = _transcribe(transcriber, source(), bare, sink)
        using = _transcribe(transcriber, source(), options, sink)
    sink.notices(using.warnings)
    pairs = list(zip(without.segments, using.segments, strict=True))
    if as_json:
        segments = [_as_object(*pair) for pair in pairs]
        report = {"audio": using.path, "words": len(options.hotwords), "segments": segments}
        sink.data(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    else:
        _show_both(pairs, sink)
        sink.note(_verdict(pairs, len(options.hotwords)))


def _transcribe(
    transcriber: "Transcriber", source: "AudioSource", options: "TranscribeOptions", sink: "Sink"
) -> "Transcript":
    kind = "with" if options.hotwords else "without"
    with sink.progress(f"{source.name}, {kind} the list") as progress:

        def update(done: float, total: float | None) -> None:
            leave_if_interrupted()
            progress.update(done, total)

        return transcriber.transcribe(source, options, on_progress=update)


def _source(name: str) -> "Callable[[], AudioSource]":
    """A recording that can be read twice."""
    from funasr_cli.audio import AudioSource
    from funasr_cli.errors import InputError

    if name != STDIN:
        return lambda: AudioSource(name)
    if sys.stdin is None:
        raise InputError("<stdin>: is closed")
    data = sys.stdin.buffer.read()
    return lambda: AudioSource("<stdin>", BytesIO(data))


def _as_object(without: "Segment", using: "Segment") -> dict[str, Any]:
    from funasr_cli.hotwords.report import occurs
    from funasr_cli.writers.json import segment_object

    value = segment_object(using)
    for hit in value["hotwords"]:
        hit["in_text_without"] = occurs(hit["word"], without.text)
    return {
        "start": value["start"],
        "end": value["end"],
        "text_without": without.text,
        "text": using.text,
        "hotwords": value["hotwords"],
        "replacements": value["replacements"],
    }


def _show_both(pairs: "Sequence[tuple[Segment, Segment]]", sink: "Sink") -> None:
    from funasr_cli.cli.tables import show_table
    from funasr_cli.hotwords.report import occurs

    rows = [
        (
            hit.word,
            _clock(hit.start),
            f"{hit.similarity:.2f}" if hit.start is not None else "",
            _yes(hit.in_prompt),
            _yes(occurs(hit.word, without.text)),
            _yes(hit.in_text),
            hit.taken_for or "",
        )
        for without, using in pairs
        for hit in using.hotwords
        if hit.start is not None or hit.in_text
    ]
    if rows:
        said = ("in prompt", "in text without", "with")
        columns = ("word", "heard at", "similarity", *said, "left out for")
        show_table(sink, columns, rows, told=said)
        sink.data("\n")
    texts = [(_clock(using.start), without.text, using.text) for without, using in pairs]
    show_table(sink, ("from", "without the list", "with the list"), texts)


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds * 10), 600)
    return f"{minutes}:{rest / 10:04.1f}"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _verdict(pairs: "Sequence[tuple[Segment, Segment]]", words: int) -> str:
    from funasr_cli.hotwords.report import occurs

    hits = [(without.text, hit) for without, using in pairs for hit in using.hotwords]
    recalled = {hit.word for _, hit in hits if hit.start is not None and not hit.taken_for}
    right = {hit.word for _, hit in hits if hit.in_text}
    before = {hit.word for text, hit in hits if occurs(hit.word, text)}
    return (
        f"words: {words}, recalled: {len(recalled)}, in the text: {len(right)} "
        f"(without the list: {len(before)})"
    )
