from collections.abc import Sequence
from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.align import align
from funasr_cli.anchors import DIFFERENT, Grid, best_path, find_anchors, score_grid
from funasr_cli.characters import graphemes
from funasr_cli.forced import Evidence
from funasr_cli.protocols import CtcFrames
from funasr_cli.results import CharTime, CtcToken
from funasr_cli.spelling import Pieces
from funasr_cli.written import EQUAL, labels

STEP = 0.2


def speak(pieces: Sequence[str], first: float = 1.0, confidence: float = 0.9) -> list[CtcToken]:
    """One token a piece, every 0.2 s."""
    return [
        CtcToken(7, piece.encode(), first + at * STEP, first + at * STEP + 0.06, confidence)
        for at, piece in enumerate(pieces)
    ]


def times(text: str, pieces: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Times in steps from the first token; later characters of the same kind win."""
    chars = align(text, speak(pieces), start=0.0, end=60.0)
    return {
        c.text: (round((c.start - 1.0) / STEP, 6), round((c.end - 1.0) / STEP, 6)) for c in chars
    }


def test_equal_text_keeps_the_times_of_the_tokens() -> None:
    tokens = speak("今天天气真好")
    chars = align("今天天气真好", tokens, start=0.0, end=60.0)
    assert [c.text for c in chars] == list("今天天气真好")
    assert [c.start for c in chars] == [t.start for t in tokens]
    assert [c.end for c in chars[:-1]] == [t.start for t in tokens[1:]]
    assert {c.confidence for c in chars} == {0.9}


def test_homophones_and_near_sounds_are_anchors() -> None:
    assert times("我们在北京", "我门再北经")["北"] == (3, 4)
    # the same sound holds where counting alone would slip
    assert times("他张立", "他那个张力")["张"] == (3, 4)


def test_punctuation_stands_at_the_end_of_the_character_before_it() -> None:
    found = times("“你好”，世界！", "你好世界")
    assert found["“"] == (0, 0)
    assert found["”"] == found["，"] == (2, 2)
    assert found["！"] == (5, 5)  # 界 lasts 0.4 s: two steps


def test_punctuation_was_not_heard() -> None:
    chars = align("你好。", speak("你好"), start=0.0, end=9.0)
    assert [c.confidence for c in chars] == [0.9, 0.9, 0.0]


@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("2026年", "二零二六年", {"0": (1, 2), "6": (3, 4), "年": (4, 6)}),
        ("有123个", "有一百二十三个", {"1": (1, 3), "2": (3, 5), "3": (5, 6), "个": (6, 8)}),
        ("降20%的", "降百分之二十的", {"2": (1, 5), "0": (5, 6), "%": (6, 6), "的": (6, 8)}),
        ("8点30分", "八点三十分", {"8": (0, 1), "点": (1, 2), "3": (2, 3), "0": (3, 4)}),
        ("8:30到", "八点三十到", {"8": (0, 1), ":": (1, 2), "3": (2, 3), "0": (3, 4)}),
        ("要3.5元", "要三点五元", {"3": (1, 2), ".": (2, 3), "5": (3, 4)}),
        ("1,200米", "一千二百米", {"1": (0, 2), ",": (2, 2), "2": (2, 3), "米": (4, 6)}),
        ("了20%", "啦百分之二十", {"了": (0, 1), "2": (1, 5), "0": (5, 7)}),
        ("got 23 cats", ["got", " twenty", " three", " cats"], {"2": (1, 2), "3": (2, 3)}),
        ("the 7 cats", ["the", " seven", " cats"], {"7": (1, 2)}),
        ("in 2026 it", ["in", " twenty", " twenty", " six", " it"], {"2": (2, 3), "6": (3, 4)}),
        ("at 8:30 on", ["at", " eight", " thirty", " on"], {"8": (1, 2), "3": (2, 2.5)}),
        ("13 teens", ["thir", "teen", " teens"], {"1": (0, 1), "3": (1, 2)}),
        ("20% of", ["twenty", " percent", " of"], {"2": (0, 0.5), "%": (1, 2)}),
    ],
)
def test_digits_cover_what_was_spoken_for_them(
    text: str, pieces: Sequence[str], expected: dict[str, tuple[float, float]]
) -> None:
    found = times(text, pieces)
    for char, span in expected.items():
        assert found[char] == pytest.approx(span, abs=0.3 if "cats" in pieces[-1] else 1e-6), char


def test_signs_are_spoken_only_if_something_was_heard_for_them() -> None:
    assert times("A+B", "a加b")["+"] == (1, 2)
    assert times("他们/我们", "他们我们")["/"] == (2, 2)


def test_letters_are_spread_over_the_word() -> None:
    found = times("Hi Bob", ["hi", " bob"])
    assert found["H"] == (0, 0.5)
    assert found["i"] == (0.5, 1)
    assert found["B"][0] == 1


def test_what_was_not_heard_is_interpolated_without_confidence() -> None:
    chars = align("你好世界", speak("你世界"), start=0.0, end=9.0)
    assert [c.confidence for c in chars] == [0.9, 0.0, 0.9, 0.9]
    assert [c.start for c in chars] == pytest.approx([1.0, 1.1, 1.2, 1.4])
    leading = align("嗯你", speak("你"), start=0.0, end=9.0)
    assert (leading[0].start, leading[0].end) == pytest.approx((0.8, 1.0))
    trailing = align("你啊", speak("你"), start=0.0, end=9.0)
    assert (trailing[1].start, trailing[1].end) == pytest.approx((1.4, 1.6))


def test_without_tokens_the_text_is_spread_over_the_segment() -> None:
    chars = align("完全。", [], start=2.0, end=4.0)
    assert [(c.start, c.end, c.confidence) for c in chars] == [
        (2.0, 3.0, 0.0), (3.0, 4.0, 0.0), (4.0, 4.0, 0.0),
    ]  # fmt: skip
    assert align("", speak("你好"), start=0.0, end=9.0) == ()
    assert [c.start for c in align("。。", [], start=1.0, end=2.0)] == [1.0, 1.0]


def test_bytes_of_one_character_in_several_tokens() -> None:
    data = "鑫".encode()
    tokens = [CtcToken(1, data[i : i + 1], 1.0 + i * 0.06, 1.06 + i * 0.06, 0.5) for i in range(3)]
    assert align("鑫", tokens, start=0.0, end=9.0) == (CharTime("鑫", 1.0, 1.4, 0.5),)


ALPHABET = "我们在北京背景天气二三十百点分的，。!%. abcAB123é\u0301"
texts = st.text(st.sampled_from(ALPHABET), max_size=40)


@st.composite
def token_streams(draw: st.DrawFn) -> list[CtcToken]:
    data = draw(texts).encode()
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=30)))
    at = draw(st.floats(-1, 3))
    tokens = []
    for begin, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        length = draw(st.floats(0.06, 0.5))
        tokens.append(CtcToken(1, data[begin:stop], at, at + length, draw(st.floats(0, 1))))
        at += length + draw(st.floats(0, 1))
    return tokens


@settings(deadline=None)  # the first example loads pypinyin
@given(texts, token_streams(), st.floats(0, 3), st.floats(0, 30))
def test_times_never_go_back_and_never_leave_the_segment(
    text: str, tokens: list[CtcToken], start: float, length: float
) -> None:
    chars = align(text, tokens, start=start, end=start + length)
    assert [c.text for c in chars] == graphemes(text)
    assert "".join(c.text for c in chars) == "".join(text.split())
    previous = start
    for char in chars:
        assert previous <= char.start <= char.end <= start + length
        assert 0.0 <= char.confidence <= 1.0
        previous = char.end
    assert chars == align(text, tokens, start=start, end=start + length)


@settings(deadline=None)  # the first example loads pypinyin
@given(st.text(st.sampled_from("我们在北京背景天气abc12"), min_size=1, max_size=60))
def test_any_text_that_was_heard_exactly_keeps_exact_times(text: str) -> None:
    tokens = speak(text, first=0.0)
    chars = align(text, tokens, start=0.0, end=60.0)
    assert [c.start for c in chars] == [t.start for t in tokens]
    assert {c.confidence for c in chars} == {0.9}


def evidence_of(
    rows: Sequence[Sequence[tuple[bytes, float]]], start: float, end: float
) -> Evidence:
    """Posteriors that list the same number of pieces in each frame, likeliest first."""
    table = (*(bytes([at]) for at in range(256)), "北".encode()[:2], "北".encode(), b"")
    ids = [[table.index(piece) for piece, _ in row] for row in rows]
    scores = np.log([[posterior for _, posterior in row] for row in rows])
    frames = CtcFrames(
        np.array(ids, np.int32)[:, 0],
        scores[:, 0].astype(np.float32),
        np.array(ids, np.int32),
        scores.astype(np.float32),
    )
    found = Evidence.of(frames, Pieces(table), start=start, end=end, offset=0.0)
    assert found is not None
    return found


def test_a_character_that_ctc_doubted_takes_its_own_time_and_posterior() -> None:
    rows = [[(b"", 0.99), (b"x", 1e-4)]] * 20
    rows[2] = [(b"a", 0.9), (b"", 0.1)]
    rows[9] = [(b"", 0.8), ("北".encode(), 0.1)]
    rows[12] = [(b"c", 0.9), (b"", 0.1)]
    heard = [CtcToken(97, b"a", 0.12, 0.18, 0.9), CtcToken(99, b"c", 0.72, 0.78, 0.9)]
    alone = align("a北c", heard, start=0.0, end=1.2)
    evidence = evidence_of(rows, 0.0, 1.2)
    found = align("a北c。", heard, start=0.0, end=1.2, evidence=evidence)
    assert [char.start for char in found] == pytest.approx([0.12, 0.54, 0.72, 1.12])
    assert [char.confidence for char in found] == pytest.approx([0.9, 0.1, 0.9, 0.0])
    assert alone[1].confidence == 0, "without posteriors nothing was heard there"
    assert alone[1].start != pytest.approx(0.54)


PIECES = [b"", b"a", b"b", b"1", "北".encode(), "北".encode()[:2], b" ", b"%", b"Q"]


@settings(deadline=None)  # the first example reads the table of readings
@given(
    texts,
    token_streams(),
    st.lists(
        st.lists(st.sampled_from(PIECES), min_size=3, max_size=3, unique=True),
        min_size=1,
        max_size=60,
    ),
    st.floats(0, 3),
)
def test_no_posteriors_lead_times_astray(
    text: str, tokens: list[CtcToken], listed: list[list[bytes]], start: float
) -> None:
    end = start + 0.06 * len(listed)
    rows = [list(zip(row, (0.6, 0.3, 0.01), strict=True)) for row in listed]
    evidence = evidence_of(rows, start, end)
    chars = align(text, tokens, start=start, end=end, evidence=evidence)
    assert [c.text for c in chars] == graphemes(text)
    previous = start
    for char in chars:
        assert previous <= char.start <= char.end <= end
        assert 0.0 <= char.confidence <= 1.0
        previous = char.end


@settings(deadline=None)
@given(st.text(st.sampled_from("abc北1 "), max_size=20), token_streams())
def test_punctuation_stays_at_the_end_of_what_was_said_before(
    text: str, tokens: list[CtcToken]
) -> None:
    marked = "".join(char + "。" * (char != " ") for char in text)
    chars = align(marked, tokens, start=0.0, end=60.0)
    for said, mark in pairwise(chars):
        if mark.text == "。":
            assert mark.start == mark.end == said.end


def best_score(grid: Grid) -> int:
    """The plain programme, every cell by its definition."""
    rows, columns = grid.shape
    total = [[0] * (columns + 1) for _ in range(rows + 1)]
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            total[row][column] = max(
                total[row - 1][column],
                total[row][column - 1],
                total[row - 1][column - 1] + int(grid[row - 1, column - 1]),
            )
    return total[rows][columns]


sounds = st.lists(st.sampled_from("我握们门在再北背京经二2两1a"), min_size=1, max_size=25)


@settings(deadline=None)  # the first example loads pypinyin
@given(sounds, sounds)
def test_the_fast_programme_reaches_the_score_of_the_plain_one(
    left: list[str], right: list[str]
) -> None:
    grid = score_grid(left, right, labels)
    path = best_path(grid)
    assert sum(int(grid[pair]) for pair in path) == best_score(grid)
    assert path == sorted(set(path))
    anchors = find_anchors(left, right, labels)
    assert all(grid[pair] > DIFFERENT for pair in anchors)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(anchors))


@settings(deadline=None)  # the first example loads pypinyin
@given(sounds, sounds, sounds)
def test_stripping_the_common_ends_loses_nothing(
    left: list[str], right: list[str], end: list[str]
) -> None:
    whole = score_grid(left + end, right + end, labels)
    inner = score_grid(left, right, labels)
    assert best_score(whole) == best_score(inner) + EQUAL * len(end)


def test_a_minute_is_aligned_in_time() -> None:
    random = np.random.default_rng(3)
    heard = "".join(map(chr, random.integers(0x4E00, 0x6E00, 400)))
    other = "".join(map(chr, random.integers(0x4E00, 0x6E00, 400)))
    text = "".join(
        a if keep else b for a, b, keep in zip(heard, other, random.random(400) < 0.8, strict=True)
    )
    tokens = [CtcToken(1, c.encode(), i * 0.15, i * 0.15 + 0.06, 0.9) for i, c in enumerate(heard)]
    silence = evidence_of([[(b"", 0.99), (b"a", 0.001)]] * 1200, 0.0, 60.0)
    for evidence in (None, silence):
        begin = perf_counter()
        align(text, tokens, start=0.0, end=60.0, evidence=evidence)
        first = perf_counter() - begin
        begin = perf_counter()
        align(text, tokens, start=0.0, end=60.0, evidence=evidence)
        # about 4 and 12 ms on two shared cores; the bound only catches what is not vectorised
        assert min(first, perf_counter() - begin) < 0.1
