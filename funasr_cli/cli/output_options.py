"""Options of every command that writes transcripts, each declared once.

A command takes them as parameters of these types; `CaptionOptions` has the defaults of what cues
look like.
"""

from typing import Annotated

import typer

from funasr_cli.captions.options import (
    AUTO_PRESET,
    DEFAULT_MAX_DURATION,
    DEFAULT_MAX_LINE_COUNT,
    DEFAULT_MIN_DURATION,
    PRESETS,
)

__all__ = [
    "AUTO_PRESET",
    "DEFAULT_MAX_DURATION",
    "DEFAULT_MAX_LINE_COUNT",
    "DEFAULT_MIN_DURATION",
    "AsJson",
    "KeepPunctuation",
    "MaxDuration",
    "MaxLineCount",
    "MaxLineWidth",
    "MinDuration",
    "OutputDir",
    "OutputFormat",
    "OutputTemplate",
    "SubtitlePreset",
    "Timestamps",
]

OutputFormat = Annotated[
    str | None,
    typer.Option(
        "-f",
        "--format",
        "--output-format",
        help="txt, srt, vtt, ass, lrc, elrc, tsv, csv, json, whisper-json, html: comma "
        "separated, or all.",
    ),
]
OutputDir = Annotated[
    str | None,
    typer.Option(
        "-o",
        "--output-dir",
        help="Folder for the files (default: this one), or source: beside each input; older "
        "files are replaced.",
    ),
]
OutputTemplate = Annotated[
    str | None,
    typer.Option(
        help="Names of the files, e.g. {parent}/{filename}_{date}; also {index} and {ext}."
    ),
]
Timestamps = Annotated[
    bool, typer.Option("--timestamps", help="Text with a line a cue and its times.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of text: one line per input.")
]
SubtitlePreset = Annotated[
    str,
    typer.Option(
        help=f"Conventions of the cues: {', '.join(PRESETS)}, or {AUTO_PRESET}: by the script of "
        "the text. zh: 16 characters a line, ja: 13, ko: 16, latin: 42.",
    ),
]
MaxLineWidth = Annotated[
    float | None,
    typer.Option(
        help="Most characters a line. With zh, ja and ko full-width ones, and Latin ones count "
        "half; else Latin ones, and full-width ones count double."
    ),
]
MaxLineCount = Annotated[int, typer.Option(help="Most lines a cue.")]
MinDuration = Annotated[
    float, typer.Option(help="Seconds a cue stays at least, where there is room.")
]
MaxDuration = Annotated[float, typer.Option(help="Seconds a cue stays at most.")]
KeepPunctuation = Annotated[
    bool,
    typer.Option("--keep-punctuation", help="Keep ，。 and the like where a line of a cue ends."),
]
