"""Transcripts for the tests of the writers, and texts that hurt formats."""

import av

from funasr_cli.characters import graphemes
from funasr_cli.merge import join_texts
from funasr_cli.results import CharTime, DecodeStats, ModelInfo, Segment, Transcript
from funasr_cli.timings import Timings

EVIL = (
    "他说 --> 然后走了。",
    "1\n\n00:00:01,000 --> 00:00:02,000\n下一句。",
    "a <b>bold</b> & <i> word, x < y > z &amp; AT&T.",
    r"{\an8}上面{b}大括号} C:\N\h\path。",
    "引号\"里面\", and, commas; 'single'.",
    "=1+2 @SUM(A1) -3度 +4。",
    "[00:01.00]假的 [ti:x] <00:02.00>标签。",
    "NOTE comment STYLE WEBVTT.",
    "مرحبا بالعالم، كيف حالك؟",
    "👨‍👩‍👧 emoji 🎉 é combining।",
    "tab\there\x00nul\x1besc\u2028separator.",
    "\ufeff零宽\u200b字符，GPT-4卖$5或50%，“引用”《书》。",
    "한국어 문장입니다. สวัสดีครับ",
)


def segment(text: str, *, start: float = 0.0, step: float = 0.25, timed: bool = True) -> Segment:
    chars = tuple(
        CharTime(c, start + i * step, start + (i + 1) * step, 0.9)
        for i, c in enumerate(graphemes(text))
    )
    end = start + step * max(1, len(chars))
    return Segment(0, start, end, text, "", (), chars if timed else (), (), DecodeStats())


def transcript(*segments: Segment, language: str | None = None) -> Transcript:
    return Transcript(
        path="录音.wav",
        start=0.0,
        duration=segments[-1].end if segments else 1.0,
        sample_rate=16000,
        language=language,
        text=join_texts(s.text for s in segments),
        segments=segments,
        model=ModelInfo("demo", "model", "", "x.gguf", "lib"),
        timings=Timings(),
    )


def spoken(*texts: str, step: float = 0.25, pause: float = 0.5, timed: bool = True) -> Transcript:
    """Texts, one a segment, spoken one after the other."""
    segments: list[Segment] = []
    for text in texts:
        start = segments[-1].end + pause if segments else pause
        segments.append(segment(text, start=start, step=step, timed=timed))
    return transcript(*segments)


def letters(text: str) -> str:
    """What has to survive any format."""
    return "".join(c for c in text if c.isalnum())


def ffmpeg(path: str) -> list[tuple[float, float, str]]:
    """Read a subtitle file with FFmpeg's demuxer: start and end in seconds, raw text."""
    with av.open(path) as container:
        stream = container.streams.subtitles[0]
        base = stream.time_base or 0
        return [
            (
                float(packet.pts * base),
                float((packet.pts + (packet.duration or 0)) * base),
                bytes(packet).decode(),
            )
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size
        ]
