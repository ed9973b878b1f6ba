"""The tiny model that every library is tried on."""

import filecmp
from pathlib import Path

import numpy as np
from make_probe import AUDIO_ROWS, make

from funasr_cli.deviation import deviation
from funasr_cli.llama import probe
from funasr_cli.llama.runtime import open_language_model


def test_the_files_are_what_their_script_makes(tmp_path: Path) -> None:
    make(tmp_path)
    assert filecmp.cmp(tmp_path / probe.MODEL.name, probe.MODEL, shallow=False)
    # another BLAS may add in another order
    np.testing.assert_allclose(
        np.load(tmp_path / probe.ANSWERS.name), np.load(probe.ANSWERS), atol=1e-4
    )


def test_the_installed_library_gives_the_answers() -> None:
    with open_language_model(probe.MODEL, n_ctx=64, threads=1) as model:
        found = probe.answers(model, probe.questions(model.n_embd, rows=AUDIO_ROWS))
    assert deviation(found, np.load(probe.ANSWERS)) < probe.TOLERANCE / 2


def test_other_answers_are_far_away() -> None:
    """The limit tells right from wrong: the answers to the same questions in another order."""
    expected = np.load(probe.ANSWERS)
    assert deviation(expected[::-1], expected) > 5 * probe.TOLERANCE
    assert deviation(expected * np.nan, expected) == float("inf")
    assert deviation(expected * 1.05, expected) < probe.TOLERANCE


def test_the_questions_have_what_overflows_in_half_precision() -> None:
    asked = probe.questions(1024, rows=48)
    assert np.abs(asked.audio).max() == probe.AUDIO_PEAK
    assert 25 < asked.audio.std() < 70
    assert (np.abs(asked.audio).max(axis=1) == probe.AUDIO_PEAK).all()
