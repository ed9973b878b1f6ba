"""The validation set: clips with a fixed seed, made in fresh processes."""

from __future__ import annotations

import json
import multiprocessing
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from demo.corpus import Sentence, fill, make_name, make_sentence
from demo.speech import SAMPLE_RATE, Speaker, random_voice, token_starts

LONGEST_S = 13.0


@dataclass(frozen=True)
class Clip:
    """One validation utterance."""

    wave: NDArray[np.float32]
    sentence: Sentence
    voice: str
    starts: list[float | None]
    """start in s of every spoken token"""
    hotwords: list[str] = field(default_factory=list)

    def reference(self, itn: bool = True, listed: bool = False) -> str:
        """Written text; names as listed or canonical."""
        names = [n.spelled if listed else n.canonical for n in self.sentence.names]
        return fill(self.sentence.itn if itn else self.sentence.plain, names)


def make_clips(
    language: str, count: int, seed: int, variants: list[str], named: bool
) -> list[Clip]:
    """Clips with a fixed seed; ``named`` puts names in all of them and adds a list of 1-10."""
    rng = Random(f"{language} {seed} {named}")
    speaker = Speaker()
    clips: list[Clip] = []
    while len(clips) < count:
        sentence = make_sentence(language, rng, names=0.2 if named else 0.0)
        voice = random_voice(language, variants, rng)
        wave_, words = speaker.say(sentence.speak, voice)
        heard = {n.key: n.spelled for n in sentence.names}
        others = [make_name(language, rng) for _ in range(rng.randint(0, 10 - len(heard)))]
        hotwords = list({n.spelled: n for n in others if n.key not in heard})
        hotwords += heard.values()
        rng.shuffle(hotwords)
        if 0.4 * SAMPLE_RATE < len(wave_) <= LONGEST_S * SAMPLE_RATE and (
            sentence.names or not named
        ):
            clips.append(
                Clip(
                    wave_,
                    sentence,
                    voice.name,
                    token_starts(sentence.speak, words, language),
                    hotwords,
                )
            )
    return clips


def make_all(items: int, seed: int, variants: list[str]) -> dict[str, list[Clip]]:
    """The whole validation set, made in fresh processes."""
    kinds = [(language, named) for language in ("zh", "en") for named in (False, True)]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [
            pool.submit(make_clips, language, items, seed, variants, named)
            for language, named in kinds
        ]
        return {
            f"{language}{'-names' if named else ''}": job.result()
            for (language, named), job in zip(kinds, jobs, strict=True)
        }


def write_clips(folder: Path, clips: dict[str, list[Clip]]) -> None:
    """NUMBER.wav and references.json."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, members in clips.items():
        for i, clip in enumerate(members):
            name = f"{kind}-{i:03d}.wav"
            with wave.open(str(folder / name), "wb") as f:
                f.setnchannels(1), f.setsampwidth(2), f.setframerate(SAMPLE_RATE)
                f.writeframes((clip.wave * 32767).astype("<i2").tobytes())
            rows.append(
                {
                    "file": name,
                    "language": clip.sentence.language,
                    "voice": clip.voice,
                    "text": clip.reference(),
                    "text_listed": clip.reference(listed=True),
                    "text_no_itn": clip.reference(itn=False),
                    "spoken": clip.sentence.spoken,
                    "hotwords": clip.hotwords if clip.sentence.names else [],
                    "names": [n.spelled for n in clip.sentence.names],
                    "starts": clip.starts,
                }
            )
    (folder / "references.json").write_text(
        json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8"
    )
