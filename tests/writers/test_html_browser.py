"""The page as a reader meets it, in headless Chromium."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from browser import Browser, chromium, find_browser
from sounds import tone, write_sound
from spoken import said

from funasr_cli.results import Transcript
from funasr_cli.writers import render, write_text
from funasr_cli.writers.page import sound

PROGRAM = find_browser()
pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not hasattr(os, "posix_spawn"), reason="needs posix_spawn"),
]
EVIL = '</script><script>window.bad=1</script><img src=x onerror="window.bad=1">'
TEXT = ("今天我们在北京讨论经济问题。", "GPT-4 is new，明天再说！")
STEP_S = 0.25
MEDIA = "document.getElementById('media')"
LIT = "document.querySelector('.lit')?.textContent"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM
    with chromium(PROGRAM, tmp_path_factory.mktemp("profile"), "--lang=en-US") as found:
        yield found


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_sound(tmp_path / "录音 1.wav", tone(8.0), codec="pcm_s16le")


def show(browser: Browser, transcript: Transcript, folder: Path, *, sound: bool = True) -> None:
    page = folder / "page.html"
    write_text(page, render("html", transcript, folder=folder))
    browser.go(page.as_uri())
    if sound:
        browser.wait(f"{MEDIA}.readyState > 1")


def now(browser: Browser) -> float:
    return float(browser.run(f"{MEDIA}.currentTime"))


def word(text: str) -> str:
    return f"[...document.querySelectorAll('#text span')].find(s => s.textContent === '{text}')"


def test_each_character_is_lit_at_its_time(browser: Browser, recording: Path) -> None:
    transcript = said(*TEXT, path=recording, step=STEP_S)
    show(browser, transcript, recording.parent)
    assert browser.run(f"{MEDIA}.src").startswith("data:audio/wav;base64,")
    letters = [c for s in transcript.segments for c in s.chars if c.text.isalnum()]
    for char in letters[::2]:
        browser.run(f"{MEDIA}.currentTime = {char.start + STEP_S / 2}")
        browser.wait(f"!{MEDIA}.seeking && {LIT}?.includes('{char.text}')")
        assert browser.run("document.querySelectorAll('.lit').length") == 1
    browser.run(f"{MEDIA}.currentTime = 7.9")
    browser.wait(f"!{MEDIA}.seeking && !{LIT}")
    assert browser.console == []


def test_a_latin_word_fills_letter_by_letter(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording, step=STEP_S), recording.parent)
    start = len("今天我们在北京讨论经济问题") * STEP_S
    for letters, said_share in ((1, "20%"), (2, "40%"), (4, "100%")):
        browser.run(f"{MEDIA}.currentTime = {start + (letters - 0.5) * STEP_S}")
        browser.wait(f"!{MEDIA}.seeking && {LIT} === 'GPT-4'")
        shown = browser.run("document.querySelector('.lit').style.getPropertyValue('--said')")
        assert shown == said_share


def test_playing_lights_what_is_heard(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording, step=STEP_S), recording.parent)
    browser.click("document.getElementById('play')")
    browser.wait(f"{MEDIA}.currentTime > 0.6")
    # both in one frame, as the page shows them
    pairs = browser.run(
        f"""new Promise(done => {{ const seen = []; const look = () => {{
        seen.push([{MEDIA}.currentTime, {LIT}]);
        seen.length < 30 ? requestAnimationFrame(look) : done(seen) }};
        requestAnimationFrame(look) }})"""
    )
    text = "今天我们在北京讨论经济问题"
    off = [abs(seconds / STEP_S - 0.5 - text.index(lit)) * STEP_S for seconds, lit in pairs]
    assert max(off) < STEP_S / 2 + 0.1, pairs  # within the character, but for a late frame
    browser.key(" ")
    browser.wait(f"{MEDIA}.paused")


def test_a_click_seeks_and_plays(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording, step=STEP_S), recording.parent)
    browser.click(word("京"))
    browser.wait(f"!{MEDIA}.paused && !{MEDIA}.seeking")
    assert 1.5 <= now(browser) < 1.5 + 1.0
    browser.click("document.getElementById('play')")
    browser.wait(f"{MEDIA}.paused")


def test_keys(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording, step=STEP_S), recording.parent)
    browser.key("ArrowRight")
    browser.wait(f"{MEDIA}.currentTime === 5")
    browser.key("ArrowLeft")
    browser.wait(f"{MEDIA}.currentTime === 0")
    browser.key(" ")
    browser.wait(f"!{MEDIA}.paused")
    browser.key(" ")
    browser.wait(f"{MEDIA}.paused")
    browser.key("/")
    assert browser.run("document.activeElement.id") == "query"
    browser.key("ArrowRight")  # moves the cursor in the field, not the sound
    browser.key(" ")
    assert browser.run(f"{MEDIA}.paused")
    assert browser.run("document.getElementById('query').value") == " "


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("经济", "经济"), ("问题GPT", "问题GPT-4"), ("题，gpt-4", "题GPT-4"), ("ＧＰＴ", "GPT-4"),
        ("is  new", "isnew"), ("new明天", "new明天"), ("没有", ""), ("gpt4 is", "GPT-4is"),
    ],
)  # fmt: skip
def test_search(browser: Browser, recording: Path, query: str, found: str) -> None:
    transcript = said("今天讨论经济问题，", "GPT-4 is new，明天再说！", path=recording, step=STEP_S)
    show(browser, transcript, recording.parent)
    browser.click("document.getElementById('query')")
    browser.type(query)
    browser.wait("document.getElementById('found').textContent")
    hits = "[...document.querySelectorAll('.hit')].map(s => s.textContent).join('')"
    assert browser.run(hits) == found
    if found:
        assert browser.run("document.getElementById('found').textContent") == "1 / 1"
        browser.key("Enter")
        browser.wait(f"!{MEDIA}.seeking && {LIT} && '{found}'.startsWith({LIT})")
        first = next(c for s in transcript.segments for c in s.chars if c.text == found[0])
        assert now(browser) == pytest.approx(first.start, abs=0.01)
    browser.key("Escape")
    browser.wait("!document.querySelector('.hit')")


def test_a_transcript_cannot_run_scripts(browser: Browser, tmp_path: Path) -> None:
    show(browser, said(EVIL, path=f"{EVIL.replace('/', '')}.wav"), tmp_path, sound=False)
    assert browser.run("window.bad") is None
    assert browser.run("document.images.length") == 0
    assert EVIL in browser.run("document.querySelector('#text p').textContent")
    # and if one got in, the policy would stop it
    browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"bad=1\">')")
    time.sleep(0.2)
    assert browser.run("window.bad") is None
    assert any("Content Security Policy" in line for line in browser.console)


def test_a_missing_recording_is_asked_for_and_taken(browser: Browser, recording: Path) -> None:
    elsewhere = recording.parent / "gone" / "录音.wav"
    show(browser, said(*TEXT, path=elsewhere), recording.parent, sound=False)
    source = "document.getElementById('source')"
    browser.wait(f"!{source}.hidden")
    browser.run(f"{word('京')}.click()")
    assert browser.run(LIT) == "京"  # the text works without the sound
    document = browser.send("DOM.getDocument")["root"]["nodeId"]
    node = browser.send("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
    browser.send("DOM.setFileInputFiles", nodeId=node, files=[str(recording)])
    browser.wait(f"{MEDIA}.readyState > 1 && {source}.hidden")
    assert browser.run(f"{MEDIA}.src").startswith("blob:")
    assert now(browser) == pytest.approx(1.5, abs=0.01)  # where the reader was


def test_a_linked_recording_plays(
    browser: Browser, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "EMBED_BYTES", 1000)
    folder = recording.parent / "out"
    folder.mkdir()
    show(browser, said(*TEXT, path=recording), folder)
    assert browser.run(f"{MEDIA}.getAttribute('src')").startswith("./../")
    assert browser.run(f"{MEDIA}.duration") == pytest.approx(8.0, abs=0.01)
    assert browser.console == []


def test_video_is_seen_and_sound_is_not(browser: Browser, recording: Path) -> None:
    film = recording.with_name("film.webm")
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(20):
            image = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8))
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    show(browser, said("你好。", path=film), film.parent)
    assert browser.run(f"getComputedStyle({MEDIA}).display") == "block"
    show(browser, said("你好。", path=recording), film.parent)
    assert browser.run(f"getComputedStyle({MEDIA}).display") == "none"


def test_downloads_are_what_the_writers_write(
    browser: Browser, recording: Path, tmp_path: Path
) -> None:
    transcript = said(*TEXT, EVIL, path=recording)
    show(browser, transcript, recording.parent)
    folder = tmp_path / "downloads"
    browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    for kind in ("txt", "srt", "json"):
        browser.click("document.querySelector('#downloads summary')")
        browser.wait("document.querySelector('#downloads button')")
        browser.click(f"document.querySelector('#downloads [data-kind={kind}]')")
        target = folder / f"录音 1.{kind}"
        deadline = time.monotonic() + 10
        while not target.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert target.read_text(encoding="utf-8") == render(kind, transcript)


def test_light_and_dark(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording), recording.parent)
    paper = "getComputedStyle(document.body).backgroundColor"
    colours = {}
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.send("Emulation.setEmulatedMedia", features=[feature])
        colours[scheme] = browser.run(paper)
    assert colours["light"] == "rgb(250, 248, 243)"
    assert colours["dark"] == "rgb(22, 24, 27)"
    browser.click("document.getElementById('theme')")
    assert browser.run(paper) == colours["light"]
    browser.run("localStorage.clear()")
    browser.send("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize(("language", "play"), [("zh-CN", "播放"), ("de-DE", "Play")])
def test_the_page_speaks_the_reader_s_language(
    browser: Browser, recording: Path, language: str, play: str
) -> None:
    browser.send("Emulation.setUserAgentOverride", userAgent="Chrome", acceptLanguage=language)
    show(browser, said(*TEXT, path=recording), recording.parent)
    assert browser.run("document.getElementById('play').getAttribute('aria-label')") == play


def test_everything_that_can_be_used_has_a_name(browser: Browser, recording: Path) -> None:
    show(browser, said(*TEXT, path=recording), recording.parent)
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    used = {"button", "slider", "searchbox", "combobox", "DisclosureTriangle"}
    controls = [n for n in nodes if not n["ignored"] and n["role"]["value"] in used]
    assert len(controls) >= 9
    assert [n for n in controls if not n["name"]["value"]] == []


def test_a_phone_scrolls_one_way(browser: Browser, recording: Path) -> None:
    size = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.send("Emulation.setDeviceMetricsOverride", **size)
    name = recording.rename(recording.with_name("x" * 120 + ".wav"))
    show(browser, said("很长" * 80, "Donaudampfschifffahrt" * 5, path=name), name.parent)
    assert browser.run("document.documentElement.scrollWidth") <= 360
    browser.send("Emulation.clearDeviceMetricsOverride")


def test_an_hour_costs_a_frame_what_a_minute_costs(browser: Browser, tmp_path: Path) -> None:
    """14,000 characters; what the page does in a second of playing must not grow with them."""
    recording = write_sound(tmp_path / "hour.wav", tone(60.0), codec="pcm_s16le")
    spent = {}
    for seconds in (60, 3600):
        texts = ["今天我们在北京讨论经济问题。"] * (seconds * 25 // 78)
        transcript = said(*texts, path=recording, step=0.24)
        show(browser, replace(transcript, duration=float(seconds)), tmp_path)
        browser.click("document.getElementById('play')")
        browser.wait(f"{MEDIA}.currentTime > 0.5")
        before = costs(browser)
        browser.wait(f"{MEDIA}.currentTime > 2.5")
        spent[seconds] = (costs(browser) - before) / 2
    # measured on two shared cores: 5 ms of each second for the hour
    assert spent[3600] < 3 * spent[60] + 0.02, spent
    assert spent[3600] < 0.15, spent


def costs(browser: Browser) -> float:
    """Return the seconds spent on scripts, styles and layout so far."""
    metrics = browser.send("Performance.getMetrics")["metrics"]
    counted = {"ScriptDuration", "LayoutDuration", "RecalcStyleDuration"}
    return float(sum(m["value"] for m in metrics if m["name"] in counted))
