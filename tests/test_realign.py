import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transcripts import segment, spoken, transcript

from funasr_cli.characters import graphemes
from funasr_cli.merge import join_texts
from funasr_cli.realign import LEAST_FIT, Realigned, lines_of, realign
from funasr_cli.results import CharTime, HotwordHit, Transcript
from funasr_cli.writers import render
from funasr_cli.writers.json import from_json, to_json

TEXTS = (
    "今天我们在北京讨论经济问题。",
    "会议上午9点30分开始，请准时参加。",
    "My number is 5550123.",
)
WHOLE = spoken(*TEXTS)


def corrected(text: str, whole: Transcript = WHOLE) -> Realigned:
    return realign(whole, lines_of(text))


def chars(whole: Transcript) -> list[CharTime]:
    return [char for one in whole.segments for char in one.chars]


def check(found: Transcript) -> None:
    """What every transcript promises."""
    for one in found.segments:
        assert [c.text for c in one.chars] == graphemes(one.text)
    times = chars(found)
    assert [c.text for c in times] == graphemes(found.text)
    assert all(a.start <= b.start for a, b in pairwise(times))
    assert all(c.start <= c.end for c in times)


def test_the_same_text_is_the_same_transcript() -> None:
    found = corrected(WHOLE.text)
    assert found.transcript == WHOLE
    assert (found.changed, found.removed, found.fit) == (0, 0, 1.0)


@pytest.mark.parametrize("timestamps", [True, False])
def test_lines_with_and_without_times_are_read(timestamps: bool) -> None:
    text = render("txt", WHOLE, timestamps=True)
    if not timestamps:
        text = re.sub(r"(?m)^\[.*?\] ", "", text)
    assert text.count("\n") == 3
    assert corrected(text.replace("\n", "\r\n\r\n")).transcript == WHOLE


def test_a_line_may_end_anywhere() -> None:
    whole = spoken("我们用 DeepSeek 模型。2026年会更好。")
    for at in range(1, len(whole.text)):
        broken = f"{whole.text[:at]}\n{whole.text[at:]}"
        assert corrected(broken, whole).transcript == whole
    assert corrected("我们用 DeepSeek模型。\n今年 会更好", whole).transcript.text == (
        "我们用 DeepSeek模型。今年 会更好"
    )


def test_one_character_shares_the_time_of_what_it_replaces() -> None:
    found = corrected(WHOLE.text.replace("北京", "南京")).transcript
    before, after = chars(WHOLE), chars(found)
    assert (after[5].text, after[5].start, after[5].end) == ("南", before[5].start, before[5].end)
    assert [*after[:5], *after[6:]] == [*before[:5], *before[6:]]


def test_a_longer_word_shares_the_time_evenly() -> None:
    found = corrected(WHOLE.text.replace("北京", "DeepSeek")).transcript
    new, before = chars(found)[5:13], chars(WHOLE)
    assert new[0].start == before[5].start
    assert new[-1].end == before[6].end
    assert {round(c.end - c.start, 6) for c in new} == {0.0625}
    assert {round(c.confidence, 6) for c in new} == {0.9}


def test_inserted_characters_use_the_pause_and_take_time_from_nobody() -> None:
    found = corrected(WHOLE.text.replace("问题。", "问题。对吧。")).transcript
    assert found.segments[0].text == TEXTS[0] + "对吧。"
    new, last = found.segments[0].chars[-3:], WHOLE.segments[0].chars[-1]
    assert [(round(c.start - last.end, 6), round(c.end - last.end, 6)) for c in new] == [
        (0.0, 0.2), (0.2, 0.4), (0.4, 0.4),
    ]  # fmt: skip
    squeezed = corrected(WHOLE.text.replace("我们", "我你们")).transcript
    assert [c.end - c.start for c in chars(squeezed)[3:4]] == [0.0]
    assert chars(squeezed)[4:] == chars(WHOLE)[3:]
    first = corrected("那么" + WHOLE.text).transcript
    assert [round(c.start, 6) for c in chars(first)[:3]] == [0.1, 0.3, 0.5]


