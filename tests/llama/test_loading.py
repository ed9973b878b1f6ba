"""Files that are no model: each one clear line, and the process lives on."""

from pathlib import Path

import pytest
from tiny_gguf import Shape, TinyModel, write_tiny_gguf

from funasr_cli.errors import ModelError
from funasr_cli.llama.runtime import open_language_model


def refusal(path: Path) -> str:
    """What the user reads; the process is still usable afterwards."""
    with pytest.raises(ModelError) as error:
        open_language_model(path, n_ctx=64, threads=1)
    text = str(error.value)
    assert text.startswith(str(path))
    assert "\n" not in text
    return text


@pytest.mark.parametrize("content", [b"", b"GGU", b"hello " * 100, b"\x7fELF", b"FUGG\3\0\0\0"])
def test_not_gguf_at_all(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "模型.gguf"
    path.write_bytes(content)
    assert "not a GGUF file" in refusal(path)


def test_not_there(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "absent.gguf")
    assert "cannot be read" in refusal(tmp_path)


def test_not_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By permission; simulated, since a test run by root reads everything."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "Permission denied" in refusal(tmp_path / "secret.gguf")


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.1, 0.5, 0.99])
def test_truncated(tmp_path: Path, tiny: TinyModel, share: float) -> None:
    content = tiny.path.read_bytes()
    path = tmp_path / "half.gguf"
    path.write_bytes(content[: max(8, int(len(content) * share))])
    assert "cannot load it" in refusal(path)


def test_a_missing_tail_is_named(tmp_path: Path, tiny: TinyModel) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(tiny.path.read_bytes()[:-1000])
    assert "not within the file bounds" in refusal(path)


def test_another_architecture(tmp_path: Path) -> None:
    path = write_tiny_gguf(tmp_path / "a.gguf", architecture="nonsense").path
    told = refusal(path)
    assert "unknown model architecture: 'nonsense'" in told
    assert "take a newer llama.cpp" in told


def test_an_encoder(tmp_path: Path) -> None:
    refusal(write_tiny_gguf(tmp_path / "a.gguf", architecture="bert").path)


@pytest.mark.parametrize("tokenizer", [None, "none", "no_vocab", "weird"])
def test_without_a_tokenizer(tmp_path: Path, tokenizer: str | None) -> None:
    """With "none" llama.cpp loads the file, and would abort when asked to tokenise."""
    text = refusal(write_tiny_gguf(tmp_path / "a.gguf", tokenizer=tokenizer).path)
    assert "tokenizer" in text


def test_a_vocabulary_with_padding(tmp_path: Path) -> None:
    tiny = write_tiny_gguf(tmp_path / "a.gguf", Shape(padding_tokens=21))
    with open_language_model(tiny.path, n_ctx=64, threads=1) as model:
        assert model.n_vocab == len(tiny.tokens)
        assert model.tokenize("[PAD0]") != [len(tiny.tokens) - 21]


def test_a_good_file_after_bad_ones(tmp_path: Path, tiny: TinyModel) -> None:
    path = tmp_path / "a.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    refusal(path)
    with open_language_model(tiny.path, n_ctx=64, threads=1) as model:
        assert model.tokenize("hello")
