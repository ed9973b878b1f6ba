"""Sound files for tests, made by PyAV: every container that a user may bring."""

from pathlib import Path

import av
import numpy as np

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
    stereo: bool = False,
    video: bool = False,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode samples [S]; `video` adds a small picture track."""
    with av.open(str(path), "w", options=options or {}) as container:
        picture = None
        if video:
            picture = container.add_stream("mpeg4", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        layout = "stereo" if stereo else "mono"
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if picture is not None:
            for _ in range(max(1, round(samples.size / rate * 10))):
                image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
                container.mux(picture.encode(image))
            container.mux(picture.encode(None))
        data = np.repeat(samples[None], 2 if stereo else 1, axis=0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data), "fltp", layout)
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format.name, layout, stream.rate, stream.frame_size)
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return path