def test_a_segment_may_lose_all_its_text() -> None:
    found = corrected(TEXTS[0] + TEXTS[2]).transcript
    assert [one.text for one in found.segments] == [TEXTS[0], "", TEXTS[2]]
    assert found.segments[1].chars == ()
    assert found.segments[2] == WHOLE.segments[2]


def test_case_and_width_keep_their_times() -> None:
    found = corrected(WHOLE.text.replace("My", "MY").replace("9点", "９点"))
    assert found.changed == 0
    assert "９" in found.transcript.text


def test_hotwords_are_looked_for_again() -> None:
    hit = HotwordHit("南京", 0.9, 1.0, 2.0, in_prompt=True)
    first = replace(WHOLE.segments[0], hotwords=(hit,))
    whole = replace(WHOLE, segments=(first, *WHOLE.segments[1:]))
    found = corrected(whole.text.replace("北京", "南京"), whole).transcript
    assert found.segments[0].hotwords == (replace(hit, in_text=True),)


def test_texts_of_two_recordings_do_not_fit() -> None:
    other = "昨天他去了上海，天气很不好，所以没有看到大海。我们下次再去吧。"
    assert corrected(other).fit < LEAST_FIT
    assert corrected("The number of my house is on the door, which you cannot see.").fit < LEAST_FIT
    assert corrected(TEXTS[1]).fit == 1.0
    assert corrected(WHOLE.text.replace("北京", "南京").replace("经济", "精神")).fit > LEAST_FIT


@settings(deadline=None)
@given(
    st.lists(st.text(st.sampled_from("今天我们ab ，。é😀"), min_size=1, max_size=12), max_size=4),
    st.data(),
)
def test_what_stands_around_an_edit_keeps_its_times(texts: list[str], data: st.DataObject) -> None:
    whole = spoken(*filter(str.strip, texts), "今天")
    old = graphemes(whole.text)
    begin = data.draw(st.integers(0, len(old)))
    end = data.draw(st.integers(begin, len(old)))
    inserted = data.draw(st.text(st.sampled_from("今天你们bc。"), max_size=8))
    new = [*old[:begin], *inserted, *old[end:]]
    if not new:
        return
    found = corrected("".join(new), whole).transcript
    check(found)
    times, before = chars(found), chars(whole)
    head = common(old, new)
    tail = min(common(old[::-1], new[::-1]), len(old) - head, len(new) - head)
    assert head >= begin
    assert times[:head] == before[:head]
    assert times[len(times) - tail :] == before[len(before) - tail :]
    assert plain(found.text) == "".join(new)
    assert plain(join_texts(one.text for one in found.segments)) == "".join(new)


def common(one: list[str], other: list[str]) -> int:
    """Length of the common beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def plain(text: str) -> str:
    return "".join(text.split())


@settings(deadline=None)
@given(st.text(st.sampled_from("今天我们在ab12 \n，。%"), max_size=60))
def test_any_text_gets_times_in_order(text: str) -> None:
    lines = lines_of(text)
    if lines:
        found = realign(WHOLE, lines).transcript
        check(found)
        assert plain(found.text) == plain(text)
        assert render("srt", found) is not None


def test_what_was_written_is_read_back() -> None:
    whole = transcript(segment("你好，world。", start=0.123456))
    once = from_json(to_json(whole), "a.json")
    assert to_json(once) == to_json(whole)
    assert from_json(to_json(once, compact=True), "a.json") == once


def test_fields_of_a_later_program_are_left_out_and_absent_ones_have_their_default() -> None:
    value = json.loads(to_json(WHOLE))
    value["later"] = value["segments"][0]["later"] = {"a": 1}
    del value["segments"][0]["replacements"], value["warnings"]
    assert from_json(json.dumps(value), "a.json").segments[0].replacements == ()
