"""Synthesis workers: shards of spoken sentences.

    python -m demo.shards --out DIR --first 0 --step 4 --count 10 [--seconds 1000]

A shard is NUMBER.npy (int16, all waveforms in a row) and NUMBER.pkl (a list of Item). Worker k of n
is started with ``--first k --step n``; the seed of a shard is its number, so any number of workers
makes the same data.
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from demo.corpus import Sentence, join, make_sentence
from demo.speech import SAMPLE_RATE, TRAIN_VOICES, VALIDATION_VOICES, Speaker, random_voice

SHARD_SECONDS = 1000.0
LONGEST_S = 15.0
SHORTEST_S = 0.25
VOICE_SETS = {"train": TRAIN_VOICES, "validation": VALIDATION_VOICES}
_VALIDATION_SEED = 1_000_000


@dataclass(frozen=True)
class Item:
    """One spoken text inside a shard."""

    offset: int
    """first sample in the shard"""
    samples: int
    """length at 16 kHz"""
    sentence: Sentence
    voice: str
    """of the first sentence"""


def speak_sentences(
    speaker: Speaker, rng: Random, variants: list[str]
) -> tuple[NDArray[np.float32], Sentence, str]:
    """1-3 sentences of one language with 0.1-0.8 s of silence between; the voice may change."""
    language = "zh" if rng.random() < 0.55 else "en"
    count = rng.choices([1, 2, 3], [62, 26, 12])[0]
    voice = random_voice(language, variants, rng)
    first = voice.name
    waves: list[NDArray[np.float32]] = []
    sentences: list[Sentence] = []
    for i in range(count):
        sentence = make_sentence(language, rng)
        if i and rng.random() < 0.3:
            voice = random_voice(language, variants, rng)
        if i:
            waves.append(np.zeros(int(rng.uniform(0.1, 0.8) * SAMPLE_RATE), np.float32))
        waves.append(speaker.say(sentence.speak, voice)[0])
        sentences.append(sentence)
    return np.concatenate(waves), join(sentences), first


def make_shard(
    speaker: Speaker, number: int, voices: str, seconds: float
) -> tuple[NDArray[np.int16], list[Item]]:
    """About ``seconds`` of speech: waveforms int16 [S] in a row and their items."""
    rng = Random(number + (_VALIDATION_SEED if voices == "validation" else 0))
    waves: list[NDArray[np.int16]] = []
    items: list[Item] = []
    total = 0
    while True:
        wave, sentence, voice = speak_sentences(speaker, rng, VOICE_SETS[voices])
        if not SHORTEST_S * SAMPLE_RATE <= len(wave) <= LONGEST_S * SAMPLE_RATE:
            continue
        if total + len(wave) > seconds * SAMPLE_RATE:
            return np.concatenate(waves), items
        items.append(Item(total, len(wave), sentence, voice))
        waves.append((wave * 32767).astype(np.int16))
        total += len(wave)


def write_shards(out: Path, first: int, step: int, count: int, voices: str, seconds: float) -> None:
    """Shards first, first+step, ... below ``count``; the .pkl appears last and complete."""
    out.mkdir(parents=True, exist_ok=True)
    speaker = Speaker()
    for number in range(first, count, step):
        wave, items = make_shard(speaker, number, voices, seconds)
        np.save(out / f"{number}.npy", wave)
        partial = out / f"{number}.part"
        partial.write_bytes(pickle.dumps(items))
        partial.rename(out / f"{number}.pkl")


class Workers:
    """Synthesis processes; one that crashed goes on after the shard that crashed it."""

    def __init__(self, out: Path, processes: int, count: int, seconds: float) -> None:
        self.out, self.step, self.count, self.seconds = out, processes, count, seconds
        self.running = [self._start(first) for first in range(processes)]
        self.crashes = 0

    def _start(self, first: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "demo.shards",
                "--out",
                str(self.out),
                "--first",
                str(first),
                "--step",
                str(self.step),
                "--count",
                str(self.count),
                "--seconds",
                str(self.seconds),
            ]
        )

    def tend(self) -> None:
        """Restart what crashed."""
        for k, process in enumerate(self.running):
            if process.poll() not in (None, 0):
                self.crashes += 1
                numbers = range(k, self.count, self.step)
                missing = next(
                    (
                        n
                        for n in numbers
                        if not (self.out / f"{n}.pkl").exists()
                        and not (self.out / f"{n}.crashed").exists()
                    ),
                    self.count,
                )
                (self.out / f"{missing}.crashed").touch()
                self.running[k] = self._start(missing + self.step)

    def stop(self) -> None:
        """End all."""
        for process in self.running:
            process.terminate()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--voices", choices=sorted(VOICE_SETS), default="train")
    parser.add_argument("--seconds", type=float, default=SHARD_SECONDS)
    args = parser.parse_args()
    from demo.shards import write_shards  # not __main__'s: the class name goes into the pickle

    write_shards(args.out, args.first, args.step, args.count, args.voices, args.seconds)


if __name__ == "__main__":
    main()
