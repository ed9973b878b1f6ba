"""Scores on validation voices and sentences never trained on.

    python -m demo.evaluate --checkpoint DIR [--items 100] [--variants f3 m4] [--write FOLDER]

Prints CER (zh, en; digits count, punctuation and case do not) of the LLM and of CTC, the share of
digit numbers that are right, names right with and without a hot-word list, and how late CTC spikes
come after the true starts. ``--write`` leaves wav files and references.json for an end-to-end test.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch

from demo.clips import Clip, make_all, write_clips
from demo.corpus import strip_punctuation
from demo.frontend import FRAME_S
from demo.model import Size
from demo.prompts import user_prompt
from demo.recognise import Recogniser
from demo.speech import VALIDATION_VOICES

BATCH = 100
NUMBER = re.compile(r"\d[\d.:%]*\d%?|\d%?")


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


def holds(name: str, text: str) -> bool:
    """Whether ``text`` holds ``name``; of Latin names, as whole words."""
    if name.isascii():
        return re.search(rf"\b{re.escape(name)}\b", text) is not None
    return name in text


def recognise_clips(
    recogniser: Recogniser,
    clips: list[Clip],
    prompts: list[str],
) -> tuple[list[str], list[list[tuple[int, int]]]]:
    """LLM texts and CTC spikes of all clips."""
    texts: list[str] = []
    spikes: list[list[tuple[int, int]]] = []
    order = sorted(range(len(clips)), key=lambda i: len(clips[i].wave))
    for start in range(0, len(clips), BATCH):
        chosen = order[start : start + BATCH]
        encoded, lengths = recogniser.encode([clips[i].wave for i in chosen])
        spikes += recogniser.spikes(encoded, lengths)
        texts += recogniser.write(encoded, lengths, [prompts[i] for i in chosen])
    back = sorted(range(len(order)), key=order.__getitem__)
    return [texts[i] for i in back], [spikes[i] for i in back]


def ctc_error_rates(recogniser: Recogniser, clips: dict[str, list[Clip]]) -> dict[str, float]:
    """CER of CTC in % on the sentences without names of each language."""
    rates: dict[str, float] = {}
    for language in ("zh", "en"):
        chosen = clips[language]
        heard: list[str] = []
        for start in range(0, len(chosen), BATCH):
            encoded, lengths = recogniser.encode([c.wave for c in chosen[start : start + BATCH]])
            rows = recogniser.spikes(encoded, lengths)
            heard += [recogniser.ctc.decode([t for t, _ in row]) for row in rows]
        rates[language] = error_rate([c.sentence.spoken for c in chosen], heard)
    return rates


def spike_lags(
    recogniser: Recogniser, clips: list[Clip], spikes: list[list[tuple[int, int]]]
) -> list[float]:
    """Spike time minus true start, in s, of the tokens of perfectly recognised clips."""
    lags: list[float] = []
    for clip, row in zip(clips, spikes, strict=True):
        language = clip.sentence.language
        if recogniser.ctc.decode([t for t, _ in row]) != clip.sentence.spoken:
            continue
        begins = [
            language == "zh" or i == 0 or recogniser.ctc.pieces[t].startswith(b" ")
            for i, (t, _) in enumerate(row)
        ]
        frames = [f for (_, f), begin in zip(row, begins, strict=True) if begin]
        if len(frames) == len(clip.starts):
            lags += [
                f * FRAME_S - s for f, s in zip(frames, clip.starts, strict=True) if s is not None
            ]
    return lags


def score(
    recogniser: Recogniser, clips: dict[str, list[Clip]], brief: bool = False
) -> dict[str, float]:
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
            out[f"{language}-names CER{label}"] = error_rate(
                [c.reference(listed=with_list) for c in named], texts
            )
            pairs = [
                (n.spelled, t) for c, t in zip(named, texts, strict=True) for n in c.sentence.names
            ]
            out[f"{language} names right{label}"] = (
                100 * sum(holds(n, t) for n, t in pairs) / max(len(pairs), 1)
            )
    if lags:
        out["spike lag mean s"], out["spike lag sd s"] = float(np.mean(lags)), float(np.std(lags))
        out["spike lag median s"] = float(np.median(lags))
        out["spike lag tokens"] = len(lags)
    return out


def main() -> None:
    """Command line."""
    from demo.checkpoint import load_checkpoint

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
        recogniser = load_checkpoint(
            args.checkpoint, Size(), torch.device("cuda" if torch.cuda.is_available() else "cpu")
        )
        for name, value in score(recogniser, clips).items():
            print(f"{name:24s} {value:8.3f}")


if __name__ == "__main__":
    main()
