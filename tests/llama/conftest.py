"""Fixtures: a tiny model on disk, once for all tests of llama.cpp."""

from collections.abc import Iterator

import pytest
from tiny_gguf import TinyModel, write_tiny_gguf

from funasr_cli.llama.runtime import LlamaModel, open_language_model


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> TinyModel:
    """A model whose folder and name are anything but ASCII."""
    folder = tmp_path_factory.mktemp("模型 dir with spaces")
    return write_tiny_gguf(folder / "解码器 é.gguf")


@pytest.fixture
def model(tiny: TinyModel) -> Iterator[LlamaModel]:
    """It, opened with three sequences, and with limits that make long runs split."""
    with open_language_model(
        tiny.path, n_ctx=300, n_seq=3, n_batch=32, n_outputs=8, threads=1
    ) as opened:
        yield opened
