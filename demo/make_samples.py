"""The README's first recordings: samples/*.{wav,mp3,m4a,mp4}, their texts and hot.txt.

    python -m demo.make_samples [--out samples]

Voices come from the validation set, so the demo model has heard neither voice nor sentence.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from demo.speech import SAMPLE_RATE, Speaker, Voice

PAUSE_S = 0.7
VIDEO_SIZE = (320, 180)
VIDEO_FPS = 10


@dataclass(frozen=True)
class Sample:
    """One recording: (said, written) sentences with a pause between them."""

    file: str
    voice: Voice
    sentences: list[tuple[str, str]]


SAMPLES = [
    Sample(
        "zh-01.wav",
        Voice("cmn+linda", 165, 55, 55),
        [
            (
                "今天我们在北京讨论经济问题，会议三月五日上午九点三十分开始。",
                "今天我们在北京讨论经济问题，会议3月5日上午9点30分开始。",
            ),
            ("联系电话幺三八零零幺三八零零零。", "联系电话13800138000。"),
        ],
    ),
    Sample(
        "zh-02.mp3",
        Voice("cmn+Mario", 180, 45, 60),
        [
            ("欢迎李夏先生参加今天的会议。", "欢迎李夏先生参加今天的会议。"),
            (
                "二零二六年，公司的产品销售增长了百分之二十三点五，我们非常关注这个结果。",
                "2026年，公司的产品销售增长了23.5%，我们非常关注这个结果。",
            ),
            (
                "吴再娜教授认为，技术的发展需要时间，也需要所有人的努力。",
                "吴再娜教授认为，技术的发展需要时间，也需要所有人的努力。",
            ),
            ("你们也会参加比赛吗？", "你们也会参加比赛吗？"),
        ],
    ),
    Sample(
        "en-01.m4a",
        Voice("en-us+robert", 165, 48, 55),
        [
            (
                "We need to talk about the new project, please call me before March fifth.",
                "We need to talk about the new project, please call me before March 5.",
            ),
            ("My number is five five five zero one two three.", "My number is 5550123."),
        ],
    ),
    Sample(
        "en-02.mp4",
        Voice("en+steph", 160, 55, 55),
        [
            ("Thank you all, the game was great.", "Thank you all, the game was great."),
            (
                "More than two thousand five hundred people came, and the team is very happy.",
                "More than 2500 people came, and the team is very happy.",
            ),
            (
                "The next one will start at eight thirty, we hope to see you there.",
                "The next one will start at 8:30, we hope to see you there.",
            ),
        ],
    ),
]
HOTWORDS = ["李夏", "吴再娜", "齐画", "Kelly Clarke", "New York", "和平"]


def speak(speaker: Speaker, sample: Sample) -> NDArray[np.float32]:
    """The whole recording, float32 [S] at 16 kHz."""
    pause = np.zeros(int(PAUSE_S * SAMPLE_RATE), np.float32)
    pieces = [
        piece
        for said, _ in sample.sentences
        for piece in (speaker.say(said, sample.voice)[0], pause)
    ]
    return np.concatenate([pause[: len(pause) // 2], *pieces])


def _add_audio(
    container: av.container.OutputContainer, stream: av.AudioStream, wave: NDArray[np.float32]
) -> None:
    samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
    frame.sample_rate = SAMPLE_RATE
    frame.pts = 0
    resampler = av.AudioResampler(
        format=stream.format, layout="mono", rate=stream.rate, frame_size=stream.frame_size or None
    )
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))


def _add_video(container: av.container.OutputContainer, seconds: float) -> None:
    """A bar that grows with time."""
    stream = container.add_stream("mpeg4", rate=VIDEO_FPS)
    stream.width, stream.height = VIDEO_SIZE
    stream.pix_fmt, stream.bit_rate = "yuv420p", 60_000
    count = int(seconds * VIDEO_FPS)
    for i in range(count):
        picture = np.full((VIDEO_SIZE[1], VIDEO_SIZE[0], 3), 32, np.uint8)
        picture[80:100, : VIDEO_SIZE[0] * (i + 1) // count] = (90, 160, 220)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = i, Fraction(1, VIDEO_FPS)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_media(path: Path, wave: NDArray[np.float32]) -> None:
    """Encode by suffix: pcm, mp3 or aac; .mp4 gets a picture as well."""
    codec = {".wav": "pcm_s16le", ".mp3": "mp3", ".m4a": "aac", ".mp4": "aac"}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE, layout="mono")
        if codec != "pcm_s16le":
            stream.bit_rate = 48_000
        if path.suffix == ".mp4":
            _add_video(container, len(wave) / SAMPLE_RATE)
        _add_audio(container, stream, wave)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("samples"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    speaker = Speaker()
    for sample in SAMPLES:
        path = args.out / sample.file
        write_media(path, speak(speaker, sample))
        zh = sample.file.startswith("zh")
        path.with_suffix(".txt").write_text(
            ("" if zh else " ").join(w for _, w in sample.sentences) + "\n", encoding="utf-8"
        )
    (args.out / "hot.txt").write_text("\n".join(HOTWORDS) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
