"""WebVTT subtitles (W3C: WebVTT, the Web Video Text Tracks Format)."""

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import MILLI, clock
from funasr_cli.writers.spoken import lines

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""With > escaped no text holds the arrow `-->`."""


def to_vtt(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write cues with `HH:MM:SS.mmm` times."""
    blocks = (
        f"\n{_clock(line.start)} --> {_clock(line.end)}\n"
        + "".join(f"{row.translate(_ESCAPES)}\n" for row in line.rows)
        for line in lines(transcript, captions)
    )
    return "WEBVTT\n" + "".join(blocks)


def _clock(seconds: float) -> str:
    at = clock(seconds, MILLI)
    return f"{at.hours:02}:{at.minutes:02}:{at.seconds:02}.{at.part:03}"
