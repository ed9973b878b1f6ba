"""The exported graphs against what funasr 1.4.16 said of the same checkpoints.

Its answers lie in tests/data/parity; `make parity` asks it again, about other checkpoints.
"""

from pathlib import Path

import numpy as np
import pytest
from parity.cases import CASES, Case
from parity.checkpoints import write_checkpoint
from parity.exchange import read_golden, sounds_of
from parity.ours import compare, features

from funasr_cli.errors import MissingCtcError
from funasr_cli.export import export_model
from funasr_cli.fbank import fbank, low_frame_rate

pytestmark = pytest.mark.export


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_number_is_the_reference_s(case: Case, tmp_path: Path) -> None:
    said = read_golden(case)
    folder = write_checkpoint(tmp_path / "checkpoint", case.architecture, 0, case.change)
    with_ctc = bool(said["ctc"])
    if not with_ctc:
        with pytest.raises(MissingCtcError, match="--no-ctc"):
            export_model(folder, tmp_path / "model", ctc_type="fp32", decoder_type="f32")
    export_model(folder, tmp_path / "model", ctc_type="fp32", decoder_type="f32", with_ctc=with_ctc)
    found = compare(tmp_path / "model", case, said, sounds_of(case, 0))
    assert not found.problems
    assert found.lfr < 5e-4
    assert found.encoder < 1e-4
    assert found.embeds < 5e-5


def test_graph_and_numpy_agree_on_features(tmp_path: Path) -> None:
    for name, sound in sounds_of(CASES[0], 3).items():
        ours = features(tmp_path, sound)
        np.testing.assert_allclose(ours, low_frame_rate(fbank(sound)), atol=2e-3, err_msg=name)
