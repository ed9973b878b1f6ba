"""Times of the demo model against the synthesiser's own (demo/make_timed.py made the clips)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_cli import funasr, one_line

from funasr_cli import RuntimeOptions, TranscribeOptions, Transcriber
from funasr_cli.align import align
from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.ctc import OnnxCtc, greedy_tokens, read_tokens, spoken
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.forced import Evidence
from funasr_cli.model_dir import DEMO_MODEL, open_model_dir
from funasr_cli.protocols import Floats
from funasr_cli.results import CharTime, CtcToken
from funasr_cli.spelling import Pieces
from funasr_cli.units import SAMPLE_RATE

CLIPS = Path(__file__).parent / "data" / "timed"
STARTS = json.loads((CLIPS / "starts.json").read_text(encoding="utf-8"))
NOISE_DB = 0.0
"""Noise as loud as the voice: CTC mishears a part."""


class Head:
    """Encoder and CTC head of the demo model."""

    def __init__(self) -> None:
        files = open_model_dir(DEMO_MODEL)
        assert files.ctc
        assert files.tokens
        assert files.facts
        self.offset = files.facts.time_offset_s
        self._encoder = OnnxEncoder(files.encoder, threads=1)
        self._ctc = OnnxCtc(files.ctc, threads=1)
        self._table = read_tokens(files.tokens)

    def hear(self, samples: Floats) -> tuple[tuple[CtcToken, ...], Evidence | None, float]:
        end = len(samples) / SAMPLE_RATE
        frames = self._ctc.run(self._encoder.encode([samples])[0].encoder_out)
        heard = greedy_tokens(frames, self._table, start=0.0, end=end, offset=self.offset)
        evidence = Evidence.of(frames, Pieces(self._table), start=0.0, end=end, offset=self.offset)
        return spoken(heard), evidence, end


@pytest.fixture(scope="module")
def head() -> Head:
    return Head()


@pytest.fixture(scope="module")
def transcriber() -> Iterator[Transcriber]:
    with Transcriber(DEMO_MODEL, RuntimeOptions(threads=1, device="cpu")) as opened:
        yield opened


def sound(name: str) -> Floats:
    with AudioReader(AudioSource(str(CLIPS / name)), start=0.0, duration=None) as reader:
        return np.concatenate(list(reader))


def late(name: str, chars: Sequence[CharTime]) -> list[float]:
    """Start - true start in s of every character (zh) or word (en)."""
    said = iter([char for char in chars if char.text.isalnum()])
    found = []
    for unit in STARTS[name]["units"]:
        letters = [next(said) for char in unit["text"] if char.isalnum()]
        assert "".join(char.text for char in letters).lower() == unit["text"].replace("'", "")
        if unit["start"] is not None:
            found.append(letters[0].start - unit["start"])
    return found


def good(errors: Sequence[float]) -> bool:
    """The targets: 60 ms on average, 95 % within 120 ms."""
    size = np.abs(errors)
    return bool(size.mean() <= 0.06 and (size <= 0.12).mean() >= 0.95)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_starts_are_those_of_the_synthesiser(head: Head, language: str) -> None:
    errors: list[float] = []
    for name in STARTS:
        if name.startswith(language):
            tokens, evidence, end = head.hear(sound(name))
            text = STARTS[name]["text"]
            errors += late(name, align(text, tokens, start=0.0, end=end, evidence=evidence))
    assert len(errors) > 40
    assert good(errors), errors


def test_posteriors_keep_times_right_where_ctc_mishears(head: Head) -> None:
    random = np.random.default_rng(0)
    alone, forced = [], []
    for name in STARTS:
        samples = sound(name)
        loud = np.sqrt(np.mean(samples**2) / 10 ** (NOISE_DB / 10))
        noise = random.standard_normal(len(samples)) * loud
        tokens, evidence, end = head.hear((samples + noise).astype(np.float32))
        text = STARTS[name]["text"]
        alone += late(name, align(text, tokens, start=0.0, end=end))
        forced += late(name, align(text, tokens, start=0.0, end=end, evidence=evidence))
    assert np.abs(forced).mean() < np.abs(alone).mean()
    assert good(forced), forced


def test_the_user_s_offset_takes_the_place_of_the_model_s(
    transcriber: Transcriber, head: Head
) -> None:
    options = TranscribeOptions()
    starts = []
    for offset in (None, head.offset, head.offset + 0.125, 0.0):
        made = transcriber.transcribe(CLIPS / "zh-1.ogg", replace(options, time_offset=offset))
        starts.append(np.array([char.start for s in made.segments for char in s.chars]))
    own, same, later, none = starts
    assert own.tolist() == same.tolist()
    # the first may lie at the edge of the sound, and so the last
    assert (later - own)[5:-5] == pytest.approx(0.125, abs=1e-6)
    assert (none - own)[5:-5] == pytest.approx(-head.offset, abs=1e-6)


def test_an_offset_from_the_command_line() -> None:
    clip = CLIPS / "zh-2.ogg"
    message = one_line(funasr("transcribe", clip, "--time-offset", "-9"), 2)
    assert "--time-offset is -9.0; expected seconds from -5 to 5" in message
    first = []
    for offset in ("0", "-0.5"):
        result = funasr("transcribe", clip, "--json", "-q", "--time-offset", offset)
        assert result.returncode == 0, result.stderr
        chars = json.loads(result.stdout)["segments"][0]["chars"]
        assert all(0 <= char["confidence"] <= 1 for char in chars)
        first.append(chars[-2]["start"])
    assert first[0] - first[1] == pytest.approx(0.5, abs=0.002)
