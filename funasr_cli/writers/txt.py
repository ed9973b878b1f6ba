"""Plain text: the transcript and a newline."""

from funasr_cli.results import Transcript


def to_txt(transcript: Transcript) -> str:
    """Write the text alone."""
    return transcript.text + "\n"
