r"""Advanced SubStation Alpha: subtitles that light up as they are spoken.

`{\k}` takes hundredths of a second. The format has no escape that all players know (VSFilter has
none), so braces and backslashes become their full-width forms.
"""

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.results import Transcript
from funasr_cli.writers.clock import CENTI, clock, ticks
from funasr_cli.writers.spoken import Line, lines

HEADER = """\
[Script Info]
; written by funasr-cli
ScriptType: v4.00+
PlayResX: 1920
PlayResY: 1080
WrapStyle: 0
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,72,&H00FFFFFF,&H00A8A8A8,&H00000000,&H80000000,\
0,0,0,0,100,100,0,0,1,3,1,2,60,60,60,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""Grey (secondary) until it is spoken, then white."""

_SPECIAL = str.maketrans({"{": "｛", "}": "｝", "\\": "＼", "\n": r"\N"})


def to_ass(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    r"""Write cues with `H:MM:SS.cc` times, and a `{\k}` for each word, digit or CJK character.

    A cue without times of its characters is written plainly.
    """
    return HEADER + "".join(
        f"Dialogue: 0,{_clock(line.start)},{_clock(line.end)},Default,,0,0,0,,{_text(line)}\n"
        for line in lines(transcript, captions)
    )


def _text(line: Line) -> str:
    if not line.words:
        return "\n".join(line.rows).translate(_SPECIAL)
    begin, length = ticks(line.start, CENTI), ticks(line.end, CENTI) - ticks(line.start, CENTI)
    text, now = "", 0
    for beat in (beat for word in line.words for beat in word.beats):
        start, end = (
            min(max(now, ticks(at, CENTI) - begin), length) for at in (beat.start, beat.end)
        )
        # a syllable without text is a pause
        text += (f"{{\\k{start - now}}}" if start > now else "") + f"{{\\k{end - start}}}"
        text += beat.shown.translate(_SPECIAL)
        now = end
    return text


def _clock(seconds: float) -> str:
    at = clock(seconds, CENTI)
    return f"{at.hours}:{at.minutes:02}:{at.seconds:02}.{at.part:02}"
