"""Sound files for tests, made by PyAV: every container that a user may bring."""

import io
from pathlib import Path

import av
import numpy as np

from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.protocols import Floats
from funasr_cli.units import SAMPLE_RATE


def tone(seconds: float, *, hertz: float = 440.0, rate: int = SAMPLE_RATE) -> Floats:
    """Make a sine of amplitude 0.5."""
    t = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def write_sound(  # noqa: PLR0913 - every side of a media file
    path: Path,
    samples: Floats,
    *,
    codec: str,
    rate: int = SAMPLE_RATE,
    layout: str = "mono",
    video: bool = False,
    picture_s: float | None = None,
    options: dict[str, str] | None = None,
    form: str | None = None,
) -> Path:
    """Encode samples [S]; `video` adds a small picture track.

    It is as long as the sound, or `picture_s`. `form` is the container if the name is no help.
    """
    with av.open(str(path), "w", format=form, options=options or {}) as container:
        picture = None
        if video:
            picture = container.add_stream("mpeg4", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if picture is not None:
            for _ in range(max(1, round((picture_s or samples.size / rate) * 10))):
                image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
                container.mux(picture.encode(image))
            container.mux(picture.encode(None))
        data = np.repeat(samples[None], len(stream.layout.channels), axis=0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), "fltp", layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, layout, stream.rate, stream.frame_size)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path


def write_large_packet(path: Path, samples: Floats) -> Path:
    """Write all of [S] as one packet of raw sound at 16 kHz."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=SAMPLE_RATE, layout="mono")
        data = (samples * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(data, "s16", "mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE, 0
        for part in (frame, None):
            container.mux(stream.encode(part))
    return path


def read(
    source: Path | AudioSource, *, start: float = 0.0, duration: float | None = None
) -> Floats:
    """Read an input to its end: [S]."""
    source = source if isinstance(source, AudioSource) else AudioSource(str(source))
    with AudioReader(source, start=start, duration=duration) as reader:
        return np.concatenate(list(reader))


class NoSeek(io.BytesIO):
    """A pipe."""

    def seek(self, *_arguments: object) -> int:
        """Refuse, as a pipe does."""
        raise io.UnsupportedOperation("seek")

    def seekable(self) -> bool:
        """Say no."""
        return False
