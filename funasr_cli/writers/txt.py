"""Plain text: the transcript and a newline, or a line a cue with its times."""

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import MILLI, clock
from funasr_cli.writers.spoken import lines


def to_txt(
    transcript: Transcript,
    captions: CaptionOptions = DEFAULT_CAPTIONS,
    *,
    timestamps: bool = False,
) -> str:
    """Write the text alone; with `timestamps` `[MM:SS.mmm --> MM:SS.mmm]` and a cue a line.

    Those lines are what openai-whisper prints; hours stand there from the first hour on.
    """
    if not timestamps:
        return transcript.text + "\n"
    return "".join(
        f"[{_clock(line.start)} --> {_clock(line.end)}] {line.text.strip()}\n"
        for line in lines(transcript, captions)
    )


def _clock(seconds: float) -> str:
    at = clock(seconds, MILLI)
    hours = f"{at.hours:02}:" if at.hours else ""
    return f"{hours}{at.minutes:02}:{at.seconds:02}.{at.part:03}"
