import base64
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.ctc import ctc_text, greedy_tokens, read_tokens, spoken
from funasr_cli.errors import ModelError
from funasr_cli.protocols import CtcFrames

TABLE = (b"\xe4\xbd", b"\xa0", b"ok", b"<|zh|>", b"<|nospeech|>", b"<|0.00|>", b"")
BLANK = len(TABLE) - 1


def frames(*ids: int) -> CtcFrames:
    return CtcFrames(
        np.array(ids, np.int32), np.log(np.linspace(0.5, 0.9, len(ids), dtype=np.float32))
    )


def test_repeats_collapse_and_blanks_drop() -> None:
    tokens = greedy_tokens(
        frames(BLANK, 2, 2, BLANK, 2, 0), TABLE, start=10.0, end=20.0, offset=0.0
    )
    assert [t.id for t in tokens] == [2, 2, 0]
    assert [t.start for t in tokens] == pytest.approx([10.06, 10.24, 10.3])
    assert [t.end for t in tokens] == pytest.approx([10.18, 10.3, 10.36])
    assert tokens[0].confidence == pytest.approx(0.66, abs=1e-4)


def test_times_are_shifted_but_stay_within_the_segment() -> None:
    tokens = greedy_tokens(frames(2, BLANK, 2), TABLE, start=5.0, end=5.15, offset=-0.1)
    assert [t.start for t in tokens] == pytest.approx([5.0, 5.02])
    late = greedy_tokens(frames(2, BLANK, 2), TABLE, start=5.0, end=5.15, offset=1.0)
    assert all(t.start == t.end == 5.15 for t in late)


def test_a_character_spread_over_tokens_is_whole_again() -> None:
    tokens = greedy_tokens(frames(0, 1, 2), TABLE, start=0, end=9, offset=0)
    assert ctc_text(tokens) == "你ok"


def test_tags_are_text_as_in_the_reference_but_no_sound() -> None:
    tokens = greedy_tokens(frames(3, 4, 5, 2), TABLE, start=0, end=9, offset=0)
    assert ctc_text(tokens) == "<|zh|>ok"
    assert [t.piece for t in spoken(tokens)] == [b"ok"]


def test_no_frames_give_no_tokens() -> None:
    assert greedy_tokens(frames(), TABLE, start=0, end=0, offset=0) == ()


@pytest.mark.parametrize("stranger", [BLANK + 1, -1])
def test_a_head_of_another_table_is_refused(stranger: int) -> None:
    with pytest.raises(ModelError, match=r"tokens\.txt ends at 6: .* different models"):
        greedy_tokens(frames(2, stranger), TABLE, start=0, end=9, offset=0)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_token_table_is_read_in_order(tmp_path: Path) -> None:
    lines = [f"{base64.b64encode(t).decode()} {i}" for i, t in enumerate(TABLE[:-1])]
    assert read_tokens(write(tmp_path / "tokens.txt", *lines, f"<blk> {BLANK}")) == TABLE


@pytest.mark.parametrize("line", ["YQ== 7", "YQ==", "%%% 0", ""])
def test_a_broken_table_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    with pytest.raises(ModelError, match=r"tokens\.txt"):
        read_tokens(write(tmp_path / "tokens.txt", line))


def test_a_token_carries_what_else_may_have_been_said() -> None:
    table = [b"a", b"b", b"c", b""]
    frames = CtcFrames(
        np.array([3, 0, 0, 1], np.int32),
        np.log(np.array([0.9, 0.6, 0.5, 0.99], np.float32)),
        np.array([[3, 2], [0, 1], [0, 2], [1, 0]], np.int32),
        np.log(np.array([[0.9, 0.1], [0.6, 0.3], [0.5, 0.4], [0.99, 0.001]], np.float32)),
    )
    first, second = greedy_tokens(frames, table, start=0.0, end=9.0, offset=0.0)
    # of its own frames alone; likeliest first
    assert [piece for piece, _ in first.alternatives] == [b"c", b"b"]
    assert [p for _, p in first.alternatives] == pytest.approx([0.4, 0.3])
    assert second.alternatives == (), "less than two in a hundred is noise"


def test_the_blank_is_no_alternative() -> None:
    frames = CtcFrames(
        np.array([0], np.int32),
        np.log(np.array([0.5], np.float32)),
        np.array([[0, 2, 9]], np.int32),
        np.log(np.array([[0.5, 0.3, 0.2]], np.float32)),
    )
    (token,) = greedy_tokens(frames, [b"a", b"b", b""], start=0.0, end=9.0, offset=0.0)
    assert token.alternatives == ()
