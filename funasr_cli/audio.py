"""File, stream or stdin -> float32 [S], mono, 16 kHz, in chunks of constant size.

PyAV (FFmpeg's libraries in a wheel) reads every container and codec, video included.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from funasr_cli.errors import InputError
from funasr_cli.protocols import Floats
from funasr_cli.units import SAMPLE_RATE

if TYPE_CHECKING:
    from av.container import InputContainer

CHUNK_S = 5
"""Seconds of sound in one chunk."""
MAX_DAMAGED_SHARE = 0.5
"""Above this share of undecodable packets an input counts as corrupt."""


@dataclass(frozen=True)
class AudioSource:
    """Something to read: a path, or an open binary stream with a name for messages."""

    name: str
    stream: IO[bytes] | None = None
    """None: `name` is a path."""


class AudioReader:
    """Iterates over the sound of one input; a context manager that owns the container.

    Raises:
        InputError: missing, empty, corrupt, or without an audio stream. Damage in the middle
            of a file is skipped and counted in `damaged`.
    """

    def __init__(
        self, source: AudioSource, *, start: float = 0.0, duration: float | None = None
    ) -> None:
        self._source = source
        self._first = round(start * SAMPLE_RATE)
        self._wanted = None if duration is None else round(duration * SAMPLE_RATE)
        self._stack = ExitStack()
        self.damaged = 0
        """Packets that could not be decoded."""
        self.duration: float | None = None
        """Seconds that the container announces for what will be read; None when it does not."""

    def __enter__(self) -> "AudioReader":
        with ExitStack() as stack:
            self._container = stack.enter_context(_open(self._source, stack))
            streams = self._container.streams.audio
            if not streams:
                raise InputError(f"{self._source.name}: has no audio stream")
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
        for block in _window(self._decode(), self._first, self._wanted):
            pending.append(block)
            held += block.size
            total += block.size
            if held >= CHUNK_S * SAMPLE_RATE:
                yield np.concatenate(pending)
                pending, held = [], 0
        if held:
            yield np.concatenate(pending)
        if not total:
            raise InputError(f"{self._source.name}: {self._why_empty()}")

    def _why_empty(self) -> str:
        if self.damaged:
            return "corrupt: no packet of its audio stream could be decoded"
        if self._first:
            return f"has no sound after {self._first / SAMPLE_RATE:g} s (--start)"
        return "has an audio stream without any sound in it"

    def _decode(self) -> Iterator[Floats]:
        """Decode, downmix and resample; blocks of any size, leading silence included."""
        import av

        # the layout stays: FFmpeg's own downmix weighs channels, the reference averages them
        resampler = av.AudioResampler(format="fltp", rate=SAMPLE_RATE)
        stream = self._container.streams.audio[0]
        packets, first = 0, True
        for packet in self._packets(stream):
            packets += 1
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                self.damaged += 1
                continue
            for frame in frames:
                if first:
                    first = False
                    yield from self._silence_before(frame)
                # a timestamp that jumps would make the resampler refuse the frame
                frame.pts = None
                yield from (_samples(out) for out in resampler.resample(frame))
        if not first:
            yield from (_samples(out) for out in resampler.resample(None))
        if self.damaged > MAX_DAMAGED_SHARE * packets:
            raise InputError(
                f"{self._source.name}: corrupt: {self.damaged} of {packets} packets "
                "of its audio stream could not be decoded"
            )

    def _packets(self, stream: Any) -> Iterator[Any]:  # noqa: ANN401 - PyAV's stub says so
        import av

        packets = self._container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:  # a truncated file: keep what came before
                self.damaged += 1
                return
            yield packet

    def _silence_before(self, frame: Any) -> Iterator[Floats]:  # noqa: ANN401
        """Keep the clock of a video whose sound starts later than its picture."""
        start = (self._container.start_time or 0) / 1e6
        late = (frame.time or 0.0) - start
        if 0.05 < late < 3600:  # noqa: PLR2004 - codec delay below, broken clock above
            yield np.zeros(round(late * SAMPLE_RATE), np.float32)


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


def _samples(frame: Any) -> Floats:  # noqa: ANN401 - av.AudioFrame, not imported here
    channels: Floats = frame.to_ndarray()
    mono: Floats = channels[0] if len(channels) == 1 else channels.mean(axis=0, dtype=np.float32)
    return mono


def _open(source: AudioSource, stack: ExitStack) -> "InputContainer":
    import av

    target: Any = source.stream
    if target is None:
        path = Path(source.name)
        if not path.exists():
            raise InputError(f"{source.name}: no such file")
        if path.is_dir():
            raise InputError(f"{source.name}: is a folder, not a recording")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{source.name}: is empty (0 bytes)")
        target = str(path)
    else:
        target = _rewindable(target, source.name, stack)
    try:
        # undecodable metadata (GBK tags) must not make a good recording unreadable
        container: InputContainer = av.open(target, mode="r", metadata_errors="ignore")
    except PermissionError as error:
        raise InputError(f"{source.name}: may not be read: permission denied") from error
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{source.name}: not a readable audio or video file ({reason})") from error
    return container


def _rewindable(stream: IO[bytes], name: str, stack: ExitStack) -> IO[bytes]:
    """Give FFmpeg what it needs of a pipe: MP4 may keep its index at the end.

    Other containers are read as they come, in constant memory.
    """
    head = stream.read(12)
    if not head:
        raise InputError(f"{name}: is empty (0 bytes)")
    if head[4:8] != b"ftyp":
        return _Pipe(head, stream)  # type: ignore[return-value]
    spool = stack.enter_context(tempfile.TemporaryFile(prefix="funasr-"))  # noqa: SIM115 - the stack closes it
    spool.write(head)
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return spool


class _Pipe:
    """A pipe with its first bytes put back; has no `seek`, so FFmpeg reads straight on."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._stream.read(size)
