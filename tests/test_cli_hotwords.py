"""`funasr hotwords` and the options about hotwords as a user meets them."""

import json
from pathlib import Path

from test_cli import funasr, one_line

from funasr_cli.bench.word_lists import names


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
    report = json.loads(result.stdout)
    assert report["notes"] == ["北京: there is no such file; taken for a word"]
    assert result.stderr == ""
    shown = funasr("hotwords", "check", "北京")
    assert shown.stderr.startswith("warning: 北京: there is no such file; taken for a word")
    assert (report["words"], report["aliases"]) == (3, 0)
    assert [finding["kind"] for finding in report["findings"]] == ["duplicate", "short", "weight"]
    fine = funasr("hotwords", "check", "北京,上海")
    assert (fine.returncode, fine.stdout) == (0, "")
    assert "nothing to say" in fine.stderr


def test_a_list_that_is_missing_is_one_line() -> None:
    assert "no such hotword file" in one_line(funasr("hotwords", "check", "no.txt"), 4)


SAMPLE = Path(__file__).parents[1] / "samples" / "zh-02.mp3"
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


def test_both_texts_stand_side_by_side(tmp_path: Path) -> None:
    name = listed(tmp_path, "黎下", "吴再娜", "张三")
    result = funasr("hotwords", "test", name, SAMPLE, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    words, texts = result.stdout.split("\n\n")
    assert [line.split("\t")[0] for line in words.splitlines()] == ["word", "黎下", "吴再娜"]
    assert words.splitlines()[2].split("\t")[3:] == ["yes", "no", "yes", ""]
    rows = [line.split("\t") for line in texts.splitlines()]
    assert rows[0] == ["from", "without the list", "with the list"]
    assert "吴再娜" in rows[2][2]
    assert "吴再娜" not in rows[2][1]
    assert "words: 3, recalled: 2, in the text: 1 (without the list: 0)" in result.stderr


def test_what_everyday_language_sounds_like_is_told(tmp_path: Path) -> None:
    """人的 is said; of ten thousand words, 仁弟 is then no likely one."""
    name = listed(tmp_path, "仁弟", "李夏", *names(10_000, 5))
    result = funasr("hotwords", "test", name, SAMPLE, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    words = [line.split("\t") for line in result.stdout.split("\n\n")[0].splitlines()]
    rows = {row[0]: row[2:] for row in words}
    assert rows["word"][-1] == "left out for"
    assert rows["李夏"] == ["1.00", "yes", "no", "yes", ""]
    assert rows["仁弟"] == ["1.00", "no", "no", "no", "人的"]


def test_the_comparison_for_programs_reads_a_stream(tmp_path: Path) -> None:
    name = listed(tmp_path, "黎下", "吴再娜")
    options = ("--hotword-replace", "0.85", "--hotword-threshold", "0.8", "--json", "-q")
    result = funasr("hotwords", "test", name, "-", *options, cwd=tmp_path, stdin=SAMPLE)
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert (report["audio"], report["words"]) == ("<stdin>", 2)
    first = report["segments"][0]
    assert [one["to"] for one in first["replacements"]] == ["黎下"]
    assert first["text_without"].replace(first["replacements"][0]["from"], "黎下") == first["text"]
    (hit,) = (hit for hit in first["hotwords"] if hit["start"] is not None)
    assert (hit["in_prompt"], hit["in_text"], hit["in_text_without"]) == (True, True, False)


def test_a_comparison_without_a_recording_is_one_line() -> None:
    assert "no.wav: no such file" in one_line(funasr("hotwords", "test", "北京", "no.wav"), 4)
