"""Any text and any tokens give lawful proposals; the demo model's tokens and recordings."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from heard import END, drafter, hear
from hypothesis import given
from hypothesis import strategies as st

import funasr_cli
from funasr_cli.draft import CtcDraft
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.model_dir import DEMO_MODEL
from funasr_cli.results import CtcToken, HotwordHit

TRACE = Path(funasr_cli.__file__).parent / "bench_data" / "drafts.json"
SCRAPS = (
    "今天 开会 二零二五年 百分之五 | ‖ twenty five the cat ， 。 . 一 A march".split()  # noqa: SIM905
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.lists(st.sampled_from([*SCRAPS, " ", " the", " five"]), max_size=12).map("".join),
)


def bytewise(text: str) -> list[int]:
    return list(text.encode("utf-8", "surrogatepass"))


def one_byte(token: int) -> bytes:
    return bytes([token]) if token < 256 else b""


IDS = st.one_of(TEXTS.map(bytewise), st.lists(st.integers(0, 300), max_size=40))


@given(
    heard=TEXTS, asked=st.lists(st.tuples(IDS, st.integers(0, 12)), max_size=6), itn=st.booleans()
)
def test_any_question_in_any_order_has_one_answer(
    heard: str, asked: list[tuple[list[int], int]], itn: bool
) -> None:
    make = partial(
        CtcDraft,
        hear(heard.encode("utf-8", "replace").decode()),
        tokenize=bytewise,
        piece=one_byte,
        end=256,
        itn=itn,
    )
    used = make()
    for ids, limit in asked:
        found = used.propose(ids, limit)
        assert found == make().propose(tuple(ids), limit)
        assert len(found) <= limit
        assert all(0 <= token <= 256 for token in found)


@given(st.lists(st.tuples(st.binary(max_size=4), st.floats(0, 1)), max_size=8))
def test_any_ctc_tokens_are_read(pieces: list[tuple[bytes, float]]) -> None:
    heard = [CtcToken(0, p, at, at + 0.1, sure) for at, (p, sure) in enumerate(pieces)]
    draft = CtcDraft(heard, tokenize=bytewise, piece=one_byte, end=256, itn=True)
    assert len(draft.propose([], 5)) <= 5


@given(TEXTS, st.lists(st.tuples(TEXTS, st.floats(0, 1), st.floats(0, 3), st.floats(0, 3))))
def test_any_hotwords_are_taken(heard: str, hits: list[tuple[str, float, float, float]]) -> None:
    draft = drafter(heard, hits=[HotwordHit(*hit) for hit in hits])
    assert len(draft.propose([], 5)) <= 5


@pytest.fixture(scope="module")
def llm() -> Iterator[LlamaModel]:
    (path,) = DEMO_MODEL.glob("*.gguf")
    with open_language_model(path, n_ctx=16, threads=1) as model:
        yield model


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (
            "we need to talk| please call me before march fifth‖ my number is five five five zero",
            "We need to talk, please call me before March 5. My number is 5550.",
        ),
        (
            "今天我们在北京讨论经济问题|会议三月五日上午九点三十分开始‖联系电话幺三八零零",
            "今天我们在北京讨论经济问题，会议3月5日上午9点30分开始。联系电话13800。",
        ),
    ],
)
def test_tokens_are_those_that_the_model_uses(llm: LlamaModel, heard: str, text: str) -> None:
    """Merges are right wherever a proposal begins."""
    draft = CtcDraft(hear(heard), tokenize=llm.tokenize, piece=llm.piece, end=END, itn=True)
    ids = [*llm.tokenize(text), END]
    for at in range(len(ids)):
        assert draft.propose(ids[:at], 99) == ids[at:]


@pytest.mark.parametrize(
    ("language", "width", "least"),
    [
        ("zh", 2, 2.6),
        ("zh", 4, 3.9),
        ("zh", 8, 5.5),
        ("en", 2, 2.5),
        ("en", 4, 3.7),
        ("en", 8, 5.2),
    ],
)
def test_recorded_drafts_are_right_this_often(language: str, width: int, least: float) -> None:
    """Tokens a call in the recordings that benchmarks replay (tests/make_drafts.py)."""
    tokens = calls = 0
    for pair in json.loads(TRACE.read_text("utf-8"))["pairs"]:
        if pair["language"] == language:
            right = pair["right"]
            assert len(right) == len(pair["proposed"])
            assert all(r <= p <= 16 for r, p in zip(right, pair["proposed"], strict=True))
            at = 1  # the prompt's own call gives the first token
            while at < len(right):
                at += min(width, right[at]) + 1
                calls += 1
            tokens += len(right) - 1
    assert tokens / calls >= least
