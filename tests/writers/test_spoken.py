import re
from dataclasses import replace
from itertools import pairwise
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcripts import EVIL, letters, segment, spoken, transcript

from funasr_cli.captions import Cue
from funasr_cli.writers import spoken as module
from funasr_cli.writers.spoken import lines

texts = st.text(
    st.one_of(st.sampled_from(list("你好，。！ “”ab1%$-\n\t<>{}\x00👨‍é")), st.characters()),
    max_size=40,
)


def plain(text: str) -> str:
    return re.sub(r"\s", "", module.one_row(text))


@given(st.lists(texts, max_size=4), st.booleans())
def test_lines_hold_the_whole_transcript(found: list[str], timed: bool) -> None:
    whole = spoken(*found, timed=timed)
    cut = lines(whole)
    # a cue may be left out where nothing was said but punctuation
    if cut or letters("".join(found)):
        assert plain("".join(line.text for line in cut)) == plain("".join(found))
    assert all(a.end <= b.start for a, b in pairwise(cut))
    for line in cut:
        assert all(row and row == row.strip() for row in line.rows)
        assert not any(category(c) == "Cc" for row in line.rows for c in row)


@pytest.mark.parametrize("text", EVIL)
def test_words_are_the_line(text: str) -> None:
    for line in lines(spoken(text)):
        assert module.one_row("".join(word.text for word in line.words)) == line.text.strip()
        shown = "".join(beat.shown for word in line.words for beat in word.beats)
        assert tuple(shown.split("\n")) == line.rows
        assert all(a.start <= b.start for a, b in pairwise(line.words))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("今天GPT-4涨了3.5%。", ["今", "天", "GPT-4", "涨", "了", "3.5%。"]),
        ("It's $5, or “ten”.", ["It's", " $5,", " or", " “ten”."]),
        ("你好,world。《书》", ["你", "好,", "world。", "《书》"]),
        ("한국어 문장", ["한국어", " 문장"]),
        ("カタカナ", ["カ", "タ", "カ", "ナ"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [w.text for line in lines(spoken(text)) for w in line.words] == words


def test_a_number_lights_up_digit_by_digit() -> None:
    (line,) = lines(spoken("共10.5元"))
    assert [b.shown for word in line.words for b in word.beats] == ["共", "1", "0.", "5", "元"]


def test_opening_punctuation_does_not_begin_with_the_sentence_before() -> None:
    one = segment("好“你")
    before, quote, after = one.chars
    chars = (before, replace(quote, start=before.end, end=before.end), replace(after, start=0.6))
    (line,) = lines(transcript(replace(one, chars=chars)))
    assert (line.words[1].text, line.words[1].start) == ("“你", 0.6)


def test_segments_are_joined_as_the_transcript_is() -> None:
    whole = spoken("Hello there.", "你好。", "Well.", "Yes.")
    assert "".join(line.text for line in lines(whole)) == whole.text
    assert [line.window for line in lines(whole)] == [s.start for s in whole.segments]


def test_segments_without_times_have_no_words() -> None:
    (line,) = lines(spoken("没有时间，真的", timed=False))
    assert (line.words, line.text, line.rows) == ((), "没有时间，真的", ("没有时间，真的",))


def test_what_a_cue_leaves_out_or_breaks_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captions may drop punctuation, break lines and add dashes."""
    made = [Cue(0.0, 2.0, "今天很好\n我们"), Cue(2.0, 4.0, "- go to Rome -"), Cue(4.0, 5.0, "好")]
    monkeypatch.setattr(module, "cues", lambda _segments, **_look: made)
    first, second, third = lines(transcript(segment("今天，很好，我们。go to Rome.好。")))
    assert (first.text, first.rows) == ("今天，很好，我们。", ("今天很好", "我们"))
    assert [b.shown for w in first.words for b in w.beats] == [*"今天很好", "\n我", "们"]
    assert (second.text, second.rows) == ("go to Rome.", ("- go to Rome -",))
    assert "".join(b.shown for w in second.words for b in w.beats) == "- go to Rome -"
    assert (third.text, third.rows) == ("好。", ("好",))


def test_a_cue_of_another_text_is_written_without_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cues", lambda _segments, **_look: [Cue(0.0, 2.0, "别的")])
    (line,) = lines(transcript(segment("abc", timed=False)))
    assert line.rows == ("别的",)
    assert line.words == ()
