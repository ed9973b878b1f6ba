"""Transcript -> text of a file: one module a format, one table, one way to write."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from funasr_cli.errors import OutputError
from funasr_cli.results import Transcript
from funasr_cli.writers.html import to_html
from funasr_cli.writers.json import to_json
from funasr_cli.writers.srt import to_srt
from funasr_cli.writers.txt import to_txt

WRITERS: dict[str, Callable[[Transcript], str]] = {
    "txt": to_txt,
    "srt": to_srt,
    "json": to_json,
    "html": to_html,
}
"""Format, which is also the file's suffix -> writer."""


def render(kind: str, transcript: Transcript, *, folder: Path = Path()) -> str:
    """Write one format for a file in `folder`: a page links to its sound from there."""
    return to_html(transcript, folder) if kind == "html" else WRITERS[kind](transcript)


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
