"""How far the times of characters and words are from the synthesiser's own.

    python -m demo.evaluate_times [--model DIR] [--items 100] [--seed 0] [--snr 5 0 -5]

First the product: the LLM's text of validation clips, with and without text normalisation. Then
the true text in white noise, where CTC mishears it: aligned by what CTC heard alone, and with its
posteriors. At last how long 60 s of sound take. Errors are of starts; `offset` is what
`ctc_time_offset_s` would have to be for a median error of 0.
"""

from __future__ import annotations

import argparse
import io
import timeit
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from funasr_cli import RuntimeOptions, TranscribeOptions, Transcriber
from funasr_cli.align import align
from funasr_cli.audio import AudioSource
from funasr_cli.ctc import OnnxCtc, greedy_tokens, read_tokens, spoken
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.forced import Evidence
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir
from funasr_cli.results import CharTime, CtcToken
from funasr_cli.spelling import Pieces

from demo.clips import Clip, make_all
from demo.evaluate_names import wav_bytes
from demo.noisy_recall import noisy
from demo.speech import SAMPLE_RATE, VALIDATION_VOICES
from demo.true_times import known_starts

THREADS = 2
NEAR_S = 0.12
TIMED_S = 60.0


@dataclass(frozen=True)
class Heard:
    """A clip as CTC heard it."""

    clip: Clip
    tokens: tuple[CtcToken, ...]
    evidence: Evidence | None

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.clip.wave) / SAMPLE_RATE

    def align(self, text: str, *, posteriors: bool = True) -> tuple[CharTime, ...]:
        """Time any text."""
        evidence = self.evidence if posteriors else None
        return align(text, self.tokens, start=0.0, end=self.seconds, evidence=evidence)


class Ear:
    """Encoder and CTC head of a model."""

    def __init__(self, folder: Path) -> None:
        files = open_model_dir(folder)
        if not (files.ctc and files.tokens and files.facts):
            raise SystemExit(f"{folder}: needs a manifest and a CTC head")
        self._encoder = OnnxEncoder(files.encoder, threads=THREADS)
        self._ctc = OnnxCtc(files.ctc, threads=THREADS)
        self._table = read_tokens(files.tokens)
        self._pieces = Pieces(self._table)
        self.offset = files.facts.time_offset_s

    def hear(self, clip: Clip, snr_db: float | None, rng: np.random.Generator) -> Heard:
        """In noise; None: as it is."""
        wave = noisy(clip.wave, snr_db, rng)
        frames = self._ctc.run(self._encoder.encode([wave])[0].encoder_out)
        end, offset = len(wave) / SAMPLE_RATE, self.offset
        tokens = greedy_tokens(frames, self._table, start=0.0, end=end, offset=offset)
        evidence = Evidence.of(frames, self._pieces, start=0.0, end=end, offset=offset)
        return Heard(clip, spoken(tokens), evidence)


def errors(clip: Clip, text: str, chars: Iterable[CharTime]) -> Iterator[tuple[str, float]]:
    """(language and kind, start - true start in s) of every unit of the text."""
    starts = [char.start for char in chars]
    for known in known_starts(clip, text):
        yield f"{clip.sentence.language} {known.kind}", starts[known.at] - known.start


def report(title: str, found: list[tuple[str, float]], offset: float) -> None:
    """Print one line for each language and kind, and one for each language."""
    print(title)
    print(f"  {'':10s} {'units':>6s} {'mean':>6s} {'95 %':>6s} {'within':>7s} {'offset':>7s}")
    kinds = sorted({kind for kind, _ in found} | {kind[:2] for kind, _ in found})
    for kind in kinds:
        error = np.array([e for k, e in found if k.startswith(kind)])
        size = np.abs(error)
        print(
            f"  {kind:10s} {len(error):6d} {1000 * size.mean():6.1f} "
            f"{1000 * np.quantile(size, 0.95):6.0f} {100 * (size <= NEAR_S).mean():6.2f}% "
            f"{offset - np.median(error):7.3f}"
        )


def through_the_product(folder: Path, clips: list[Clip], offset: float) -> None:
    """Transcribe, and compare the times of whatever text comes out."""
    with Transcriber(folder, RuntimeOptions(device="cpu")) as engine:
        for itn in (True, False):
            found: list[tuple[str, float]] = []
            for clip in clips:
                source = AudioSource("clip", io.BytesIO(wav_bytes(clip)))
                made = engine.transcribe(source, TranscribeOptions(itn=itn))
                chars = [char for segment in made.segments for char in segment.chars]
                found += errors(clip, made.text, chars)
            report(f"the LLM's text, {'digits' if itn else 'number words'}", found, offset)


def in_noise(ear: Ear, clips: list[Clip], snr_db: float | None) -> None:
    """Align the true text, names spelled as listed, with and without posteriors."""
    rng = np.random.default_rng(0)
    heard = [ear.hear(clip, snr_db, rng) for clip in clips]
    level = "no noise" if snr_db is None else f"noise {snr_db:+g} dB"
    for itn in (True, False):
        for posteriors in (False, True):
            found: list[tuple[str, float]] = []
            for one in heard:
                text = one.clip.reference(itn=itn, listed=True)
                found += errors(one.clip, text, one.align(text, posteriors=posteriors))
            how = "with posteriors" if posteriors else "by CTC's text alone"
            report(f"true text, {'digits' if itn else 'words'}, {level}, {how}", found, ear.offset)


def speed(ear: Ear, clips: list[Clip], snr_db: float | None) -> None:
    """Print ms for 60 s of each language, the best of nine."""
    rng = np.random.default_rng(0)
    for language in ("zh", "en"):
        chosen = [clip for clip in clips if clip.sentence.language == language]
        heard = [ear.hear(clip, snr_db, rng) for clip in chosen]
        jobs = [(one, one.clip.reference()) for one in heard]
        once = min(
            timeit.repeat(lambda jobs=jobs: [o.align(t) for o, t in jobs], number=1, repeat=9)
        )
        seconds = sum(one.seconds for one in heard)
        print(f"aligning {TIMED_S:g} s, {language}: {1000 * once * TIMED_S / seconds:.1f} ms")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=DEMO_MODEL)
    parser.add_argument("--items", type=int, default=100, help="clips of each of four kinds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--snr", type=float, nargs="*", default=[5, 0, -5], help="dB")
    parser.add_argument("--variants", nargs="+", default=VALIDATION_VOICES)
    args = parser.parse_args()
    every = make_all(args.items, args.seed, args.variants)
    clips = [clip for members in every.values() for clip in members]
    ear = Ear(args.model)
    through_the_product(args.model, clips, ear.offset)
    for snr_db in (None, *args.snr):
        in_noise(ear, clips, snr_db)
    for snr_db in (None, *args.snr):
        print("no noise" if snr_db is None else f"noise {snr_db:+g} dB")
        speed(ear, clips, snr_db)


if __name__ == "__main__":
    main()
