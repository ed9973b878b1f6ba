"""SRT, VTT and ASS, read back by parsers that we did not write."""

import html
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pysubs2
import pytest
import srt
import webvtt
from hypothesis import given
from hypothesis import strategies as st
from transcripts import EVIL, ffmpeg, letters, segment, spoken, transcript

from funasr_cli.captions import Cue
from funasr_cli.results import Transcript
from funasr_cli.writers import spoken as module
from funasr_cli.writers import write_text
from funasr_cli.writers.ass import HEADER, to_ass
from funasr_cli.writers.spoken import lines
from funasr_cli.writers.srt import to_srt
from funasr_cli.writers.vtt import to_vtt

WHOLE = spoken(*EVIL)
LOOKALIKES = str.maketrans("＜＞｛｝＼：", "<>{}\\:")
KARAOKE = re.compile(r"\{\\k(\d+)\}")


def expected(whole: Transcript) -> list[tuple[int, int, str]]:
    return [
        (round(line.start * 1000), round(line.end * 1000), "\n".join(line.rows))
        for line in lines(whole)
    ]


def bare(text: str) -> str:
    return text.translate(LOOKALIKES).replace("-->", "->")


def test_srt_is_what_the_srt_package_reads() -> None:
    subtitles = list(srt.parse(to_srt(WHOLE)))
    assert to_srt(WHOLE).count("-->") == len(subtitles)
    assert [s.index for s in subtitles] == list(range(1, len(subtitles) + 1))
    read = [
        (round(s.start.total_seconds() * 1000), round(s.end.total_seconds() * 1000), s.content)
        for s in subtitles
    ]
    assert [(a, b, bare(t)) for a, b, t in read] == [(a, b, bare(t)) for a, b, t in expected(WHOLE)]


def test_nothing_in_an_srt_is_read_as_a_tag(tmp_path: Path) -> None:
    events = pysubs2.SSAFile.from_string(to_srt(WHOLE), format_="srt").events
    # pysubs2 turns <b> into {\b1}, and takes {...} out of the plain text
    assert [bare(e.plaintext) for e in events] == [bare(t) for _, _, t in expected(WHOLE)]
    write_text(tmp_path / "a.srt", to_srt(WHOLE))
    assert [bare(t) for _, _, t in ffmpeg(str(tmp_path / "a.srt"))] == [
        bare(t) for _, _, t in expected(WHOLE)
    ]


