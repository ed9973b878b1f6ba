"""What people type -> values, with an error that says what was expected."""

import os
import re
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import UsageError
from funasr_cli.inputs import what_of_folder

STDIN = "-"
FORMATS = {
    "txt": "txt",
    "srt": "srt",
    "vtt": "vtt",
    "ass": "ass",
    "lrc": "lrc",
    "elrc": "elrc",
    "tsv": "tsv",
    "csv": "csv",
    "json": "json",
    "whisper-json": "whisper.json",
    "html": "html",
}
"""Format -> suffix of its file; no two share one, so that all can stand side by side."""
SYNONYMS = {
    "text": "txt",
    "plain": "txt",
    "subrip": "srt",
    "webvtt": "vtt",
    "enhanced-lrc": "elrc",
    "lrc-enhanced": "elrc",
    "verbose-json": "whisper-json",
    "whisper": "whisper-json",
    "whisper.json": "whisper-json",
}
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)(s|ms)?")


def parse_seconds(option: str, text: str) -> float:
    """Read `90`, `1:30`, `1:02:03.5` or `90000ms` as seconds.

    Raises:
        UsageError: it is none of these.
    """
    match = _CLOCK.fullmatch(text.strip())
    clock = match is not None and match[2] is not None
    if match is None or (clock and match[4]):
        raise UsageError(f"{option} {text}: not a time; write 90, 1:30, 1:02:03.5 or 90000ms")
    hours, minutes, seconds = (float(part or 0) for part in match.groups()[:3])
    return (hours * 60 + minutes) * 60 + seconds / (1000 if match[4] == "ms" else 1)


def parse_formats(text: str | None) -> tuple[str, ...]:
    """Read a comma separated list of formats, `all` included; None = none asked for.

    Case does not matter, nor _ for - nor a leading dot.

    Raises:
        UsageError: one of them is unknown; an audio file's name gets a hint.
    """
    if text is None:
        return ()
    found: dict[str, None] = {}
    if not text.strip(" ,，"):
        raise UsageError(f"--format: names no format; known are {', '.join(FORMATS)} and all")
    for part in filter(None, re.split(r"[,，\s]+", text)):
        name = _plain(part)
        name = SYNONYMS.get(name, name)
        if name == "all":
            return tuple(FORMATS)
        if name not in FORMATS:
            raise UsageError(f"--format {part}: {_hint(part)}")
        found[name] = None
    return tuple(found)


def _plain(part: str) -> str:
    return part.lower().replace("_", "-").removeprefix(".")


def _hint(part: str) -> str:
    if Path(part).suffix:
        return f"-f chooses the output format; name the recording alone: funasr transcribe {part}"
    near = get_close_matches(_plain(part), (*FORMATS, *SYNONYMS, "all"), n=1)
    known = f"known are {', '.join(FORMATS)} and all"
    return (
        f"did you mean {SYNONYMS.get(near[0], near[0])}? ({known})" if near else f"unknown; {known}"
    )


def what_is_missing(name: str) -> str:
    """Say why it is not worth loading a model for an input; "": reading it explains the rest."""
    try:
        if name == STDIN or (os.path.lexists(name) and not os.path.isdir(name)):  # noqa: PTH112 - raises for less
            return ""
        return f"{name}: {what_of_folder(name) if os.path.lexists(name) else 'no such file'}"
    except (OSError, ValueError):
        return ""
