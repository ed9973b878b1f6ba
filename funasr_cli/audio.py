"""File, stream or stdin -> float32 [S], mono, 16 kHz, in chunks of constant size.

PyAV (FFmpeg's libraries in a wheel) reads every container and codec, video included.
"""

import math
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from funasr_cli.errors import InputError, UsageError
from funasr_cli.inputs import Media, open_media
from funasr_cli.protocols import Floats
from funasr_cli.units import SAMPLE_RATE

CHUNK_S = 5
"""Seconds of sound in one chunk."""
MAX_DAMAGED_SHARE = 0.5
"""Above this share of undecodable packets an input counts as corrupt."""
MISSING_S = 0.5
"""Less than this may be missing at the end: codecs round and trim."""
MISSING_SHARE = 0.01
"""The same as a share of what was announced."""
COUNTED = ("mov,mp4,m4a,3gp,3g2,mj2", "flac", "au")
"""FFmpeg's names of containers that count the sound of each stream. Of others it only
estimates the length, from bit rate and file size."""
WRITTEN = ("matroska,webm", "flv")
"""Containers that say how long the longest of their streams is."""


@dataclass(frozen=True)
class AudioSource:
    """Something to read: a path, or an open binary stream with a name for messages."""

    name: str
    stream: IO[bytes] | None = None
    """None: `name` is a path."""


class AudioReader:
    """Iterates once over the sound of one input; a context manager that owns the container.

    Raises:
        UsageError: `start` or `duration` mean nothing.
        InputError: missing, empty, corrupt, or without an audio stream. Damage in the middle
            of a file is skipped and counted in `damaged`.
        LibraryError: PyAV cannot be imported.
    """

    def __init__(
        self, source: AudioSource, *, start: float = 0.0, duration: float | None = None
    ) -> None:
        self._source = source
        self._first = _sample_count(start, "--start")
        self._wanted = None if duration is None else _sample_count(duration, "--duration")
        if self._wanted == 0:
            raise UsageError(f"--duration {duration:g}: nothing to transcribe")
        self._stack = ExitStack()
        self._decoded = False
        self._reached = 0.0
        self.damaged = 0
        """Packets that could not be decoded."""
        self.duration: float | None = None
        """Seconds that the container announces for what will be read; None when it does not."""
        self.missing = 0.0
        """Seconds that were announced and wanted but are not there; known after the last chunk."""
        self.cut_off = False
        """Whether the input ends too early, even if `missing` cannot say by how much (Ogg)."""

    def __enter__(self) -> "AudioReader":
        with ExitStack() as stack:
            self._media = open_media(self._source.name, self._source.stream, stack)
            self._container = self._media.container
            self._stack = stack.pop_all()
        if self._container.duration:
            whole = self._container.duration / 1e6 - self._first / SAMPLE_RATE
            wanted = whole if self._wanted is None else self._wanted / SAMPLE_RATE
            self.duration = max(0.0, min(whole, wanted))
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[Floats]:
        """Yield chunks [CHUNK_S * SAMPLE_RATE], the last one shorter; never an empty one."""
        pending: list[Floats] = []
        held, total = 0, 0
        for whole in _window(self._decode(), self._first, self._wanted):
            total += whole.size
            block = whole
            while block.size:  # one packet may hold minutes
                part = block[: CHUNK_S * SAMPLE_RATE - held]
                block = block[part.size :]
                pending.append(part)
                held += part.size
                if held == CHUNK_S * SAMPLE_RATE:
                    yield np.concatenate(pending)
                    pending, held = [], 0
        if not total:
            raise InputError(f"{self._source.name}: {self._why_empty()}")
        if total != self._wanted:
            self._notice_the_end(total)
        if held:
            yield np.concatenate(pending)

    def _notice_the_end(self, total: int) -> None:
        announced = _announced(self._media)
        until = math.inf if self._wanted is None else (self._first + self._wanted) / SAMPLE_RATE
        # by the clock of the packets where they have one: gaps and damage are not an early end
        reached = max(self._reached, (self._first + total) / SAMPLE_RATE)
        missing = min(announced, until) - reached
        if missing > max(MISSING_S, MISSING_SHARE * announced):
            self.missing = missing
        self.cut_off = self.missing > 0 or self._media.ends_inside_page

    def _why_empty(self) -> str:
        if self.damaged and not self._decoded:
            return "corrupt: nothing of its audio stream could be decoded"
        announced, start = _announced(self._media), self._first / SAMPLE_RATE
        if self._first and announced > start:
            return f"is cut off before {start:g} s (--start) of the {announced:g} s it announces"
        if self._first:
            return f"has no sound after {start:g} s (--start)"
        if announced:
            return f"announces {announced:g} s of sound and is cut off before the first"
        return "has an audio stream without any sound in it"

    def _decode(self) -> Iterator[Floats]:
        """Downmix and resample; blocks of any size, leading silence included."""
        import av

        resampler: av.AudioResampler | None = None
        kind: tuple[object, ...] = ()
        for frame in self._frames():
            if resampler is None:
                yield from self._silence_before(frame)
            # recordings that were joined end to end may change in the middle
            if kind != (frame.format.name, frame.layout.name, frame.sample_rate):
                yield from _resampled(resampler, None)
                kind = (frame.format.name, frame.layout.name, frame.sample_rate)
                # the layout stays: FFmpeg's own downmix weighs channels, the reference averages
                resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
            # a timestamp that jumps would make the resampler refuse the frame
            frame.pts = None
            yield from _resampled(resampler, frame)
        yield from _resampled(resampler, None)

    def _frames(self) -> Iterator[Any]:
        import av

        packets = 0
        demuxed = self._container.demux(self._container.streams.audio[0])
        while True:
            packets += 1
            try:
                packet = next(demuxed, None)
            except (av.error.FFmpegError, OSError):  # a truncated file: keep what came before
                self.damaged += 1
                break
            if packet is None:
                break
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            if packet.pts is not None and packet.time_base is not None:
                end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                self._reached = max(self._reached, end)
            for frame in frames:
                self._decoded = True
                yield frame
        if self.damaged > MAX_DAMAGED_SHARE * packets:
            raise InputError(
                f"{self._source.name}: corrupt: {self.damaged} of {packets} packets "
                "of its audio stream could not be decoded"
            )

    def _silence_before(self, frame: Any) -> Iterator[Floats]:  # noqa: ANN401
        """Keep the clock of a video whose sound starts later than its picture."""
        start = (self._container.start_time or 0) / 1e6
        late = (frame.time or 0.0) - start
        if 0.05 < late < 3600:  # noqa: PLR2004 - codec delay below, broken clock above
            yield np.zeros(round(late * SAMPLE_RATE), np.float32)


