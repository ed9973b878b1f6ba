"""`funasr realign`: a corrected text gets its times back, without the model."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli.delivery import Output, write_files
from funasr_cli.cli.groups import grouped
from funasr_cli.cli.output_options import AsJson, CueOptions, OutputOptions, Quiet
from funasr_cli.cli.targets import Targets, parse_targets
from funasr_cli.errors import InputError, UsageError

if TYPE_CHECKING:
    from funasr_cli.realign import Realigned

PRINTED = "srt"
"""What goes to stdout, or into a folder without a format: the text alone is known already."""
_OTHER = re.compile(r'^\s*\d+:\d+[\d:.,]*\s+-->|\A\s*\{\s*"|^Dialogue:', re.MULTILINE)
"""The times of a subtitle, or a JSON: files that are easily named instead of the text."""


@grouped
def realign(  # noqa: PLR0913 - one parameter a group of options
    *,
    edited: Annotated[
        Path,
        typer.Argument(
            metavar="EDITED.txt",
            help="The corrected text, as `-f txt` wrote it, with or without times before its "
            "lines; where lines end does not matter.",
        ),
    ],
    result: Annotated[
        Path, typer.Argument(metavar="RESULT.json", help="What `-f json` wrote of the recording.")
    ],
    output: OutputOptions,
    as_json: AsJson = False,
    cues: CueOptions,
    quiet: Quiet = False,
) -> None:
    """Give a text that you have corrected its times back.

    Characters that you left alone keep their times exactly; new ones share the time of what they
    replace. No model is loaded. Without -f or -o, SubRip subtitles go to stdout; files are named
    like RESULT.json. The new JSON can be corrected and realigned again.

    \b
    Examples:
      funasr transcribe talk.mp3 -f txt,json
      funasr realign talk.txt talk.json > talk.srt
      funasr realign talk.txt talk.json -f all -o corrected
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink
    from funasr_cli.writers import render
    from funasr_cli.writers.json import to_json

    sink = Sink(quiet=quiet)
    captions, timestamps = cues.captions(), output.timestamps
    formats = output.formats((PRINTED,))
    targets = parse_targets([str(result)], formats, output.output_dir, output.output_template)
    _refuse_to_overwrite(edited, targets, str(result))
    found = _realigned(edited, result)
    paths = targets.of(str(result))
    write_files(found.transcript, paths, Output(targets, as_json, timestamps, captions), sink)
    if as_json:
        sink.data(to_json(found.transcript, compact=True))
    elif not paths:
        kind = "txt" if timestamps else PRINTED
        sink.data(render(kind, found.transcript, captions=captions, timestamps=timestamps))
    sink.note(
        f"{found.kept} characters keep their times; new: {found.changed}, gone: {found.removed}"
    )


def _refuse_to_overwrite(edited: Path, targets: Targets, name: str) -> None:
    for _, path in targets.of(name):
        if path.exists() and edited.exists() and path.samefile(edited):
            raise UsageError(f"{path}: is the corrected text and would be overwritten; use -o")


def _realigned(edited: Path, result: Path) -> "Realigned":
    from funasr_cli.realign import LEAST_FIT, lines_of, realign
    from funasr_cli.writers.json import from_json

    transcript = from_json(_read(result), str(result))
    if not any(segment.chars for segment in transcript.segments):
        why = (
            "no character times, because its model has no CTC head"
            if transcript.text.strip()
            else "no text"
        )
        raise InputError(f"{result}: has {why}; there is nothing to realign with")
    text = _read(edited)
    if _OTHER.search(text):
        raise InputError(
            f"{edited}: is no plain text; correct what `-f txt` wrote, with or without "
            "--timestamps: subtitles leave punctuation out"
        )
    lines = lines_of(text)
    if not lines:
        raise InputError(f"{edited}: has no text")
    found = realign(transcript, lines)
    if found.fit < LEAST_FIT:
        raise InputError(
            f"{edited}: does not fit {result}: they share {found.fit:.0%} of their text, so they "
            "are not of the same recording"
        )
    return found


def _read(path: Path) -> str:
    """Read UTF-8, with or without a byte order mark.

    Raises:
        InputError: it is no file, or no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be read ({reason})") from error
