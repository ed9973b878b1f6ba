"""The CTC vocabulary: 1679 special tokens behind the file's own, the blank in the last slot."""

import base64
from pathlib import Path

import pytest
from parity.vocabularies import write_tiktoken

from funasr_cli.errors import ModelError
from funasr_cli.export.tokens import SPECIAL_TOKENS, find_vocabulary, tokens_text

WHOLE = 58836
"""Lines of the official multilingual.tiktoken."""


def test_special_tokens_stand_where_the_reference_has_them() -> None:
    at = {token: WHOLE + i for i, token in enumerate(SPECIAL_TOKENS)}
    assert len(at) == 1679
    assert at["<|endoftext|>"] == 58836
    assert at["<|startoftranscript|>"] == 58837
    assert (at["<|en|>"], at["<|zh|>"], at["<|en/zh|>"]) == (58838, 58839, 58942)
    assert (at["<|ASR|>"], at["<|/Applause|>"]) == (58943, 58953)
    assert SPECIAL_TOKENS[110:114] == ("<|Speech|>", "<|/Speech|>", "<|BGM|>", "<|/BGM|>")
    assert (at["<|HAPPY|>"], at["<|NEUTRAL|>"]) == (58954, 58957)
    assert (at["<|translate|>"], at["<|notimestamps|>"]) == (58958, 58963)
    assert (at["<|SPECIAL_TOKEN_1|>"], at["<|SPECIAL_TOKEN_50|>"]) == (58964, 59013)
    assert (at["<|0.00|>"], at["<|29.98|>"], at["<|30.00|>"]) == (59014, 60513, 60514)


def test_the_table_of_the_official_size(tmp_path: Path) -> None:
    path = tmp_path / "multilingual.tiktoken"
    write_tiktoken(path, WHOLE)
    lines = tokens_text(path, 60515).splitlines()
    assert len(lines) == 60515
    assert lines[0] == f"{base64.b64encode(bytes([0])).decode()} 0"
    assert lines[58839] == f"{base64.b64encode(b'<|zh|>').decode()} 58839"
    assert lines[-1] == "<blk> 60514"


def test_another_size_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "multilingual.tiktoken"
    write_tiktoken(path, 300)
    with pytest.raises(
        ModelError, match=r"300 tokens and 1679 special ones make 1979, but .* 60515"
    ):
        tokens_text(path, 60515)


def test_the_file_is_found_under_any_name(tmp_path: Path) -> None:
    own = tmp_path / "own.tiktoken"
    own.touch()
    assert find_vocabulary(tmp_path, None) == own
    (tmp_path / "multilingual.tiktoken").touch()
    assert find_vocabulary(tmp_path, None).name == "multilingual.tiktoken"
    assert find_vocabulary(tmp_path, "/somewhere/else/own.tiktoken") == own
