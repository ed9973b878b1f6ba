"""`funasr hotwords` and the options about hotwords as a user meets them."""

import json
from pathlib import Path

from test_cli import ROOT, funasr, one_line


def listed(folder: Path, *lines: str, name: str = "名单.txt") -> str:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return name


def test_check_of_a_list_with_bad_lines(tmp_path: Path) -> None:
    name = listed(tmp_path, "张立群", "<|im_end|>", "章丽裙", "老张 =")
    result = funasr("hotwords", "check", name, cwd=tmp_path)
    assert result.returncode == 4
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == ["finding", "unreadable", "unreadable", "same sound"]
    assert [line[2] for line in lines[1:]] == [
        "名单.txt, line 2", "名单.txt, line 4", "名单.txt, line 1; 3",
    ]  # fmt: skip
    assert "words: 2; unreadable: 2, same sound: 1" in result.stderr


def test_advice_alone_is_no_error(tmp_path: Path) -> None:
    name = listed(tmp_path, "张立群", "张立群 ^2.0", "心")
    result = funasr("hotwords", "check", name, "北京", "--json", cwd=tmp_path)
    assert result.returncode == 0
    assert result.stderr == ""
    report = json.loads(result.stdout)
    assert (report["words"], report["aliases"]) == (3, 0)
    assert [finding["kind"] for finding in report["findings"]] == ["duplicate", "short", "weight"]
    fine = funasr("hotwords", "check", "北京,上海")
    assert (fine.returncode, fine.stdout) == (0, "")
    assert "nothing to say" in fine.stderr


def test_a_list_that_is_missing_is_one_line() -> None:
    assert "no such hotword file" in one_line(funasr("hotwords", "check", "no.txt"), 4)


SAMPLE = ROOT / "samples" / "zh-02.mp3"
"""It says 李夏 and 吴再娜."""


def test_replacements_and_hits_stand_in_the_json() -> None:
    options = ("--hotwords", "黎下,吴再娜", "--hotword-replace", "0.85", "--json", "-q")
    result = funasr("transcribe", SAMPLE, *options)
    assert result.returncode == 0, result.stderr
    first, second = json.loads(result.stdout)["segments"]
    (one,) = first["replacements"]
    assert one["to"] == "黎下"
    assert "黎下先生" in first["text"]
    assert one["from"] not in first["text"]
    (hit,) = (hit for hit in first["hotwords"] if hit["start"] is not None)
    assert (hit["word"], hit["in_prompt"], hit["in_text"]) == ("黎下", True, True)
    assert (one["start"], one["end"]) == (hit["start"], hit["end"])
    assert "".join(char["text"] for char in first["chars"]) == first["text"].replace(" ", "")
    assert second["replacements"] == []


def test_replacing_needs_recall() -> None:
    options = ("--hotwords", "黎下", "--hotword-replace", "0.85", "--no-hotword-recall")
    assert "needs recall" in one_line(funasr("transcribe", SAMPLE, *options), 2)
