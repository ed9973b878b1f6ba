"""Checkpoint -> export -> transcript: the whole way gives the reference's tokens."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from parity.cases import CASES, MAX_NEW_TOKENS, Case
from parity.checkpoints import write_checkpoint
from parity.exchange import read_golden, sounds_of
from sounds import write_sound

from funasr_cli import TranscribeOptions, Transcriber
from funasr_cli.export import export_model

pytestmark = pytest.mark.export


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_transcript_is_the_reference_s(case: Case, tmp_path: Path) -> None:
    said = read_golden(case)
    folder = write_checkpoint(tmp_path / "检查点", case.architecture, 0, case.change)
    model, with_ctc = tmp_path / "模型", bool(said["ctc"])
    export_model(folder, model, ctc_type="fp32", decoder_type="f32", with_ctc=with_ctc)
    sound = sounds_of(case, 0)["voice"]
    path = write_sound(tmp_path / "声音.wav", sound, codec="pcm_f32le")
    options = TranscribeOptions(guard=False, max_new_tokens=MAX_NEW_TOKENS)
    with Transcriber(model) as transcriber:
        (segment,) = transcriber.transcribe(path, options).segments
        again = transcriber.transcribe(path, options).segments[0]
    expected = said["voice/ids"].tolist()
    assert list(segment.token_ids) == expected[: len(segment.token_ids)]
    assert len(segment.token_ids) >= MAX_NEW_TOKENS - 1
    assert replace(again, decode=segment.decode) == segment
    assert bool(segment.chars) == (with_ctc and bool(segment.text.strip()))
    if with_ctc:
        ids = said["voice/ctc_ids"]
        collapsed = ids[np.flatnonzero(np.diff(ids, prepend=-1))]
        lines = (model / "tokens.txt").read_text(encoding="utf-8").splitlines()
        assert bool(segment.ctc_text) == bool((collapsed != len(lines) - 1).any())