def test_vtt_is_what_webvtt_reads() -> None:
    captions = webvtt.from_string(to_vtt(WHOLE)).captions
    read = [
        (round(c.start_in_seconds * 1000), round(c.end_in_seconds * 1000), html.unescape(c.text))
        for c in captions
    ]
    wanted = [(a // 1000, b // 1000, t) for a, b, t in expected(WHOLE)]
    assert [(a // 1000, b // 1000, t) for a, b, t in read] == wanted
    assert [c.start for c in captions][:1] == ["00:00:00.500"]


def test_vtt_is_what_pysubs2_and_ffmpeg_read(tmp_path: Path) -> None:
    # pysubs2 takes any row with two times for the beginning of a cue, which the format does not
    strict = spoken(*(text for text in EVIL if len(re.findall(r"\d:\d", text)) < 2))
    events = pysubs2.SSAFile.from_string(to_vtt(strict), format_="vtt").events
    assert [(e.start, e.end) for e in events] == [(a, b) for a, b, _ in expected(strict)]
    write_text(tmp_path / "a.vtt", to_vtt(WHOLE))
    read = [(round(a * 1000), round(b * 1000), t) for a, b, t in ffmpeg(str(tmp_path / "a.vtt"))]
    assert [(a, b, html.unescape(t)) for a, b, t in read] == expected(WHOLE)


def test_ass_is_what_pysubs2_and_ffmpeg_read(tmp_path: Path) -> None:
    file = pysubs2.SSAFile.from_string(to_ass(WHOLE), format_="ass")
    assert file.info["ScriptType"] == "v4.00+"
    assert [bare(e.plaintext) for e in file] == [bare(t) for _, _, t in expected(WHOLE)]
    for event, (start, end, _) in zip(file, expected(WHOLE), strict=True):
        assert abs(event.start - start) <= 5
        assert abs(event.end - end) <= 5
    assert all(a.end <= b.start for a, b in pairwise(file))
    write_text(tmp_path / "a.ass", to_ass(WHOLE))
    assert [a for a, _, _ in ffmpeg(str(tmp_path / "a.ass"))] == [e.start / 1000 for e in file]


def test_ass_lights_each_character_at_its_time() -> None:
    """No rounding adds up: every syllable begins within a hundredth of its character."""
    whole = spoken("今天我们在北京讨论经济问题，会议开始。", step=0.1234)
    (segment,) = whole.segments
    starts = [c.start for c in segment.chars if c.text not in "，。"]
    found = [
        begin
        for event in pysubs2.SSAFile.from_string(to_ass(whole), format_="ass")
        for begin in _beginnings(event.text, event.start / 1000)
    ]
    assert found == pytest.approx(starts, abs=0.011)


def test_a_pause_inside_a_cue_lights_nothing() -> None:
    one = segment("你们好吗")
    chars = [replace(c, start=c.start + 0.4 * (i > 1), end=c.end + 0.4 * (i > 1))
             for i, c in enumerate(one.chars)]  # fmt: skip
    (event,) = pysubs2.SSAFile.from_string(to_ass(transcript(replace(one, chars=tuple(chars)))))
    assert event.text == r"{\k25}你{\k25}们{\k40}{\k25}好{\k25}吗"


def _beginnings(text: str, at: float) -> list[float]:
    begins: list[float] = []
    for length, shown in re.findall(r"\{\\k(\d+)\}([^{]*)", text):
        if shown:
            begins.append(at)
        at += int(length) / 100
    return begins


@given(st.text(max_size=60), st.floats(0.0, 1.0), st.booleans())
def test_karaoke_stays_in_its_cue(text: str, step: float, timed: bool) -> None:
    whole = spoken(text, text, step=step, timed=timed)
    file = pysubs2.SSAFile.from_string(to_ass(whole), format_="ass")
    assert [e.start for e in file] == [round(line.start * 100) * 10 for line in lines(whole)]
    for event in file:
        assert sum(map(int, KARAOKE.findall(event.text))) * 10 <= event.duration
        assert letters(bare(event.plaintext)) in letters(bare(text + text))


@given(st.lists(st.text(max_size=60), max_size=3), st.floats(0.0, 3000.0))
def test_any_text_stays_one_cue_each(found: list[str], pause: float) -> None:
    whole = spoken(*found, pause=pause)
    count = len(lines(whole))
    assert len(list(srt.parse(to_srt(whole)))) == count
    assert len(webvtt.from_string(to_vtt(whole)).captions) == count


def test_two_rows_stay_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cues", lambda _segments, **_look: [Cue(0.0, 9.0, "今天\n\n我们")])
    whole = spoken("今天我们")
    assert next(iter(srt.parse(to_srt(whole)))).content == "今天\n我们"
    assert webvtt.from_string(to_vtt(whole)).captions[0].lines == ["今天", "我们"]
    assert pysubs2.SSAFile.from_string(to_ass(whole))[0].plaintext == "今天\n我们"


@pytest.mark.parametrize("whole", [transcript(), spoken(""), spoken(" \n")])
def test_nothing_said_is_a_file_without_cues(whole: Transcript) -> None:
    assert to_srt(whole) == ""
    assert to_vtt(whole) == "WEBVTT\n"
    assert to_ass(whole) == HEADER
    assert not webvtt.from_string(to_vtt(whole)).captions
    assert not pysubs2.SSAFile.from_string(to_ass(whole)).events


def test_times_beyond_hours_and_just_below_a_minute() -> None:
    whole = spoken("好。", pause=3599.9996)
    assert "\n01:00:00,000 --> " in to_srt(whole)
    assert "\n01:00:00.000 --> " in to_vtt(whole)
    assert "Dialogue: 0,1:00:00.00," in to_ass(whole)
    assert "\n100:00:00,500 --> " in to_srt(spoken("好。", pause=360_000.5))
