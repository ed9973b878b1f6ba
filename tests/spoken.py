"""Transcripts whose every character has a time that a test can name."""

from pathlib import Path

from funasr_cli.characters import graphemes
from funasr_cli.merge import join_texts
from funasr_cli.results import CharTime, DecodeStats, ModelInfo, Segment, Transcript
from funasr_cli.timings import Timings


def said(
    *texts: str,
    path: Path | str = "录音.wav",
    step: float = 0.25,
    doubts: dict[str, float] | None = None,
) -> Transcript:
    """Let texts be spoken, one a segment: each letter takes `step` seconds, marks take none.

    `doubts` are characters and their confidence; all others are sure.
    """
    segments: list[Segment] = []
    at = 0.0
    for text in texts:
        start, chars = at, []
        for char in graphemes(text):
            sounds = any(c.isalnum() for c in char)
            end = at + step * sounds
            sure = (doubts or {}).get(char, 1.0) if sounds else 0.0
            chars.append(CharTime(char, at, end, sure))
            at = end
        segments.append(
            Segment(len(segments), start, at, text, "", (), tuple(chars), (), DecodeStats())
        )
    return Transcript(
        path=str(path),
        start=0.0,
        duration=at,
        sample_rate=16000,
        language=None,
        text=join_texts(texts),
        segments=tuple(segments),
        model=ModelInfo("demo", "model", "", "x.gguf", "lib"),
        timings=Timings(),
    )
