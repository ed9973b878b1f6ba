"""LRC and enhanced LRC, the first read back by FFmpeg."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transcripts import EVIL, ffmpeg, letters, segment, spoken, transcript

from funasr_cli.captions import Cue
from funasr_cli.writers import spoken as module
from funasr_cli.writers import write_text
from funasr_cli.writers.lrc import to_elrc, to_lrc
from funasr_cli.writers.spoken import lines

TAG = re.compile(r"<(\d\d+):(\d\d\.\d\d)>")


def seconds(minutes: str, rest: str) -> float:
    return int(minutes) * 60 + float(rest)


def test_lrc_is_what_ffmpeg_reads(tmp_path: Path) -> None:
    whole = spoken(*EVIL, "[方括号]开头。", "[ 半个括号。")
    write_text(tmp_path / "a.lrc", to_lrc(whole))
    read = [(start, text) for start, _, text in ffmpeg(str(tmp_path / "a.lrc"))]
    lookalikes = str.maketrans("＜＞［］", "<>[]")
    wanted = [(round(line.start, 2), line.text.strip()) for line in lines(whole)]
    texts = [text.rstrip("\n").translate(lookalikes) for _, text in read if text.strip()]
    assert texts == [text for _, text in wanted]
    assert [start for start, text in read if text.strip()] == pytest.approx(
        [start for start, _ in wanted], abs=0.006
    )


def test_lrc() -> None:
    whole = spoken("今天很好。", "Yes, indeed.", pause=3.0)
    assert to_lrc(whole).splitlines() == [
        "[length:00:10.00]",
        "[re:funasr-cli]",
        "[00:03.00]今天很好。",
        "[00:04.25]",
        "[00:07.25]Yes, indeed.",
        "[00:10.00]",
    ]


def test_elrc_times_each_word_or_character() -> None:
    whole = spoken("都很好。", "Yes, indeed.", step=0.5, pause=3.0)
    assert to_elrc(whole).splitlines()[2:] == [
        "[00:03.00]<00:03.00>都<00:03.50>很<00:04.00>好。<00:04.50>",
        "[00:05.00]",
        "[00:08.00]<00:08.00>Yes, <00:10.00>indeed.<00:13.00>",
        "[00:13.50]",
    ]


@given(st.text(max_size=60), st.floats(0.0, 400.0))
def test_elrc_times_never_go_back(text: str, pause: float) -> None:
    for row in to_elrc(spoken(text, text, pause=pause)).splitlines()[2:]:
        times = [seconds(*found) for found in TAG.findall(row)]
        assert times == sorted(times)
        assert letters(re.sub(r"^\[[\d:.]+\]", "", TAG.sub("", row))) in letters(text + text)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("好[00:01.00]吗", "好［00:01.00］吗"),
        ("[ti:x]好<00:02.00>", "［ti:x］好＜00:02.00＞"),
        ("a < b [c]", "a < b [c]"),
    ],
)
def test_what_looks_like_a_tag_is_none(said: str, text: str) -> None:
    whole = spoken(said, timed=False)
    assert f"]{text}\n" in to_lrc(whole)
    assert f"]{text}\n" in to_elrc(whole)


def test_a_cue_that_begins_after_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captions may show a cue later, where the one before needs its time."""
    monkeypatch.setattr(module, "cues", lambda _segments, **_look: [Cue(0.3, 2.0, "你好")])
    assert "[00:00.30]<00:00.30>你<00:00.30>好<00:00.50>\n" in to_elrc(transcript(segment("你好")))


def test_lrc_counts_minutes_beyond_the_hour(tmp_path: Path) -> None:
    whole = spoken("好。", pause=7384.5)
    assert "[123:04.50]好。\n" in to_lrc(whole)
    write_text(tmp_path / "a.lrc", to_lrc(whole))
    assert ffmpeg(str(tmp_path / "a.lrc"))[0][0] == 7384.5


def test_segments_without_times_and_no_segments() -> None:
    bare = spoken("没有时间。", timed=False)
    assert to_elrc(bare) == to_lrc(bare)
    assert to_lrc(transcript()) == "[length:00:01.00]\n[re:funasr-cli]\n"
