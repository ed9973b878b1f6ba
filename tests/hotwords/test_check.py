import time
import timeit
from pathlib import Path

import pytest

from funasr_cli.bench.word_lists import word_list
from funasr_cli.hotwords import HotwordIndex
from funasr_cli.hotwords.check import MANY_WORDS, Finding, check
from funasr_cli.hotwords.phonemes import sound_out
from funasr_cli.hotwords.search import search
from funasr_cli.hotwords.wordlist import Entry, read_entries


def entries(*words: str) -> list[Entry]:
    return [Entry(f"line {number}", word) for number, word in enumerate(words, 1)]


def kinds(*words: str) -> dict[str, tuple[str, ...]]:
    return {finding.kind: finding.words for finding in check(entries(*words))}


def test_a_good_list_needs_no_words() -> None:
    assert check(entries("张立群", "呼和浩特", "DeepSeek", "GPT-4")) == ()
    assert check([]) == ()


def test_homophones_are_one_finding() -> None:
    (found,) = check(entries("张立群", "诸葛亮", "章丽裙", "张力群"))
    assert (found.kind, found.words) == ("same sound", ("张立群", "章丽裙", "张力群"))
    assert found.where == ("line 1", "line 3", "line 4")


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("陈志红", "程志红", "near sound"),
        ("诸葛亮", "诸葛两", "near sound"),
        ("银行", "吟航", "same sound"),  # one of the readings of 行
        ("DeepSeek", "deep sick", "same sound"),
        ("GPT-4", "gpt四", "same sound"),
    ],
)
def test_what_sounds_alike_is_found(one: str, other: str, kind: str) -> None:
    assert kinds(one, other) == {kind: (one, other)}


def test_a_spoken_form_counts_as_its_word() -> None:
    held = [Entry("line 1", "DeepSeek", ("迪普西克",)), Entry("line 2", "迪普西克")]
    (found,) = check(held)
    assert (found.kind, found.words) == ("same sound", ("DeepSeek", "迪普西克"))
    assert check([Entry("line 1", "DeepSeek", ("迪普西克", "deep sick"))]) == ()


def test_nothing_that_sounds_alike_is_missed_in_a_long_list() -> None:
    """Beside the search of every word on its own; the check searches many at a time."""
    names = [f"{a}{b}{c}" for a in "张章李黎陈程" for b in "立力明敏志" for c in "红宏群洪军"]
    index = HotwordIndex.build(names)
    alone = set()
    for name in names:
        sounds = sound_out(name)
        for match in search(index, sounds, 0.6):
            whole = (match.first, match.last) == (0, len(sounds))
            if whole and match.similarity == 1 and index.words[match.word] != name:
                alone.add(frozenset((name, index.words[match.word])))
    found = [f for f in check(entries(*names)) if f.kind == "same sound"]
    together = {frozenset((a, b)) for f in found for a in f.words for b in f.words if a != b}
    assert together == alone
    assert len(alone) > 100


def test_duplicates_name_all_their_lines() -> None:
    (found,) = check(entries("张立群", "诸葛亮", "张立群"))
    assert found == Finding("duplicate", ("张立群",), ("line 1", "line 3"), "stands there 2 times")


def test_a_spoken_form_of_two_words_is_told() -> None:
    held = [Entry("line 1", "张三丰", ("老张",)), Entry("line 2", "张飞虎", ("老张",))]
    found = next(f for f in check(held) if f.kind == "duplicate")
    assert found.words == ("张三丰", "张飞虎")
    assert "老张" in found.text


def test_short_and_silent_words() -> None:
    found = kinds("心", "北京", "……", "百" * 100)
    assert found == {"short": ("心",), "silent": ("……", "百" * 100)}
    assert kinds("心") == {"short": ("心",)}
    assert check([Entry("line 1", "心", ("心脏科室",))]) == ()


def test_two_characters_are_told_of_in_long_lists_alone() -> None:
    words = [f"第{n}号文件柜" for n in range(MANY_WORDS)]
    found = [f for f in check(entries(*words, "北京")) if f.kind == "short"]
    assert [f.words for f in found] == [("北京",)]
    assert "北京" not in kinds(*words[:100], "北京").get("short", ())


def test_every_unreadable_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "名单.txt"
    path.write_bytes(
        "张三丰\n\udcff\udcff\n<|im_end|>\n老张 =\n诸葛亮 ^2\n".encode("utf-8", "surrogateescape")
    )
    reading = read_entries(str(path))
    found = check(reading.entries, reading.problems)
    errors = [finding for finding in found if finding.is_error]
    assert [error.where for error in errors] == [(f"{path}, line {n}",) for n in (2, 3, 4)]
    assert [finding.kind for finding in found if not finding.is_error] == ["weight"]
    assert reading.entries[-1] == Entry(f"{path}, line 5", "诸葛亮", (), weighted=True)


def test_ten_thousand_words_are_checked_in_time() -> None:
    """Seconds; the bound only catches a check that compares every pair, which takes minutes."""
    held = entries(*word_list(10_000, 3))
    assert timeit.timeit(lambda: check(held), timer=time.process_time, number=1) < 40
