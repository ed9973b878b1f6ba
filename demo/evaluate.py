"""Scores on validation voices and sentences never trained on.

    python -m demo.evaluate --checkpoint DIR [--items 100 --seed 0 --write FOLDER] [--variants f3 m4]

Prints CER (zh, en; with digits, punctuation and case aside) of the LLM and of CTC, the share of
digit numbers that are right, names right with and without a hot-word list, and the difference between
CTC spikes and true starts. ``--write`` leaves NUMBER.wav and references.json for an end-to-end test.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import wave
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import torch
from numpy.typing import NDArray

from demo import lexicon
from demo.corpus import Sentence, fill, make_name, make_sentence, strip_punctuation
from demo.frontend import FRAME_S
from demo.model import Size
from demo.recognise import Recogniser
from demo.speech import SAMPLE_RATE, VALIDATION_VOICES, Speaker, random_voice, token_starts
from demo.tokenizers import user_prompt

LONGEST_S = 13.0
BATCH = 100
NUMBER = re.compile(r"\d[\d.:%]*\d%?|\d%?")


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


def make_clips(language: str, count: int, seed: int, variants: list[str], named: bool) -> list[Clip]:
    """Clips with a fixed seed; ``named`` puts names in all of them and adds a list of 1-10."""
    rng = Random(f"{language} {seed} {named}")
    speaker = Speaker()
    clips: list[Clip] = []
    while len(clips) < count:
        sentence = make_sentence(language, rng, names=0.2 if named else 0.0)
        voice = random_voice(language, variants, rng)
        wave_, words = speaker.say(sentence.speak, voice)
        hotwords = [n.spelled for n in sentence.names]
        hotwords += [make_name(language, rng).spelled for _ in range(rng.randint(0, 10 - len(hotwords)))]
        rng.shuffle(hotwords)
        if 0.4 * SAMPLE_RATE < len(wave_) <= LONGEST_S * SAMPLE_RATE and (sentence.names or not named):
            clips.append(Clip(wave_, sentence, voice.name, token_starts(sentence.speak, words, language), hotwords))
    return clips


def distance(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def normal(text: str) -> str:
    """For scoring: no punctuation, lower case, no blanks around zh characters."""
    text = strip_punctuation(text).lower()
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", text)


def error_rate(references: list[str], texts: list[str]) -> float:
    """Character error rate in % after ``normal``."""
    pairs = [(normal(r), normal(t)) for r, t in zip(references, texts, strict=True)]
    return 100 * sum(distance(r, t) for r, t in pairs) / sum(len(r) for r, _ in pairs)


def numbers_right(references: list[str], texts: list[str]) -> tuple[int, int]:
    """(found, all) digit expressions of the references that the texts hold."""
    found = total = 0
    for reference, text in zip(references, texts, strict=True):
        have = NUMBER.findall(text)
        for number in NUMBER.findall(reference):
            total += 1
            if number in have:
                have.remove(number)
                found += 1
    return found, total


def recognise_clips(
    recogniser: Recogniser, clips: list[Clip], prompts: list[str],
) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """LLM texts and CTC spikes of all clips."""
    texts: list[str] = []
    spikes: list[list[tuple[int, int]]] = []
    order = sorted(range(len(clips)), key=lambda i: len(clips[i].wave))
    for start in range(0, len(clips), BATCH):
        chosen = order[start:start + BATCH]
        encoded, lengths = recogniser.encode([clips[i].wave for i in chosen])
        spikes += recogniser.spikes(encoded, lengths)
        texts += recogniser.write(encoded, lengths, [prompts[i] for i in chosen])
    back = sorted(range(len(order)), key=order.__getitem__)
    return [texts[i] for i in back], [spikes[i] for i in back]


def spike_lags(recogniser: Recogniser, clips: list[Clip], spikes: list[list[tuple[int, int]]]) -> list[float]:
    """Spike time minus true start, in s, of the tokens of perfectly recognised clips."""
    lags: list[float] = []
    for clip, row in zip(clips, spikes, strict=True):
        language = clip.sentence.language
        if recogniser.ctc.decode([t for t, _ in row]) != clip.sentence.spoken:
            continue
        begins = [language == "zh" or i == 0 or recogniser.ctc.pieces[t].startswith(b" ") for i, (t, _) in enumerate(row)]
        frames = [f for (_, f), begin in zip(row, begins, strict=True) if begin]
        if len(frames) == len(clip.starts):
            lags += [f * FRAME_S - s for f, s in zip(frames, clip.starts, strict=True) if s is not None]
    return lags


def score(recogniser: Recogniser, clips: dict[str, list[Clip]], brief: bool = False) -> dict[str, float]:
    """All figures (``brief``: the main ones); ``clips`` has zh, en, zh-names, en-names."""
    out: dict[str, float] = {}
    lags: list[float] = []
    for language in ("zh", "en"):
        plain = clips[language]
        asked = [("", None, True), (" told", language, True), (" no-itn", None, False)]
        for label, language_word, itn in asked[:1] if brief else asked:
            prompts = [user_prompt(language_word, itn, []) for _ in plain]
            texts, spikes = recognise_clips(recogniser, plain, prompts)
            references = [c.reference(itn) for c in plain]
            out[f"{language} CER{label}"] = error_rate(references, texts)
            if itn:
                found, total = numbers_right(references, texts)
                out[f"{language} numbers{label}"] = 100 * found / max(total, 1)
        heard = [recogniser.ctc.decode([t for t, _ in row]) for row in spikes]
        out[f"{language} CTC CER"] = error_rate([c.sentence.spoken for c in plain], heard)
        lags += spike_lags(recogniser, plain, spikes)
        named = clips[f"{language}-names"]
        for label, with_list in ((" listed", True),) if brief else (("", False), (" listed", True)):
            prompts = [user_prompt(None, True, c.hotwords if with_list else []) for c in named]
            texts, _ = recognise_clips(recogniser, named, prompts)
            out[f"{language}-names CER{label}"] = error_rate([c.reference(listed=with_list) for c in named], texts)
            pairs = [(n.spelled, t) for c, t in zip(named, texts, strict=True) for n in c.sentence.names]
            out[f"{language} names right{label}"] = 100 * sum(n in t for n, t in pairs) / max(len(pairs), 1)
    if lags:
        out["spike lag mean s"], out["spike lag sd s"] = float(np.mean(lags)), float(np.std(lags))
        out["spike lag median s"] = float(np.median(lags))
        out["spike lag tokens"] = len(lags)
    return out


def make_all(items: int, seed: int, variants: list[str]) -> dict[str, list[Clip]]:
    """The whole validation set, made in fresh processes."""
    kinds = [(language, named) for language in ("zh", "en") for named in (False, True)]
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(make_clips, language, items, seed, variants, named) for language, named in kinds]
        return {f"{language}{'-names' if named else ''}": job.result()
                for (language, named), job in zip(kinds, jobs, strict=True)}


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
            rows.append({
                "file": name, "language": clip.sentence.language, "voice": clip.voice, "text": clip.reference(),
                "text_listed": clip.reference(listed=True), "text_no_itn": clip.reference(itn=False),
                "spoken": clip.sentence.spoken, "hotwords": clip.hotwords if clip.sentence.names else [],
                "names": [n.spelled for n in clip.sentence.names], "starts": clip.starts})
    (folder / "references.json").write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")


def main() -> None:
    """Command line."""
    from demo.checkpoint import load_checkpoint

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variants", nargs="+", default=VALIDATION_VOICES)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    clips = make_all(args.items, args.seed, args.variants)
    if args.write:
        write_clips(args.write, clips)
    if args.checkpoint:
        recogniser = load_checkpoint(args.checkpoint, Size(), torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        for name, value in score(recogniser, clips).items():
            print(f"{name:24s} {value:8.3f}")


if __name__ == "__main__":
    main()
