"""Tab separated values as openai-whisper writes them: whole milliseconds, no quoting."""

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import MILLI, ticks
from funasr_cli.writers.spoken import lines


def to_tsv(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write `start`, `end` and `text`, a cue a row."""
    return "start\tend\ttext\n" + "".join(
        f"{ticks(line.start, MILLI)}\t{ticks(line.end, MILLI)}\t{line.text.strip()}\n"
        for line in lines(transcript, captions)
    )
