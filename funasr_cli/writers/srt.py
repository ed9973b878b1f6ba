"""SubRip subtitles."""

from funasr_cli.captions import cues
from funasr_cli.results import Transcript


def to_srt(transcript: Transcript) -> str:
    """Write numbered cues with `HH:MM:SS,mmm` times."""
    blocks = (
        f"{number}\n{_clock(cue.start)} --> {_clock(cue.end)}\n{cue.text}\n"
        for number, cue in enumerate(cues(transcript.segments), 1)
    )
    return "\n".join(blocks)


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return (
        f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02},{milliseconds % 1000:03}"
    )
