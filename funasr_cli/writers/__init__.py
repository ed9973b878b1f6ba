"""Transcript -> text of a file: one module a format, one table, one way to write."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.errors import OutputError
from funasr_cli.results import Transcript
from funasr_cli.writers.ass import to_ass
from funasr_cli.writers.csv import to_csv
from funasr_cli.writers.html import to_html
from funasr_cli.writers.json import to_json
from funasr_cli.writers.lrc import to_elrc, to_lrc
from funasr_cli.writers.srt import to_srt
from funasr_cli.writers.tsv import to_tsv
from funasr_cli.writers.txt import to_txt
from funasr_cli.writers.vtt import to_vtt
from funasr_cli.writers.whisper_json import to_whisper_json


class CueWriter(Protocol):
    """Writes a format that consists of cues."""

    def __call__(self, transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
        """Write the transcript in cues that look like this."""


CUED: dict[str, CueWriter] = {
    "srt": to_srt,
    "vtt": to_vtt,
    "ass": to_ass,
    "lrc": to_lrc,
    "elrc": to_elrc,
    "tsv": to_tsv,
    "csv": to_csv,
    "whisper-json": to_whisper_json,
}
"""Formats of cues."""
WRITERS: dict[str, Callable[[Transcript], str]] = {
    "txt": to_txt,
    "json": to_json,
    "html": to_html,
    **CUED,
}
"""Format -> writer; `cli.arguments.FORMATS` names the suffixes."""


def render(
    kind: str,
    transcript: Transcript,
    *,
    captions: CaptionOptions = DEFAULT_CAPTIONS,
    timestamps: bool = False,
    folder: Path = Path(),
) -> str:
    """Write a transcript in one of the formats.

    Args:
        kind: a key of `WRITERS`.
        transcript: what to write.
        captions: what cues look like, in formats that have some.
        timestamps: give `txt` a line a cue, with its times; the other formats have them anyway.
        folder: where the file will be; a page links to its sound from there.
    """
    if kind == "html":
        return to_html(transcript, folder, captions)
    if kind == "txt":
        return to_txt(transcript, captions, timestamps=timestamps)
    if kind in CUED:
        return CUED[kind](transcript, captions)
    return WRITERS[kind](transcript)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OutputError: the folder cannot be made or the file not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # in the same folder: a rename across file systems would not be atomic
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(handle, "wb") as file:
                # a file name that is no text (half a surrogate pair) is no reason to fail
                file.write(text.encode("utf-8", errors="backslashreplace"))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error


def _umask() -> int:
    """Read the mask that `open` would have applied; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
