"""Do CTC's runner-up tokens help to find hot words in noise? With the demo model.

    python -m demo.evaluate --seed 5 --items 150 --write CLIPS
    python -m demo.noisy_recall CLIPS

For each share of white noise: names of the clips that are among the first ten of a list of 2000
made-up names, and names found per minute of clips without any, first by the best token alone,
then with the alternatives.
"""

from __future__ import annotations

import argparse
import json
import wave
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from funasr_cli.ctc import OnnxCtc, greedy_tokens, read_tokens, spoken
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.hotwords import HotwordIndex, recall
from funasr_cli.results import CtcToken
from numpy.typing import NDArray

from demo.corpus import make_name

MODEL = Path(__file__).parents[1] / "funasr_cli" / "demo_model"
LIST = 2000
SAMPLE_RATE = 16000


def read(path: Path) -> NDArray[np.float32]:
    """Samples of a mono wav file of 16 bits."""
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return data.astype(np.float32) / 32768


def noisy(
    samples: NDArray[np.float32], snr_db: float | None, rng: np.random.Generator
) -> NDArray[np.float32]:
    """With white noise so many dB below the sound; None: as it is."""
    if snr_db is None:
        return samples
    noise = rng.standard_normal(len(samples))
    scale = np.sqrt(np.mean(samples**2) / 10 ** (snr_db / 10) / np.mean(noise**2))
    return (samples + scale * noise).astype(np.float32)


class Ear:
    """Encoder and CTC head of the demo model."""

    def __init__(self) -> None:
        self._encoder = OnnxEncoder(MODEL / "Fun-ASR-Nano-Encoder-Adaptor.fp32.onnx", threads=2)
        self._ctc = OnnxCtc(MODEL / "Fun-ASR-Nano-CTC.int8.onnx", threads=2)
        self._table = read_tokens(MODEL / "tokens.txt")

    def hear(self, samples: NDArray[np.float32]) -> list[CtcToken]:
        """Tokens with alternatives."""
        frames = self._ctc.run(self._encoder.encode([samples])[0].encoder_out)
        end = len(samples) / SAMPLE_RATE
        return list(spoken(greedy_tokens(frames, self._table, start=0.0, end=end, offset=0.0)))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rows = json.loads((args.clips / "references.json").read_text(encoding="utf-8"))
    clips = [row for row in rows if row["language"] == "zh"]
    rng, ear = Random(args.seed), Ear()
    names = [name for clip in clips for name in clip["names"]]
    listed = list(dict.fromkeys(names + [make_name("zh", rng).spelled for _ in range(LIST)]))
    for kind, words in (
        ("all names", listed),
        ("three characters", [w for w in listed if len(w) > 2]),
    ):
        index, known = HotwordIndex.build(words), set(words)
        for snr_db in (None, 10.0, 5.0):
            noise = np.random.default_rng(args.seed)
            found = {False: [0, 0], True: [0, 0]}
            said, seconds = 0, 0.0
            for clip in clips:
                samples = read(args.clips / clip["file"])
                tokens = ear.hear(noisy(samples, snr_db, noise))
                wanted = known.intersection(clip["names"])
                said += len(wanted)
                seconds += 0 if clip["names"] else len(samples) / SAMPLE_RATE
                for with_others, counts in found.items():
                    if not with_others:
                        heard = [replace(token, alternatives=()) for token in tokens]
                    hits = recall(index, tokens if with_others else heard, threshold=0.6, limit=10)
                    counts[0] += len(wanted.intersection(hit.word for hit in hits))
                    counts[1] += 0 if clip["names"] else len(hits)
            for with_others, (right, false) in found.items():
                print(
                    f"{kind:17s} list {len(words):5d} SNR {snr_db or 'clean'!s:6s} "
                    f"{'alternatives' if with_others else 'best alone':13s} "
                    f"hits {right}/{said} = {right / said:.3f}  "
                    f"false {60 * false / seconds:.2f} a minute"
                )


if __name__ == "__main__":
    main()
