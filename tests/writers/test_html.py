import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spoken import said

from funasr_cli.results import Notice, Transcript
from funasr_cli.writers import render
from funasr_cli.writers.html import to_html
from funasr_cli.writers.page.sound import EMBED_BYTES, sound_url
from funasr_cli.writers.page.words import paragraphs

EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&amp;{{script}}<!--'


def block(page: str, name: str) -> dict[str, object]:
    found = re.search(rf'<script type="[a-z/]+" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def words(transcript: Transcript) -> list[str]:
    return [word.text for p in paragraphs(transcript) for word in p if word.chars]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天好。", ["今", "天", "好"]),
        ("GPT-4 costs 3.5%, it's OK.", ["GPT-4", "costs", "3.5%", "it's", "OK"]),
        ("用Python写，5月3日。", ["用", "Python", "写", "5", "月", "3", "日"]),
        ("مرحبا بالعالم،", ["مرحبا", "بالعالم"]),
        ("한국어 말", ["한", "국", "어", "말"]),
        ("Well... no", ["Well", "no"]),
    ],
)
def test_what_lights_up_on_its_own(text: str, expected: list[str]) -> None:
    assert words(said(text)) == expected


@given(st.lists(st.text("你好ab 5，.%-'。é\u0301", max_size=30), max_size=4))
def test_paragraphs_lose_nothing(texts: list[str]) -> None:
    transcript = said(*(text.strip() for text in texts), step=2.0)
    joined = "".join(word.text for p in paragraphs(transcript) for word in p)
    assert joined.split() == transcript.text.split()


def test_a_paragraph_ends_with_a_sentence_when_it_is_long_or_after_a_pause() -> None:
    long = said("今天我们在北京，" * 11 + "讨论。" + "然后吃饭。", step=0.2)
    assert [p[0].text + p[1].text for p in paragraphs(long)] == ["今天", "然后"]
    assert len(paragraphs(said("你好。再见。"))) == 1
    first, second = said("你好。", "再见。").segments
    later = tuple(replace(c, start=c.start + 2, end=c.end + 2) for c in second.chars)
    apart = replace(said("你好。", "再见。"), segments=(first, replace(second, chars=later)))
    assert len(paragraphs(apart)) == 2


def test_one_row_of_times_for_each_word() -> None:
    page = to_html(said("我们 like it。", "好。"))
    assert block(page, "data")["times"] == [
        [0, 250], [250, 500], [500, 750, 1000, 1250, 1500], [1500, 1750, 2000], [2000, 2250],
    ]  # fmt: skip
    assert page.count("<span>") - page.count("<span></span>") >= 5


def test_doubtful_words_are_marked_with_their_number() -> None:
    page = to_html(said("今天很好。", doubts={"天": 0.6, "很": 0.1}))
    assert '<span>今</span><span class="doubt1" title="60%">天</span>' in page
    assert '<span class="doubt2" title="10%">很</span><span>好</span>。' in page
    assert '<p class="legend">' in page
    assert '<p class="legend" hidden>' in to_html(said("好。"))


def test_the_other_formats_are_those_of_their_writers() -> None:
    transcript = said(EVIL, "你好。")
    files = block(to_html(transcript), "files")
    assert files == {kind: render(kind, transcript) for kind in ("txt", "srt", "vtt", "json")}
    assert {"txt", "srt", "json"} <= files.keys()


def test_nothing_of_a_transcript_is_read_as_html() -> None:
    transcript = said(EVIL, path=f"{EVIL.replace('/', '')}.wav")
    transcript = replace(transcript, warnings=(Notice("x", EVIL),))
    page = to_html(transcript)
    assert page.count("<script") == page.count("</script") == 3
    assert "<img" not in page
    assert 'onerror="' not in page
    text = page[page.index("<article") : page.index("</article>")]
    assert "".join(unescape(re.sub(r"<button.*?</button>|<[^>]+>", "", text)).split()) == (
        "".join(EVIL.split())
    )


def test_the_policy_names_exactly_the_page_s_own_script_and_style() -> None:
    page = to_html(said("你好。"))
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"https?:|url\(|@import|fetch\(", page)


def test_small_sound_is_inside_large_sound_is_linked(tmp_path: Path) -> None:
    small = tmp_path / "小 #1?.wav"
    small.write_bytes(b"RIFF")
    assert sound_url(str(small), tmp_path) == "data:audio/wav;base64,UklGRg=="
    large = tmp_path / "大 #1?: 50%.mp4"
    large.touch()
    with large.open("r+b") as file:
        file.truncate(EMBED_BYTES + 1)  # sparse: takes no room
    assert sound_url(str(large), tmp_path) == "./%E5%A4%A7%20%231%3F%3A%2050%25.mp4"
    assert sound_url(str(large), tmp_path / "out" / "x").startswith("./../../%E5")
    with large.open("r+b") as file:
        file.truncate(EMBED_BYTES)
    assert sound_url(str(large), tmp_path).startswith("data:video/mp4;base64,AAAA")


def test_what_no_browser_plays_is_linked_and_a_stream_asked_for(tmp_path: Path) -> None:
    other = tmp_path / "a.amr"
    other.touch()
    assert sound_url(str(other), tmp_path) == "./a.amr"
    for name in ("<stdin>", "", str(tmp_path), "a\0b", str(tmp_path / "gone.wav")):
        assert not sound_url(name, tmp_path)
    assert '<video id="media" preload="auto" playsinline></video>' in to_html(said("好"))


@pytest.mark.parametrize(
    ("text", "asked", "code"),
    [
        ("你好", None, "zh-Hans"), ("はい、今日", None, "ja"), ("네", None, "ko"),
        ("Hello", None, ""), ("Hello", "英文", "en"), ("你好", "粤语", "yue"),
    ],
)  # fmt: skip
def test_the_language_of_the_text(text: str, asked: str | None, code: str) -> None:
    assert f'<article id="text" lang="{code}">' in to_html(replace(said(text), language=asked))


def test_no_speech_is_a_page_too() -> None:
    page = to_html(said())
    assert block(page, "data")["times"] == []