def _sample_count(seconds: float, option: str) -> int:
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(f"{option} {seconds:g}: must be seconds, 0 or more")
    return round(seconds * SAMPLE_RATE)


def _announced(media: Media) -> float:
    """Seconds of sound that should be there; 0.0 where nobody counted them."""
    kind = media.container.format.name
    stream = media.container.streams.audio[0]
    whole = (media.container.duration or 0) / 1e6
    if kind in {"wav", "mp3"}:
        return media.header_seconds or 0.0
    if kind in COUNTED and stream.duration and stream.time_base:
        return min(float(stream.duration * stream.time_base), whole or math.inf)
    if kind in WRITTEN:
        # beside a longer picture only the tag that muxers write tells the length of the sound
        tag = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""))
        if tag:
            return min(whole, int(tag[1]) * 3600 + int(tag[2]) * 60 + float(tag[3]))
        # FFmpeg gives the stream a length too where it had to guess one
        alone = len(media.container.streams) == 1 and stream.duration is None
        return whole if alone else 0.0
    return 0.0


def _window(blocks: Iterator[Floats], first: int, wanted: int | None) -> Iterator[Floats]:
    """Drop samples before `first` and after `wanted` more. Seeking would be inexact in VBR."""
    skip, left = first, wanted
    for block in blocks:
        kept = block[skip:]
        skip = max(0, skip - block.size)
        if left is not None:
            kept = kept[:left]
            left -= kept.size
        if kept.size:
            yield kept
        if left == 0:
            return


def _resampled(resampler: Any, frame: Any) -> Iterator[Floats]:  # noqa: ANN401 - av's, not imported here
    """Resample to [S]; without a frame, give what the resampler still holds."""
    for out in resampler.resample(frame) if resampler else ():
        channels: Floats = out.to_ndarray()
        yield channels[0] if len(channels) == 1 else channels.mean(axis=0, dtype=np.float32)
