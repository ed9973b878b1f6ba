"""A row of a padded batch gets the numbers that it gets alone."""

from pathlib import Path

import numpy as np
import pytest
from parity.architecture import Architecture
from parity.cases import sound
from parity.checkpoints import write_checkpoint
from parity.ours import feed, open_onnx

from funasr_cli.export import ctc_onnx, export_model
from funasr_cli.protocols import Floats
from funasr_cli.units import lfr_frames

pytestmark = pytest.mark.export

NAMES = ("odd", "short", "long", "silence", "window", "voice")
ARCHITECTURES = {
    "nano": Architecture(),
    "a row per frame": Architecture(low_frame_rate=False),
    "3 frames in one": Architecture(low_frame_rate=False, downsample_rate=3),
}


@pytest.fixture(scope="module", params=ARCHITECTURES, ids=lambda name: name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("batches")
    write_checkpoint(work / "checkpoint", ARCHITECTURES[request.param], 5)
    export_model(work / "checkpoint", work / "model", decoder_type="f32")
    return work / "model"


def test_rows_are_independent(exported: Path) -> None:
    sounds = [sound(name) for name in NAMES]
    encoder = open_onnx(next(exported.glob("*Encoder*")))
    ctc = open_onnx(next(exported.glob("*CTC*")))
    batch = feed(*sounds)
    batch["audio"][1, 250:] = np.nan  # whatever lies behind a row's length is not heard
    states, lengths, embeds, rows = encoder.run(None, batch)
    assert lengths.tolist() == [lfr_frames(len(s)) for s in sounds]
    assert embeds.shape[1] == rows.max()
    poisoned = states.copy()
    for row, length in zip(poisoned, lengths, strict=True):
        assert not row[length:].any()
        row[length:] = np.nan
    given = {"encoder_out": poisoned, "encoder_lengths": lengths}
    tokens, ids, log_probs, blanks = ctc.run(None, given)
    for i, one in enumerate(sounds):
        alone = encoder.run(None, feed(one))
        length, count = int(alone[1][0]), int(alone[3][0])
        assert (length, count) == (lengths[i], rows[i])
        close(states[i, :length], alone[0][0])
        close(embeds[i, :count], alone[2][0])
        assert not embeds[i, count:].any()
        given = {"encoder_out": alone[0], "encoder_lengths": alone[1]}
        tokens_alone, ids_alone, log_probs_alone, blanks_alone = ctc.run(None, given)
        same = tokens[i, :length] == tokens_alone[0]
        assert same.mean() > 0.98  # 8-bit rounding may turn a draw
        assert (ids[i, :length] == ids_alone[0]).mean() > 0.95
        np.testing.assert_allclose(log_probs[i, :length], log_probs_alone[0], atol=0.05)
        np.testing.assert_allclose(blanks[i, :length], blanks_alone[0], atol=0.05)
        assert (tokens[i, length:] == 340 + 1679 - 1).all()


def test_ctc_rows_are_independent_in_full_precision(model: Path) -> None:
    encoder = open_onnx(next(model.glob("*Encoder*")))
    ctc = open_onnx(next(model.glob("*CTC*")))
    sounds = [sound(name) for name in NAMES]
    states, lengths, *_ = encoder.run(None, feed(*sounds))
    together = ctc.run(None, {"encoder_out": states, "encoder_lengths": lengths})
    for i, length in enumerate(lengths.tolist()):
        given = {"encoder_out": states[i : i + 1, :length], "encoder_lengths": lengths[i : i + 1]}
        alone = ctc.run(None, given)
        assert (together[0][i, :length] == alone[0][0]).all()
        for a, b in zip(together[2:], alone[2:], strict=True):
            close(a[i, :length], b[0])


def test_8_bits_change_little(checkpoint: Path, model: Path, tmp_path: Path) -> None:
    export_model(checkpoint, tmp_path / "model", parts=frozenset({"ctc"}))
    rounded = open_onnx(next((tmp_path / "model").glob("*CTC.int8.onnx")))
    exact = open_onnx(next(model.glob("*CTC.fp32.onnx")))
    rng = np.random.default_rng(0)
    # frames of very different loudness: each has a scale of its own
    states = rng.standard_normal((2, 150, 32)) * np.exp(rng.standard_normal((2, 150, 1)))
    given = {"encoder_out": states.astype(np.float32), "encoder_lengths": np.array([150, 90])}
    ours, theirs = rounded.run(None, given), exact.run(None, given)
    assert (ours[0] == theirs[0]).mean() > 0.97
    np.testing.assert_allclose(ours[2][..., 0], theirs[2][..., 0], atol=0.12)


@pytest.mark.parametrize("part", [403, 700])  # of 2019 tokens: 4 are left, fewer than candidates
def test_the_vocabulary_may_be_scored_in_parts(
    checkpoint: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(ctc_onnx, "PART", part)
    export_model(checkpoint, tmp_path / "model", parts=frozenset({"ctc"}), ctc_type="fp32")
    in_parts = open_onnx(next((tmp_path / "model").glob("*CTC*")))
    whole = open_onnx(next(model.glob("*CTC*")))
    states = np.random.default_rng(1).standard_normal((2, 70, 32), np.float32)
    given = {"encoder_out": states, "encoder_lengths": np.array([70, 40])}
    ours, theirs = in_parts.run(None, given), whole.run(None, given)
    assert len(np.unique(ours[1] // part)) > 2
    assert (ours[0] == theirs[0]).all()
    assert (ours[1] == theirs[1]).all()
    close(ours[2], theirs[2])
    close(ours[3], theirs[3])


def test_no_sound_at_all_is_silence(model: Path) -> None:
    encoder = open_onnx(next(model.glob("*Encoder*")))
    nothing = encoder.run(
        None, {"audio": np.zeros((1, 0), np.float32), "audio_lengths": np.zeros(1, np.int64)}
    )
    silence = encoder.run(None, feed(np.zeros(400, np.float32)))
    assert nothing[1].tolist() == [1]
    close(nothing[0], silence[0])


def test_ctc_outputs_fit_together(model: Path) -> None:
    encoder = open_onnx(next(model.glob("*Encoder*")))
    ctc = open_onnx(next(model.glob("*CTC*")))
    assert [(o.name, o.type) for o in ctc.get_outputs()] == [
        ("token_ids", "tensor(int32)"),
        ("topk_ids", "tensor(int32)"),
        ("topk_log_probs", "tensor(float)"),
        ("blank_log_probs", "tensor(float)"),
    ]
    states, lengths, *_ = encoder.run(None, feed(sound("long")))
    tokens, ids, log_probs, blanks = ctc.run(
        None, {"encoder_out": states, "encoder_lengths": lengths}
    )
    assert ids.shape == log_probs.shape == (1, lengths[0], 8)
    assert (tokens == ids[..., 0]).all()
    assert (np.diff(log_probs) <= 0).all()
    assert (np.exp(log_probs).sum(-1) <= 1 + 1e-5).all()
    at_blank = ids == 340 + 1679 - 1
    np.testing.assert_allclose(
        log_probs[at_blank], np.broadcast_to(blanks[..., None], ids.shape)[at_blank], atol=1e-6
    )


def close(ours: Floats, theirs: Floats) -> None:
    np.testing.assert_allclose(ours, theirs, atol=3e-5, rtol=1e-5)
