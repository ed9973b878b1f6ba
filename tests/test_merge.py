"""No word is lost or doubled where two segments share sound."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.characters import graphemes
from funasr_cli.merge import join_segments, join_texts
from funasr_cli.results import CharTime, DecodeStats, Segment

CHINESE = "今天我们在北京讨论经济问题会议三月五日上午九点开始"
ENGLISH = ("we", "need", "to", "talk", "about", "the", "new", "project", "please", "don't", "7")
SHARED_S = 1.5


@dataclass(frozen=True)
class Word:
    """A word of the stream, and the punctuation behind it."""

    text: str
    mark: str
    start: float
    end: float


def segment(words: list[Word], start: float, end: float, *, spaced: bool, number: int) -> Segment:
    """Write what a model that hears every word would write of [start, end]."""
    chars: list[CharTime] = []
    for word in words:
        letters = graphemes(word.text)
        size = (word.end - word.start) / len(letters)
        for at, letter in enumerate(letters):
            first = word.start + at * size
            chars.append(CharTime(letter, first, first + size, 1.0))
        chars += [CharTime(mark, word.end, word.end, 0.0) for mark in word.mark]
    text = (" " if spaced else "").join(word.text + word.mark for word in words)
    return Segment(number, start, end, text, "", (), tuple(chars), (), DecodeStats())


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Word], bool]:
    spaced = draw(st.booleans())
    alphabet = st.sampled_from(ENGLISH if spaced else tuple(CHINESE))
    texts = draw(st.lists(alphabet, min_size=12, max_size=40))
    words, at = [], 0.0
    for text in texts:
        at += draw(st.sampled_from([0.0, 0.0, 0.05, 0.3]))
        length = draw(st.floats(0.12, 0.35))
        mark = draw(st.sampled_from(["", "", "", "", ", " if spaced else "，", "。"])).strip()
        words.append(Word(text, mark, at, at + length))
        at += length
    return words, spaced


@given(streams(), st.floats(0.2, 0.8), st.sampled_from(["", "half"]))
def test_any_cut_of_a_stream_gives_the_stream_back(
    stream: tuple[list[Word], bool], share: float, edge: str
) -> None:
    words, spaced = stream
    cut = words[-1].end * share
    low, high = cut - SHARED_S / 2, cut + SHARED_S / 2
    ours = [word for word in words if word.end <= high]
    theirs = [word for word in words if word.start >= low]
    # half a word at an edge is heard as something else, and a text that breaks off gets a full stop
    split = [word for word in words if word.start < high < word.end]
    if edge and split:
        ours = [*ours, Word("x" if spaced else "错", "。", split[0].start, high)]
    split = [word for word in words if word.start < low < word.end]
    if edge and split:
        theirs = [Word("y" if spaced else "误", "", low, split[0].end), *theirs]
    before = segment(ours, 0.0, high, spaced=spaced, number=0)
    after = segment(theirs, low, words[-1].end, spaced=spaced, number=1)
    one, two = join_segments(before, after)

    whole = segment(words, 0.0, words[-1].end, spaced=spaced, number=0)
    assert "".join(c.text for c in (*one.chars, *two.chars)) == "".join(c.text for c in whole.chars)
    assert join_texts([one.text, two.text]).replace(" ", "") == whole.text.replace(" ", "")
    assert one.end <= two.start
    times = [c.start for c in (*one.chars, *two.chars)]
    assert times == sorted(times)
    for part in (one, two):
        assert graphemes(part.text) == [c.text for c in part.chars]


def test_the_same_word_twice_in_the_shared_sound() -> None:
    words = [Word("好", "，", 0.3 * n, 0.3 * n + 0.25) for n in range(20)]
    before = segment([w for w in words if w.end <= 4.0], 0.0, 4.0, spaced=False, number=0)
    after = segment([w for w in words if w.start >= 2.5], 2.5, 6.0, spaced=False, number=1)
    one, two = join_segments(before, after)
    assert one.text + two.text == "好，" * 20


def test_where_nothing_agrees_time_decides() -> None:
    before = segment(
        [Word("甲", "", 0, 1), Word("乙", "", 2, 2.2), Word("丙", "。", 2.8, 3)], 0, 3,
        spaced=False, number=0,
    )  # fmt: skip
    after = segment(
        [Word("丁", "", 2.1, 2.3), Word("戊", "", 2.7, 2.9), Word("己", "", 4, 5)], 2, 5,
        spaced=False, number=1,
    )  # fmt: skip
    one, two = join_segments(before, after)
    assert (one.text, two.text) == ("甲乙", "戊己")


def test_a_side_without_text_takes_nothing_from_the_other() -> None:
    full = segment([Word("甲", "", 0, 1), Word("乙", "。", 2.5, 2.9)], 0, 3, spaced=False, number=0)
    empty = segment([], 2, 5, spaced=False, number=1)
    one, two = join_segments(full, empty)
    assert (one.text, two.text) == ("甲乙。", "")
    later = segment([Word("甲", "", 2.2, 2.4)], 2, 5, spaced=False, number=1)
    one, two = join_segments(segment([], 0, 3, spaced=False, number=0), later)
    assert (one.text, two.text) == ("", "甲")
    assert one.end <= two.start


def test_opening_marks_stay_with_what_they_open() -> None:
    words = [
        Word(t, m, n, n + 0.9) for n, (t, m) in enumerate([("甲", ""), ("乙", "，“"), ("丙", "”")])
    ]
    before = segment(words[:2], 0, 2.5, spaced=False, number=0)
    after = segment(words[1:], 1, 3, spaced=False, number=1)
    one, two = join_segments(before, after)
    assert one.text + two.text == "甲乙，“丙”"


def test_a_number_goes_to_one_side_whole() -> None:
    digits = [Word(d, "", 5 + 0.2 * n, 5.2 + 0.2 * n) for n, d in enumerate("13800138000")]
    words = [Word("联", "", 4, 4.4), Word("系", "", 4.5, 4.9), *digits, Word("谢", "。", 8, 8.4)]
    ours = [w for w in words if w.end <= 6.7]
    theirs = [w for w in words if w.start >= 5.3]
    one, two = join_segments(
        segment([*ours, Word("6", "。", 6.7, 6.8)], 0, 6.8, spaced=False, number=0),
        segment(theirs, 5.3, 9, spaced=False, number=1),
    )
    assert (one.text, two.text) == ("联系13800138000", "谢。")
    times = [c.start for c in (*one.chars, *two.chars)]
    assert times == sorted(times)
