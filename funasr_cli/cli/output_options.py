"""Options of every command that writes transcripts; `CaptionOptions` has the defaults of cues."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.captions.options import (
    AUTO_PRESET,
    DEFAULT_MAX_DURATION,
    DEFAULT_MAX_LINE_COUNT,
    DEFAULT_MIN_DURATION,
    PRESETS,
)
from funasr_cli.cli.arguments import parse_formats

if TYPE_CHECKING:
    from funasr_cli.captions import CaptionOptions


@dataclass(frozen=True)
class OutputOptions:
    """Which files, and where."""

    output_format: Annotated[
        str | None,
        typer.Option(
            "-f",
            "--format",
            "--output-format",
            help="txt, srt, vtt, ass, lrc, elrc, tsv, csv, json, whisper-json, html: comma "
            "separated, or all.",
        ),
    ] = None
    output_dir: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output-dir",
            help="Folder for the files (default: this one), or source: beside each input; older "
            "files are replaced.",
        ),
    ] = None
    output_template: Annotated[
        str | None,
        typer.Option(
            help="Names of the files, e.g. {parent}/{filename}_{date}; also {index} and {ext}."
        ),
    ] = None
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Text with a line a cue and its times.")
    ] = False

    def formats(self, default: tuple[str, ...]) -> tuple[str, ...]:
        """Formats that were asked for; `default` where only a place was.

        Raises:
            UsageError: one is unknown.
        """
        to_files = self.output_dir is not None or self.output_template is not None
        return parse_formats(self.output_format) or (default if to_files else ())


@dataclass(frozen=True)
class CueOptions:
    """What subtitles look like."""

    subtitle_preset: Annotated[
        str,
        typer.Option(
            help=f"Conventions of the cues: {', '.join(PRESETS)}, or {AUTO_PRESET}: by the script "
            "of the text. zh: 16 characters a line, ja: 13, ko: 16, latin: 42.",
        ),
    ] = AUTO_PRESET
    max_line_width: Annotated[
        float | None,
        typer.Option(
            help="Most characters a line. With zh, ja and ko full-width ones, and Latin ones count "
            "half; else Latin ones, and full-width ones count double."
        ),
    ] = None
    max_line_count: Annotated[int, typer.Option(help="Most lines a cue.")] = DEFAULT_MAX_LINE_COUNT
    min_duration: Annotated[
        float, typer.Option(help="Seconds a cue stays at least, where there is room.")
    ] = DEFAULT_MIN_DURATION
    max_duration: Annotated[float, typer.Option(help="Seconds a cue stays at most.")] = (
        DEFAULT_MAX_DURATION
    )
    keep_punctuation: Annotated[
        bool,
        typer.Option(
            "--keep-punctuation", help="Keep ，。 and the like where a line of a cue ends."
        ),
    ] = False

    def captions(self) -> "CaptionOptions":
        """The same, checked.

        Raises:
            UsageError: a value means nothing.
        """
        from funasr_cli.captions import CaptionOptions

        return CaptionOptions(
            preset=self.subtitle_preset,
            max_line_width=self.max_line_width,
            max_line_count=self.max_line_count,
            min_duration=self.min_duration,
            max_duration=self.max_duration,
            keep_punctuation=self.keep_punctuation,
        )


AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON instead of text: one line per input.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only data, warnings and errors.")]
