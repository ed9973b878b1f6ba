"""Text to tokens and back, byte by byte."""

import pytest
from tiny_gguf import TinyModel

from funasr_cli.errors import DecodeError
from funasr_cli.llama.runtime import LlamaModel

TEXTS = ["hello world", "", "你好，世界 🎉\n\t  12345", "a\0b", "<|im_start|>x<|im_end|>", "\ud800"]


@pytest.mark.parametrize("text", TEXTS)
def test_tokenize_keeps_every_byte(model: LlamaModel, tiny: TinyModel, text: str) -> None:
    tokens = model.tokenize(text)
    control = {tiny.tokens.index(t): t.encode() for t in ("<|im_start|>", "<|im_end|>")}
    whole = b"".join(control.get(token) or model.piece(token) for token in tokens)
    assert whole == text.encode("utf-8", "replace")


def test_tokenize_merges_and_knows_special_tokens(model: LlamaModel, tiny: TinyModel) -> None:
    ids = model.tokenize("hello<|im_end|><think>")
    assert ids == [tiny.tokens.index(t) for t in ("hello", "<|im_end|>", "<think>")]


def test_pieces(model: LlamaModel, tiny: TinyModel) -> None:
    assert model.piece(tiny.tokens.index("hello")) == b"hello"
    assert model.piece(tiny.end) == b""  # control
    assert model.piece(tiny.tokens.index("<think>")) == b"<think>"  # an ordinary added token
    assert model.piece(0xE4) == b"\xe4"  # half a character


def test_the_end_is_the_token_that_the_gguf_names(model: LlamaModel, tiny: TinyModel) -> None:
    ends = [token for token in range(model.n_vocab) if model.is_end(token)]
    assert ends == [tiny.end]


@pytest.mark.parametrize("token", [-1, 267, 2**31 - 1])
def test_tokens_outside_the_vocabulary(model: LlamaModel, token: int) -> None:
    with pytest.raises(DecodeError, match="vocabulary"):
        model.piece(token)
    with pytest.raises(DecodeError, match="vocabulary"):
        model.is_end(token)
