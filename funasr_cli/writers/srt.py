"""SubRip subtitles.

The format has no escapes, and players read tags of HTML and of SSA in it: what would be read as
one gets full-width characters, which look alike and mean nothing.
"""

import re
from collections.abc import Iterable

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import MILLI, clock
from funasr_cli.writers.spoken import lines

_TAG = re.compile(r"<([^<>]+)>")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?=[.,]\d)")
_SPECIAL = str.maketrans({"{": "｛", "}": "｝", "\\": "＼"})


def to_srt(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write numbered cues with `HH:MM:SS,mmm` times."""
    blocks = (
        f"{number}\n{_clock(line.start)} --> {_clock(line.end)}\n{_safe(line.rows)}\n"
        for number, line in enumerate(lines(transcript, captions), 1)
    )
    return "\n".join(blocks)


def _safe(rows: Iterable[str]) -> str:
    text = "\n".join(
        # lenient readers take any row with two times for the beginning of a cue
        _TIME.sub(r"\1：\2：\3", row) if len(_TIME.findall(row)) > 1 else row
        for row in rows
    )
    # the arrow as openai-whisper writes it
    return _TAG.sub(r"＜\1＞", text).translate(_SPECIAL).replace("-->", "->")


def _clock(seconds: float) -> str:
    at = clock(seconds, MILLI)
    return f"{at.hours:02}:{at.minutes:02}:{at.seconds:02},{at.part:03}"
