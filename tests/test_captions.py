import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from funasr_cli.captions import CaptionOptions, Cue, cues, pace
from funasr_cli.captions.cutting import GAP_S
from funasr_cli.captions.options import DEFAULT_MIN_DURATION, PRESETS, STRIPPED
from funasr_cli.captions.timing import HOLD_S
from funasr_cli.characters import graphemes
from funasr_cli.errors import UsageError
from funasr_cli.results import CharTime, DecodeStats, Segment
from funasr_cli.script import dominant_script, half_widths, is_wide, spaced_between

MIN_S = DEFAULT_MIN_DURATION
CHINESE = list("你好吗今天天气很好我们去北京三百一个年块")
MIXED = [*CHINESE, *list("，。！？、；：…“”《》（） abcxyz12345.,'%-$&é한국어ののャっー😀\u0301")]
chinese = st.text(st.sampled_from(CHINESE), min_size=1, max_size=80)
texts = st.text(st.sampled_from(MIXED), max_size=80)
durations = st.lists(st.floats(0, 1.5), min_size=80, max_size=80)
options = st.builds(
    CaptionOptions,
    preset=st.sampled_from(["auto", *PRESETS]),
    max_line_width=st.none() | st.floats(1, 30),
    max_line_count=st.integers(1, 3),
    min_duration=st.floats(0, 2),
    max_duration=st.floats(2, 9),
    keep_punctuation=st.booleans(),
)
streams = st.lists(st.tuples(texts, durations, st.floats(0, 2)), max_size=3)


def segment(text: str, *, step: float = 0.25, start: float = 0.0) -> Segment:
    return timed(text, [step] * len(text), start=start)


def timed(text: str, spans: Sequence[float], *, start: float = 0.0) -> Segment:
    ends = list(accumulate(spans, initial=start))
    shown = graphemes(text)
    chars = tuple(CharTime(c, a, b, 0.9) for c, (a, b) in zip(shown, pairwise(ends), strict=False))
    return Segment(0, start, ends[len(chars)], text, "", (), chars, (), DecodeStats())


def consecutive(stream: Sequence[tuple[str, Sequence[float], float]]) -> list[Segment]:
    segments: list[Segment] = []
    for text, spans, pause in stream:
        begin = (segments[-1].end if segments else 0.0) + pause
        segments.append(timed(text, spans, start=begin))
    return segments


def shown(found: Sequence[Cue]) -> list[str]:
    return [cue.text for cue in found]


def seconds(cue: Cue) -> float:
    return cue.end - cue.start


def plain(text: str) -> str:
    return re.sub(r"\s", "", text)


def bare(text: str) -> str:
    return "".join(char for char in plain(text) if char not in STRIPPED)


@settings(deadline=None)
@given(streams, options)
def test_cues_hold_the_whole_text_in_order_and_in_time(
    stream: list[tuple[str, list[float], float]], look: CaptionOptions
) -> None:
    segments = consecutive(stream)
    found = cues(segments, options=look)
    text = "".join(s.text for s in segments)
    assert bare("".join(shown(found))) == bare(text)
    if look.keep_punctuation:
        assert plain("".join(shown(found))) == plain(text)
    for cue in found:
        assert "".join(char.text for char in cue.chars) == plain(cue.text)
        assert cue.text == cue.text.strip()
        assert GAP_S - 1e-6 <= seconds(cue) <= look.max_duration + 1e-6
    assert all(a.end <= b.start for a, b in pairwise(found))


@settings(deadline=None)
@given(streams, options)
def test_no_line_is_wider_than_allowed_but_for_one_word(
    stream: list[tuple[str, list[float], float]], look: CaptionOptions
) -> None:
    segments = consecutive(stream)
    layout = look.layout(dominant_script("".join(s.text for s in segments)))
    for cue in cues(segments, options=look):
        lines = cue.text.split("\n")
        assert len(lines) <= look.max_line_count
        for line in lines:
            if half_widths(line) > layout.width:
                assert lines == [line]
                # a word, or one full-width character where a line holds none
                assert not any(map(is_wide, line)) or len(graphemes(line)) == 1
                assert " " not in line or re.search(r"[^\w\s]", line)


@settings(deadline=None)
@given(
    st.lists(st.text("abcdefgé", min_size=1, max_size=12), min_size=1, max_size=30),
    durations,
    options,
)
def test_words_are_never_cut(words: list[str], spans: list[float], look: CaptionOptions) -> None:
    text = " ".join(words)
    found = cues([timed(text, (spans * 5)[: len(text)])], options=look)
    assert " ".join(shown(found)).split() == words


