"""The Chinese catalogue: complete, without leftovers, and what is made of messages with it."""

import ast
import re
from pathlib import Path

import pytest
from make_catalogue import PO, main
from shown_texts import File, shown_texts

from funasr_cli.cli.help_pages import display_width, wrap
from funasr_cli.cli.messages import ui_language
from funasr_cli.cli.messages.catalogue import Catalogue, read_po

ENTRIES = read_po(PO.read_text(encoding="utf-8"))
CHINESE = Catalogue(ENTRIES)
HAN = "[\u3400-\u9fff]"
PLACE = re.compile(r"\{(\d*)\}")


def test_nothing_is_missing_and_nothing_is_left_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0, "run tests/make_catalogue.py and fill in zh.po"
    assert capsys.readouterr().out == ""
    assert set(ENTRIES) == set(shown_texts())


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise InputError(f"{name}: no such file")', {"{}: no such file"}),
        ('sink.note(f"wrote {path}")', {"wrote {}"}),
        ('say("is cut off: " f"unpack {path} again")', {"is cut off: unpack {} again"}),
        ('x = f"{a} left" if a else "nothing is left"', {"{} left", "nothing is left"}),
        ("say(f\"the list {'is long' if n else 'is short'}\")", {"the list is long", *()}),
        ('f = lambda: "two words" + (f", {n} more" if n else "")', {"two words, {} more"}),
        ('if "two words" in text: pass', set()),
        ('text.startswith("two words")', set()),
        ('"""A docstring of many words."""', set()),
        ('x: "dict[str, int]" = {}', set()),
        ('show_table(sink, ("finding", "words"), rows)', {"finding", "words"}),
        ('f"{error}: {hint}"', set()),
    ],
)
def test_texts_are_found_in_the_source(source: str, texts: set[str]) -> None:
    found = {text for text, _ in File(ast.parse(source)).texts()}
    assert texts <= found
    assert bool(texts) == bool(found)


def test_a_name_that_is_made_of_itself_is_no_endless_text() -> None:
    source = 'def f(text):\n text = f"{text} and again" if text else "never at all"\n say(text)'
    found = {text for text, _ in File(ast.parse(source)).texts()}
    assert found == {"{} and again", "never at all"}


def test_a_local_name_with_two_values_gives_two_texts() -> None:
    source = 'def f(n):\n kind = "with" if n else "without"\n return f"{n}, {kind} the list"'
    found = [text for text, _ in File(ast.parse(source)).texts()]
    assert found == ["{}, with the list", "{}, without the list"]


@pytest.mark.parametrize("msgid", ENTRIES)
def test_every_entry_translates_its_own_message(msgid: str) -> None:
    """No other template takes it, all that was filled in comes over, and nothing twice."""
    parts = [f"v{number}" for number in range(msgid.count("{}"))]
    order = iter(parts)
    message = PLACE.sub(lambda _: next(order), msgid)
    result = CHINESE.word(message)
    for part in parts:
        assert result.count(part) == 1, result
    places = iter(range(len(parts)))
    expected = PLACE.sub(
        lambda place: parts[int(place[1]) if place[1] else next(places)], ENTRIES[msgid]
    )
    assert re.sub(" ", "", result) == re.sub(" ", "", expected)


def test_chinese_is_set_as_chinese() -> None:
    """Full-width marks, and a space between Chinese and Latin."""
    wrong = re.compile(
        rf"{HAN}[A-Za-z0-9`$]|[A-Za-z0-9`%]{HAN}|{HAN}[,;:.!?(]|[,;:!?)]{HAN}"
        r"| [，。；：！？、（）]|[，。；：！？、（）] "
    )
    excused = {"no sound that is known (or too long): never found; write `spoken = written`"}
    found = [msgid for msgid, text in ENTRIES.items() if wrong.search(text)]
    assert set(found) == excused


