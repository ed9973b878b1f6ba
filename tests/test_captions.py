import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.captions import CJK_WIDTH, cues
from funasr_cli.results import CharTime, DecodeStats, Segment

texts = st.text(
    st.sampled_from(list("你好吗今天天气很好我们去北京，。！？、 abcxyz12345.,'%")), max_size=80
)


def segment(text: str, *, step: float = 0.25, start: float = 0.0) -> Segment:
    chars = tuple(
        CharTime(c, start + i * step, start + (i + 1) * step, 0.9)
        for i, c in enumerate(re.sub(r"\s", "", text))
    )
    end = start + step * len(chars)
    return Segment(0, start, end, text, "", (), chars, (), DecodeStats())


def plain(text: str) -> str:
    return re.sub(r"\s", "", text)


@given(texts, st.floats(0.01, 1.5))
def test_cues_hold_the_whole_text_in_order_without_overlap(text: str, step: float) -> None:
    found = cues([segment(text, step=step)])
    assert plain("".join(c.text for c in found)) == plain(text)
    assert all(c.end > c.start for c in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.text(st.sampled_from(list("你好吗今天天气很好我们去北京")), min_size=1, max_size=80))
def test_chinese_lines_keep_their_width(text: str) -> None:
    assert all(len(c.text) <= CJK_WIDTH for c in cues([segment(text)]))


def test_sentences_end_cues_and_words_and_numbers_stay_whole() -> None:
    found = cues([segment("今天的温度是23.5%，我们明天再说吧。好的好的。")])
    assert found[-1].text == "好的好的。"
    assert any("23.5%，" in c.text for c in found)
    english = cues([segment("the quick brown fox jumps over the lazy dog and runs away.")])
    assert all(len(c.text) <= 42 for c in english)
    assert " ".join(c.text for c in english) == (
        "the quick brown fox jumps over the lazy dog and runs away."
    )


def test_a_long_pause_ends_a_cue() -> None:
    first = segment("你好")
    later = segment("再见", start=3.0)
    joined = Segment(
        0, 0.0, 4.0, "你好再见", "", (), (*first.chars, *later.chars), (), DecodeStats()
    )
    assert [c.text for c in cues([joined])] == ["你好", "再见"]


def test_a_segment_without_times_is_one_cue() -> None:
    bare = Segment(0, 1.0, 3.0, "你好。再见。", "", (), (), (), DecodeStats())
    assert [(c.start, c.end, c.text) for c in cues([bare])] == [(1.0, 3.0, "你好。再见。")]