WHOLES = (
    "23.5%", "100公里", "三百块", "第三章", "百分之二十", "2024年", "3个", "$3.50", "1,200元",
    "DeepSeek", "10:30", "30多个", "5 km", "2 million dollars", "3万吨", "GPT-4", "C++",
    "二零二四年", "-5℃", "three",
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(WHOLES), st.text(st.sampled_from(CHINESE[:12]), min_size=1)),
        max_size=8,
    ),
    durations,
    st.integers(9, 30),
)
def test_numbers_keep_their_units(
    parts: list[tuple[str, str]], spans: list[float], width: int
) -> None:
    text = "".join(whole + filler[:9] for whole, filler in parts)
    look = CaptionOptions(preset="zh", max_line_width=width, keep_punctuation=True)
    lines = "\n".join(shown(cues([timed(text, spans * 3)], options=look))).split("\n")
    line_of = [at for at, line in enumerate(lines) for _ in plain(line)]
    at = 0
    for whole, filler in parts:
        end = at + len(plain(whole))
        assert len(set(line_of[at:end])) == 1, lines
        at = end + len(filler[:9])


def test_each_script_has_its_own_width() -> None:
    zh = "我们今天去北京看天气好不好然后再回来吃饭睡觉"
    assert shown(cues([segment(zh)])) == ["我们今天去北京看天气\n好不好然后再回来吃饭睡觉"]
    assert max(map(len, cues([segment("の" * 60)])[0].text.split("\n"))) <= 13
    latin = "the quick brown fox jumps over the lazy dog and runs away"
    assert shown(cues([segment(latin, step=0.05)])) == [
        "the quick brown fox jumps\nover the lazy dog and runs away"
    ]
    bare_look = CaptionOptions(preset="none")
    assert shown(cues([segment(latin, step=0.05)], options=bare_look)) == [latin]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("今天天气很好", "zh"),
        ("用 DeepSeek 和 GPT", "latin"),
        ("我们用DeepSeek", "latin"),
        ("我们今天用DeepSeek", "zh"),
        ("今日はいい天気です", "ja"),
        ("他说「の」是日语里的一个字", "zh"),
        ("오늘은 날씨가 좋다", "ko"),
        ("Сегодня", "latin"),
        ("123", "latin"),
    ],
)
def test_the_script_that_fills_most_decides(text: str, script: str) -> None:
    assert dominant_script(text) == script


def test_spaces_stand_between_all_but_unspaced_scripts() -> None:
    assert not spaced_between("你好。", "再见")
    assert spaced_between("hello", "world")
    assert spaced_between("안녕", "하세요")
    assert spaced_between("你好", "world")
    assert not spaced_between("你好。", "2026年")
    assert not spaced_between("hello", "《书》")
    assert not spaced_between("", "world")


def test_chinese_words_are_not_cut_at_the_end_of_a_line() -> None:
    text = (
        "人工智能技术正在以前所未有的速度改变着我们每一个人的日常生活和工作方式以及我们对未来的理解"
    )
    lines = "\n".join(shown(cues([segment(text, step=0.2)]))).split("\n")
    words = re.findall(
        r"\S+", "人工智能 技术 正在 以前 速度 改变 我们 一个 日常 生活 工作 方式 以及 未来 理解"
    )
    assert plain("".join(lines)) == text
    for word in words:
        assert any(word in line for line in lines), (word, lines)


def test_japanese_lines_begin_with_phrases_and_never_with_small_kana() -> None:
    text = "今日はとても天気がいいので友達と一緒に公園へ散歩に行きました"
    lines = "\n".join(shown(cues([segment(text, step=0.15)]))).split("\n")
    assert lines == ["今日はとても天気がいいので", "友達と一緒に公園へ", "散歩に行きました"]
    wide = cues([segment("あっあっあっあっあっあっ")], options=CaptionOptions(max_line_width=3))
    assert not re.search("\nっ|^っ", "\n".join(shown(wide)))


def test_strong_punctuation_always_ends_a_cue_that_can_be_seen() -> None:
    found = cues([segment("今天好吗？我们走吧！他说：“好的好的。”我们去北京…你好你好")])
    assert shown(found) == [
        "今天好吗？",
        "我们走吧！",
        "他说：“好的好的。”",
        "我们去北京…",
        "你好你好",
    ]
    english = cues([segment("We met Dr. Smith today. It was 3.5 m long. Fine, e.g. this one.")])
    assert shown(english) == [
        "We met Dr. Smith today.",
        "It was 3.5 m long.",
        "Fine, e.g. this one.",
    ]


def test_weak_punctuation_ends_a_cue_only_at_a_pause_or_a_nearly_full_line() -> None:
    assert shown(cues([segment("我们去北京，天气很好")])) == ["我们去北京，天气很好"]
    paused = timed("我们去北京，天气很好", [0.25] * 5 + [0.4] + [0.25] * 4)
    silent = replace(paused.chars[5], end=paused.chars[5].start)
    paused = replace(paused, chars=(*paused.chars[:5], silent, *paused.chars[6:]))
    assert shown(cues([paused])) == ["我们去北京", "天气很好"]
    full = segment("我们今天去北京看天气好不好，你们去吗")
    assert shown(cues([full])) == ["我们今天去北京看天气好不好", "你们去吗"]