@pytest.mark.parametrize(
    ("message", "chinese"),
    [
        ("会 议.mp3: no such file", "会 议.mp3：文件不存在"),
        (
            "a.wav: no such file; b.wav: is empty (0 bytes)",
            "a.wav：文件不存在；b.wav：文件为空（0 字节）",
        ),
        ("C:\\talks\\a: b.wav: has no audio stream", "C:\\talks\\a: b.wav：没有音频流"),
        # what stands in a placeholder is a message of its own
        (
            "b.txt: cannot be read (Permission denied); the hotwords that were read before stay",
            "b.txt：无法读取（权限不足）；继续使用之前读入的热词",
        ),
        (
            "model.x is 0, not a whole number above 1, or null",
            "model.x 为 0，应为大于 1 的整数，或 null",
        ),
        # the name of a file, a space, what is wrong
        ("/home/x.zip is empty: download it again", "/home/x.zip 是空文件：请重新下载"),
        # parts in another order
        ("2 of 3 inputs failed", "3 个输入中有 2 个失败"),
        (
            "segment 4: the LLM repeated itself; the repetition was cut",
            "片段 4：LLM 陷入重复；已去掉重复部分",
        ),
        (
            "hotword_threshold (--hotword-threshold) is 3.0; expected 0 to 1",
            "hotword_threshold（--hotword-threshold）为 3.0；应为 0 到 1",
        ),
        # unknown: as it is, to the last space
        ("ggml: some (of others): nobody; them.  ", "ggml: some (of others): nobody; them.  "),
        ("", ""),
        ("no", "no"),
    ],
)
def test_messages(message: str, chinese: str) -> None:
    assert CHINESE.translate(message) == chinese


def test_a_long_log_is_left_alone_quickly() -> None:
    log = "llama: a, b; c: d (e). " * 400
    assert CHINESE.translate(log) == log


def test_po_files_are_read_as_gettext_reads_them() -> None:
    text = (
        '# note\nmsgid ""\nmsgstr "head"\n\n#: a.py\nmsgid "a \\"b\\" "\n"c\\n"\nmsgstr "d\\\\"\n'
    )
    assert read_po(text) == {'a "b" c\n': "d\\"}


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "zh_CN.UTF-8", "FUNASR_LANG": "en"}, "en"),
        ({"LC_ALL": "C", "FUNASR_LANG": "zh"}, "zh"),
        ({"FUNASR_LANG": "中文"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
        ({"FUNASR_LANG": "fr", "LANG": "zh_CN"}, "en"),
    ],
)
def test_the_language_follows_the_environment(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("FUNASR_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ui_language() == language


def test_lines_are_broken_by_width_and_never_before_a_mark() -> None:
    text = "把录音转成文字（离线），支持 llama.cpp 和 ONNX；不需要网络。"
    for width in range(10, 70):
        lines = wrap(text, width)
        assert re.sub(" ", "", "".join(lines)) == re.sub(" ", "", text)
        assert all(display_width(line) <= width for line in lines)
        assert not any(line[0] in "，。；（" and line[0] != "（" for line in lines)
        assert not any(line[-1] == "（" for line in lines)
    assert wrap("很长的说明", 6, "[默认：1]") == ["很长的", "说明", "[默认：1]"]


def test_the_command_fills_in_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import make_catalogue

    old = PO.read_text(encoding="utf-8")
    gone = '\nmsgid "nobody says this any more"\nmsgstr "没人再说"\n'
    file = tmp_path / "zh.po"
    lacking = re.sub(r"\n(#.*\n)*msgid \"wrote \{\}\"\nmsgstr .*\n", "", old)
    assert lacking != old
    file.write_text(lacking + gone, encoding="utf-8")
    monkeypatch.setattr(make_catalogue, "PO", file)
    assert main([]) == 1
    new = read_po(file.read_text(encoding="utf-8"))
    assert new == {**ENTRIES, "wrote {}": ""}
    lent = tmp_path / "lent.po"
    lent.write_text('msgid "wrote {}"\nmsgstr "写好了 {}"\n', encoding="utf-8")
    assert main([str(lent)]) == 0
    assert read_po(file.read_text(encoding="utf-8"))["wrote {}"] == "写好了 {}"
