"""Names and hot-word lists through the product itself: recall, prompt, LLM.

    python -m demo.evaluate_names [--model DIR] [--items 100] [--seed 0] [--list-size 2000]

Validation voices, sentences never trained on. Names right: spelled as in the list (without a list:
as the speaker meant). CER of sentences without names: with lists that hold none of what is said.
"""

from __future__ import annotations

import argparse
import io
import json
import wave
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from funasr_cli import RuntimeOptions, TranscribeOptions, Transcriber
from funasr_cli.audio import AudioSource
from funasr_cli.model_dir import DEMO_MODEL

from demo.clips import Clip, make_all
from demo.corpus import make_name
from demo.evaluate import error_rate, holds
from demo.lexicon import Name
from demo.name_lists import long_list
from demo.speech import SAMPLE_RATE, VALIDATION_VOICES

SHORT_LIST = 10


@dataclass(frozen=True)
class Outcome:
    """One clip under one list."""

    clip: Clip
    text: str
    recalled: tuple[str, ...]
    """words that recall put into the prompt, in its order"""


def wav_bytes(clip: Clip) -> bytes:
    """The clip as a wav file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as f:
        f.setnchannels(1), f.setsampwidth(2), f.setframerate(SAMPLE_RATE)
        f.writeframes((clip.wave * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def transcribe(
    engine: Transcriber, clips: list[Clip], options: Callable[[Clip], TranscribeOptions]
) -> list[Outcome]:
    """Every clip with its own options."""
    out = []
    for i, clip in enumerate(clips):
        source = AudioSource(f"clip {i}", io.BytesIO(wav_bytes(clip)))
        asked = options(clip)
        found = engine.transcribe(source, asked)
        words = dict.fromkeys(h.word for s in found.segments for h in s.hotwords if h.in_prompt)
        out.append(Outcome(clip, found.text, tuple(words)))
    return out


def share(hits: Iterable[bool]) -> float:
    """Share in % of what is true; NaN of nothing."""
    every = list(hits)
    return 100 * sum(every) / len(every) if every else float("nan")


def names_right(outcomes: list[Outcome]) -> float:
    """Share of spoken names that the text spells as meant, in %."""
    return share(holds(n.spelled, o.text) for o in outcomes for n in o.clip.sentence.names)


def without_twins(spoken: list[Name], words: tuple[str, ...], clip: Clip) -> TranscribeOptions:
    """The common list, less what other clips' speakers call by the sound of this clip's names."""
    right = {n.spelled for n in clip.sentence.names}
    keys = {n.key for n in clip.sentence.names}
    twins = {n.spelled for n in spoken if n.key in keys} - right
    return TranscribeOptions(hotwords=tuple(w for w in words if w not in twins))


def distractors(language: str, rng: Random) -> tuple[str, ...]:
    """A short list of which nothing is said."""
    return tuple({make_name(language, rng).spelled for _ in range(SHORT_LIST)})


def score(
    engine: Transcriber, clips: dict[str, list[Clip]], size: int, seed: int
) -> tuple[dict[str, float], list[dict[str, object]]]:
    """All figures of zh and en, and each name that the long list did not get right."""
    out: dict[str, float] = {}
    wrong: list[dict[str, object]] = []
    for language in ("zh", "en"):
        rng = Random(f"lists {language} {seed}")
        named = clips[f"{language}-names"]
        # a list of thousands may hold another spelling of a name that is said, and is then right
        plain = [clip for clip in clips[language] if not clip.sentence.names]
        every: list[Name] = [n for c in named for n in c.sentence.names]
        common = tuple(long_list(language, every, size, rng))

        bare = transcribe(engine, named, lambda _: TranscribeOptions())
        short = transcribe(engine, named, lambda c: TranscribeOptions(hotwords=tuple(c.hotwords)))
        long = transcribe(engine, named, partial(without_twins, every, common))
        out[f"{language} names spoken"] = len(every)
        out[f"{language} names right, no list"] = names_right(bare)
        out[f"{language} names right, list of 1-{SHORT_LIST}"] = names_right(short)
        out[f"{language} names right, list of {size}"] = names_right(long)
        pairs = [(n, o) for o in long for n in o.clip.sentence.names]
        out[f"{language} names recalled of {size}"] = share(
            n.spelled in o.recalled for n, o in pairs
        )
        out[f"{language} right of the recalled"] = share(
            holds(n.spelled, o.text) for n, o in pairs if n.spelled in o.recalled
        )
        out[f"{language} words in the prompt"] = float(np.mean([len(o.recalled) for o in long]))
        for n, o in pairs:
            if not holds(n.spelled, o.text):
                wrong.append(
                    {
                        "name": n.spelled,
                        "canonical": n.canonical,
                        "text": o.text,
                        "reference": o.clip.reference(listed=True),
                        "prompt": o.recalled,
                    }
                )
        references = [c.reference() for c in plain]
        few = distractors(language, rng)
        kinds = {
            "no list": TranscribeOptions(),
            f"{SHORT_LIST} distractors in the prompt": TranscribeOptions(
                hotwords=few, hotword_recall=False
            ),
            f"list of {size}": TranscribeOptions(hotwords=common),
        }
        for label, options in kinds.items():
            found = transcribe(engine, plain, lambda _, o=options: o)
            out[f"{language} CER without names, {label}"] = error_rate(
                references, [o.text for o in found]
            )
        false = sum(len(o.recalled) for o in found)
        out[f"{language} words in the prompt, no names"] = false / len(plain)
    return out, wrong


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=DEMO_MODEL)
    parser.add_argument("--items", type=int, default=100, help="clips of each of four kinds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list-size", type=int, default=2000)
    parser.add_argument("--variants", nargs="+", default=VALIDATION_VOICES)
    parser.add_argument("--wrong", type=Path, help="JSON of the names that came out wrong")
    args = parser.parse_args()
    clips = make_all(args.items, args.seed, args.variants)
    with Transcriber(args.model, RuntimeOptions(device="cpu")) as engine:
        figures, wrong = score(engine, clips, args.list_size, args.seed)
    for name, value in figures.items():
        print(f"{name:48s} {value:8.2f}")
    if args.wrong:
        args.wrong.write_text(json.dumps(wrong, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
