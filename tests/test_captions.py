import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.captions import CJK_WIDTH, MIN_S, Cue, cues
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


def timed(text: str, durations: Sequence[float], *, start: float = 0.0) -> Segment:
    ends = list(accumulate(durations, initial=start))
    chars = tuple(
        CharTime(c, a, b, 0.9)
        for c, (a, b) in zip(re.sub(r"\s", "", text), pairwise(ends), strict=False)
    )
    return Segment(0, start, ends[len(chars)], text, "", (), chars, (), DecodeStats())


def seconds(cue: Cue) -> float:
    return cue.end - cue.start


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


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(texts, st.lists(st.floats(0, 1.5), min_size=80, max_size=80), st.floats(0, 2)),
        max_size=3,
    )
)
def test_no_cue_is_short_beside_one_that_could_give_it_time(
    parts: list[tuple[str, list[float], float]],
) -> None:
    segments: list[Segment] = []
    for text, durations, pause in parts:
        begin = (segments[-1].end if segments else 0.0) + pause
        segments.append(timed(text, durations, start=begin))
    found = cues(segments)
    assert plain("".join(c.text for c in found)) == plain("".join(s.text for s in segments))
    assert all(c.end > c.start for c in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    for a, b in pairwise(found):
        if seconds(a) + seconds(b) >= 2 * MIN_S:
            assert min(seconds(a), seconds(b)) >= MIN_S - 1e-6


@settings(deadline=None)
@given(
    st.text(st.sampled_from(list("你好吗今天天气很好我们去北京")), min_size=1, max_size=80),
    st.lists(st.floats(0, 1.5), min_size=80, max_size=80),
)
def test_evening_out_keeps_the_width(text: str, durations: list[float]) -> None:
    assert all(len(c.text) <= CJK_WIDTH for c in cues([timed(text, durations)]))


def test_a_short_sentence_joins_its_neighbour() -> None:
    following = segment("我们走吧。", start=10 * 0.25)
    found = cues([segment("今天天气很好。好。"), following])
    assert [c.text for c in found] == ["今天天气很好。好。", "我们走吧。"]
    first = cues([segment("好。我们今天去北京。")])
    assert [c.text for c in first] == ["好。我们今天去北京。"]


def test_a_short_rest_of_a_sentence_gets_words_from_the_line_before() -> None:
    text = "the quick brown fox jumps over the lazy dogs please."
    step = 0.03
    following = segment("now we go on.", start=step * len(plain(text)), step=0.2)
    found = cues([segment(text, step=step), following])
    assert found[0].text + " " + found[1].text == text
    assert found[1].text != "please."
    assert all(len(c.text) <= 42 and seconds(c) >= MIN_S for c in found)


def test_a_short_sentence_too_wide_to_join_gets_time_instead() -> None:
    text = "我们今天去北京看今天的天气好吗。好的。"
    following = segment("我们今天去北京看今天的天气好吗。", start=18 * 0.2, step=0.2)
    found = cues([segment(text, step=0.2), following])
    assert [c.text for c in found][:2] == ["我们今天去北京看今天的天气好吗。", "好的。"]
    assert all(seconds(c) >= MIN_S - 1e-6 for c in found)
    assert found[0].end <= found[1].start