def test_punctuation_at_the_end_of_lines_shows_on_request() -> None:
    text = "我们今天去北京看天气，你们一起去吗。好的好的。"
    kept = cues([segment(text)], options=CaptionOptions(keep_punctuation=True))
    assert shown(kept) == ["我们今天去北京看天气，\n你们一起去吗。", "好的好的。"]
    assert shown(cues([segment(text)])) == ["我们今天去北京看天气\n你们一起去吗", "好的好的"]
    english = cues([segment("So it is, they said, and went away.")])
    assert english[-1].text.endswith("away.")


def test_a_long_pause_ends_a_cue() -> None:
    first, later = segment("你好"), segment("再见", start=3.0)
    assert shown(cues([first, later])) == ["你好", "再见"]


def test_a_cue_goes_on_from_one_segment_into_the_next() -> None:
    first = segment("我们今天去北")
    assert shown(cues([first, segment("京看天气", start=first.end)])) == ["我们今天去北京看天气"]
    english = segment("so we went")
    assert shown(cues([english, segment("home.", start=english.end)])) == ["so we went home."]
    assert shown(cues([first, segment("，好", start=first.end)])) == ["我们今天去北，好"]
    narrow = CaptionOptions(max_line_width=8)
    assert shown(cues([english, segment("?", start=english.end)], options=narrow)) == [
        "so we\nwent?"
    ]
    word = segment("whatever")
    assert shown(cues([word, segment("? Yes", start=word.end)], options=narrow))[0] == "whatever?"


def test_segments_without_times_share_their_time() -> None:
    untimed = Segment(0, 1.0, 9.0, "今天天气很好。我们去北京。", "", (), (), (), DecodeStats())
    found = cues([untimed])
    assert shown(found) == ["今天天气很好", "我们去北京"]
    assert found[0].start == 1.0
    assert 4.0 < found[1].start < 6.0
    assert cues([replace(untimed, text=" ")]) == []


def test_a_cue_stays_for_its_reader_but_not_longer_than_half_a_second() -> None:
    fast = segment("我们今天去北京看天气好不好", step=0.08)
    (alone,) = cues([fast])
    assert alone.end == pytest.approx(min(13 / 9, fast.end + HOLD_S))
    slow = segment("我们今天去北京看天气", step=0.3)
    (alone,) = cues([slow])
    assert alone.end == slow.end
    near = segment("好的好的", start=slow.end + 0.4)
    first, second = cues([replace(slow, text=slow.text + "。"), near])
    assert second.start - first.end == pytest.approx(GAP_S)


def test_reading_speed_is_counted_in_full_width_characters() -> None:
    slow, fast = (
        segment("今天天气很好。", step=0.3),
        segment("我们去北京GPT吗", step=0.09, start=9.0),
    )
    told = pace([slow, fast])
    assert (told.cues, told.fast, told.limit) == (2, 0, 9)
    one = cues([fast])[0]
    assert one.width == 7.5
    japanese = CaptionOptions(preset="ja")
    hurried = pace([fast, segment("天气很好", start=20.0)], options=japanese)
    assert (hurried.cues, hurried.fast, hurried.limit) == (2, 1, 4)
    assert hurried.fastest is not None
    assert hurried.fastest.cps == pytest.approx(7.5 / seconds(hurried.fastest))


@settings(deadline=None)
@given(streams)
def test_no_cue_is_short_beside_one_that_could_give_it_time(
    stream: list[tuple[str, list[float], float]],
) -> None:
    for a, b in pairwise(cues(consecutive(stream))):
        if seconds(a) + seconds(b) >= 2 * MIN_S and b.start - a.end <= GAP_S:
            assert min(seconds(a), seconds(b)) >= MIN_S - 1e-6


def test_a_short_sentence_joins_its_neighbour() -> None:
    following = segment("我们走吧。", start=10 * 0.25)
    found = cues([segment("今天天气很好。好。"), following])
    assert shown(found) == ["今天天气很好。好", "我们走吧"]
    assert shown(cues([segment("好。我们今天去北京。")])) == ["好。我们今天去北京"]


def test_a_short_rest_of_a_sentence_gets_words_from_the_line_before() -> None:
    text = "the quick brown fox jumps over the lazy dogs please."
    step = 0.03
    following = segment("now we go on.", start=step * len(plain(text)), step=0.2)
    first, second, _ = cues(
        [segment(text, step=step), following], options=CaptionOptions(max_line_count=1)
    )
    assert f"{first.text} {second.text}" == text
    assert second.text != "please."
    assert all(len(c.text) <= 42 and seconds(c) >= MIN_S - 1e-6 for c in (first, second))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("preset", "chinese"),
        ("max_line_width", 0),
        ("max_line_width", "16"),
        ("max_line_count", 0),
        ("max_line_count", 1.5),
        ("min_duration", -1),
        ("max_duration", 0),
    ],
)
def test_a_meaningless_option_is_refused_by_name(field: str, value: object) -> None:
    wrong: dict[str, Any] = {field: value}
    with pytest.raises(UsageError, match=rf"^{field} \(--.*expected"):
        CaptionOptions(**wrong)
    with pytest.raises(UsageError, match="less than min_duration"):
        CaptionOptions(min_duration=3, max_duration=2)
