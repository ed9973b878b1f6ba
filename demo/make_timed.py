"""Clips with the true start of every unit, for tests/test_times.py.

    python -m demo.make_timed [tests/data/timed] [--seed 12]

Opus, which moves nothing: the decoded sound is compared with the clip.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import av
import numpy as np
from funasr_cli.audio import AudioReader, AudioSource

from demo.clips import Clip, make_clips
from demo.speech import SAMPLE_RATE, VALIDATION_VOICES
from demo.true_times import spoken_units

SECONDS = (5.0, 8.0)
CLIPS = 2
"""Of each language."""
BITS = 32_000


def write(path: Path, clip: Clip) -> None:
    """Encode a clip."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = BITS
        samples = (clip.wave * 32767).astype("<i2")[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)


def moved(path: Path, clip: Clip) -> int:
    """By how many samples the decoded sound is late."""
    with AudioReader(AudioSource(str(path)), start=0.0, duration=None) as reader:
        decoded = np.concatenate(list(reader))[: len(clip.wave)]
    spectrum = np.fft.rfft(decoded, 2 * len(decoded))
    likeness = np.fft.irfft(
        spectrum * np.conj(np.fft.rfft(clip.wave[: len(decoded)], 2 * len(decoded)))
    )
    lag = int(likeness.argmax())
    return lag if lag < len(decoded) else lag - 2 * len(decoded)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=Path("tests/data/timed"))
    parser.add_argument("--seed", type=int, default=12)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    rows = {}
    for language in ("zh", "en"):
        every = make_clips(language, 40, args.seed, VALIDATION_VOICES, named=False)
        clips = [
            clip
            for clip in every
            if SECONDS[0] < len(clip.wave) / SAMPLE_RATE < SECONDS[1]
            and clip.sentence.itn == clip.sentence.plain
        ]
        for number, clip in enumerate(clips[:CLIPS], 1):
            path = args.folder / f"{language}-{number}.ogg"
            write(path, clip)
            if moved(path, clip):
                raise SystemExit(f"{path}: the codec has moved the sound")
            units = [{"text": text, "start": start} for text, start in spoken_units(clip)]
            rows[path.name] = {"voice": clip.voice, "text": clip.reference(), "units": units}
            print(path, clip.voice, clip.reference())
    lines = ",\n".join(
        f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in rows.items()
    )
    (args.folder / "starts.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
