"""The first and last bytes of a recording -> how much sound it should hold.

FFmpeg shortens what a cut-off WAV announces to what is there, and guesses the length of an
MP3 from its bit rate: only the bytes tell whether something is missing.
"""

import io
import struct
from typing import IO

MP4_ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
"""Names of the box that an MP4 or QuickTime file begins with."""
HEAD_BYTES = 65536
"""What is read to find a header; cover pictures before it are skipped."""
EXACT_WAV = (0x0001, 0x0003, 0x0006, 0x0007, 0xFFFE)
"""WAV codecs whose bytes per second are exact: PCM, float, A-law, u-law, extensible."""
STREAMED_BYTES = 0x7FFF0000
"""Recorders that do not know the length yet write this or more."""
MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
"""Sample rates by MPEG version bits: 1, 2, 2.5."""


def needs_seeking(head: bytes) -> bool:
    """Tell whether a container may keep its index behind its sound."""
    return head[4:8] in MP4_ATOMS


def announced_seconds(file: IO[bytes]) -> float | None:
    """Read what the header of a WAV or MP3 promises; None when it promises nothing exact."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav_seconds(head)
    if head[:3] == b"ID3" and len(head) > 10:  # noqa: PLR2004 - its own header
        # the length holds seven bits a byte
        file.seek(10 + sum(byte << 7 * i for i, byte in enumerate(reversed(head[6:10]))))
        head = file.read(HEAD_BYTES)
    return _mp3_seconds(head)


def _wav_seconds(head: bytes) -> float | None:
    at, rate, long_size = 12, 0, 0
    while at + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, at)
        body = head[at + 8 : at + 8 + size]
        if name == b"ds64" and len(body) >= 16:  # noqa: PLR2004 - RIFF and data sizes
            long_size = int(struct.unpack_from("<Q", body, 8)[0])
        elif name == b"fmt " and len(body) >= 16:  # noqa: PLR2004 - the part that all have
            codec, rate = struct.unpack_from("<H6xI", body)
            rate = rate if codec in EXACT_WAV else 0
        elif name == b"data":
            size = long_size or (size if size < STREAMED_BYTES else 0)
            return size / rate if size and rate else None
        at += 8 + size + size % 2
    return None


def _mp3_seconds(head: bytes) -> float | None:
    """Read the frame count that encoders hide in a first, silent frame."""
    at = head.find(b"\xff")
    while 0 <= at < len(head) - 4 and head[at + 1] & 0xE6 != 0xE2:  # noqa: PLR2004 - layer III
        at = head.find(b"\xff", at + 1)
    frame = head[at : at + 64] if at >= 0 else b""
    for name, offset in ((b"Xing", 8), (b"Info", 8), (b"VBRI", 14)):
        field = frame.find(name)
        has_count = name == b"VBRI" or any(flags & 1 for flags in frame[field + 7 : field + 8])
        count = frame[field + offset : field + offset + 4]
        if field < 0 or not has_count or len(count) < 4:  # noqa: PLR2004 - 32 bits
            continue
        version, rate = frame[1] >> 3 & 3, frame[2] >> 2 & 3
        if version in MP3_RATES and rate < len(MP3_RATES[version]):
            per_frame = 1152 if version == 3 else 576  # noqa: PLR2004 - MPEG 1
            return int.from_bytes(count, "big") * per_frame / MP3_RATES[version][rate]
    return None


def ends_inside_page(file: IO[bytes]) -> bool:
    """Tell whether an Ogg file stops in the middle of a page, as a cut-off one does."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2 * HEAD_BYTES))  # a page has at most 65,307 bytes
    tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    file.seek(0)
    if page[:4] != b"OggS" or file.read(4) != b"OggS":
        return False
    if len(page) < 27:  # noqa: PLR2004 - a page's header
        return True
    lengths = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(lengths)
