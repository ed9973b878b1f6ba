"""Small checkpoints and what was exported of them, made once for all tests."""

from pathlib import Path

import pytest
from parity.architecture import Architecture
from parity.checkpoints import write_checkpoint

from funasr_cli.export import export_model


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a small checkpoint like Fun-ASR-Nano's; not to be changed."""
    folder = tmp_path_factory.mktemp("checkpoints") / "小 Nano"
    return write_checkpoint(folder, Architecture(), 7)


@pytest.fixture(scope="session")
def model(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold its export in full precision; not to be changed."""
    folder = tmp_path_factory.mktemp("models") / "模型 f32"
    export_model(checkpoint, folder, ctc_type="fp32", decoder_type="f32")
    return folder
