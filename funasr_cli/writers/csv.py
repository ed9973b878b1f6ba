"""A table for spreadsheets (RFC 4180); seconds, as in our JSON."""

import csv
import io
import re

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.spoken import Line, lines

BOM = "\ufeff"
"""Without it Excel reads UTF-8 as the system's old code page."""
_FORMULA = re.compile(r"[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*%?")


def to_csv(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write `start`, `end`, `text` and `confidence` (0..1, empty where unknown), a cue a row.

    A text that a spreadsheet would compute gets an apostrophe before it (OWASP: CSV injection).
    """
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(("start", "end", "text", "confidence"))
    for line in lines(transcript, captions):
        times = (f"{line.start:.3f}", f"{line.end:.3f}")
        writer.writerow((*times, _cell(line.text.strip()), _confidence(line)))
    return BOM + sheet.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _confidence(line: Line) -> str:
    if not line.words:
        return ""
    return f"{sum(word.confidence for word in line.words) / len(line.words):.3f}"
