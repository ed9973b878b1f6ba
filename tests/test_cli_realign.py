"""`funasr realign` as a user meets it. No model is needed, and none is loaded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import ROOT, funasr, one_line
from transcripts import spoken

from funasr_cli.cli.arguments import FORMATS
from funasr_cli.writers.json import to_json

WHOLE = spoken("今天我们在北京讨论经济问题，会议上午9点30分开始。", "请大家准时参加。")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "会议.txt").write_text(WHOLE.text.replace("北京", "南京"), encoding="utf-8-sig")
    (tmp_path / "会议.json").write_text(to_json(WHOLE), encoding="utf-8")
    return tmp_path


def test_subtitles_go_to_stdout(folder: Path) -> None:
    result = funasr("realign", "会议.txt", "会议.json", cwd=folder)
    assert result.returncode == 0
    assert result.stdout.startswith("1\n00:00:00,500 --> 00:00:03,917\n")
    assert "今天我们在南京讨论经济问题\n" in result.stdout
    assert "characters keep their times; new: 1, gone: 1" in result.stderr
    assert funasr("realign", "会议.txt", "会议.json", "-q", cwd=folder).stderr == ""


def test_all_formats_are_written_and_can_be_realigned_again(folder: Path) -> None:
    result = funasr("realign", "会议.txt", "会议.json", "-f", "all", "-o", "neu", cwd=folder)
    assert result.returncode == 0, result.stderr
    assert {path.name for path in (folder / "neu").iterdir()} == {
        f"会议.{suffix}" for suffix in FORMATS.values()
    }
    again = folder / "neu" / "会议.json"
    assert "南京" in json.loads(again.read_text(encoding="utf-8"))["text"]
    printed = funasr("realign", "会议.txt", again, "--json", cwd=folder)
    assert json.loads(printed.stdout) == json.loads(again.read_text(encoding="utf-8"))


def test_cues_look_as_asked_for(folder: Path) -> None:
    look = ["--max-line-width", "8", "--max-line-count", "1", "--keep-punctuation"]
    result = funasr("realign", "会议.txt", "会议.json", *look, cwd=folder)
    lines = [block.split("\n")[2:] for block in result.stdout.strip().split("\n\n")]
    assert all(len(rows) == 1 and len(rows[0]) <= 10 for rows in lines)
    assert "".join(row for rows in lines for row in rows) == (WHOLE.text.replace("北京", "南京"))
    timed = funasr("realign", "会议.txt", "会议.json", "--timestamps", cwd=folder).stdout
    assert timed.startswith("[00:00.500 --> ")


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (["a.txt", "会议.json"], 4, "a.txt: no such file"),
        (["会议.txt", "a.json"], 4, "a.json: no such file"),
        (["会议.txt", "."], 4, "cannot be read"),
        (["会议.json", "会议.json"], 4, "is no plain text; correct what `-f txt` wrote"),
        (["a.srt", "会议.json"], 4, "is no plain text"),
        (["会议.txt", "会议.txt"], 4, "is not one JSON object"),
        (["other.txt", "会议.json"], 4, "they share 0% of their text"),
        (["empty.txt", "会议.json"], 4, "empty.txt: has no text"),
        (["gbk.txt", "会议.json"], 4, "is not UTF-8 text; save it as UTF-8"),
        (["会议.txt", "whisper.json"], 4, "is not a transcript of funasr-cli"),
        (["会议.txt", "later.json"], 4, "by another version of funasr-cli (funasr-transcript/9"),
        (["会议.txt", "lines.json"], 4, "several transcripts, one a line"),
        (["会议.txt", "short.json"], 4, "short.json: segments[1].chars[0].start is missing"),
        (["会议.txt", "nan.json"], 4, "segments[0].end is nan"),
        (["会议.txt", "bare.json"], 4, "no character times, because its model has no CTC head"),
        (["会议.txt", "silent.json"], 4, "has no text"),
        (["会议.txt", "会议.json", "-f", "txt"], 2, "is the corrected text and would be"),
        (["会议.txt", "会议.json", "-f", "json"], 2, "is an input and would be overwritten"),
        (["会议.txt", "会议.json", "-f", "srtt"], 2, "did you mean srt"),
        (["会议.txt", "会议.json", "--subtitle-preset", "xx"], 2, "expected auto, zh, ja, ko"),
        (["会议.txt", "会议.json", "--min-duration", "8"], 2, "less than --min-duration"),
    ],
)
def test_what_does_not_fit_is_one_line(
    folder: Path, names: list[str], code: int, words: str
) -> None:
    value = json.loads(to_json(WHOLE))
    bare = {**value, "segments": [{**one, "chars": []} for one in value["segments"]]}
    (folder / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\n今天\n", encoding="utf-8")
    (folder / "other.txt").write_text("昨天他去了上海，没有看到大海。", encoding="utf-8")
    (folder / "empty.txt").write_text("\n \n", encoding="utf-8")
    (folder / "gbk.txt").write_bytes("今天".encode("gbk"))
    (folder / "whisper.json").write_text('{"text": "", "segments": []}', encoding="utf-8")
    (folder / "later.json").write_text('{"schema": "funasr-transcript/9"}', encoding="utf-8")
    line = to_json(WHOLE, compact=True)
    (folder / "lines.json").write_text(line + line, encoding="utf-8")
    (folder / "bare.json").write_text(json.dumps(bare), encoding="utf-8")
    (folder / "silent.json").write_text(
        json.dumps({**bare, "text": "", "segments": []}), encoding="utf-8"
    )
    (folder / "nan.json").write_text(
        json.dumps({**value, "segments": [{**value["segments"][0], "end": float("nan")}]}),
        encoding="utf-8",
    )
    del value["segments"][1]["chars"][0]["start"]
    (folder / "short.json").write_text(json.dumps(value), encoding="utf-8")
    assert words in one_line(funasr("realign", *names, cwd=folder), code)


def test_no_model_and_no_decoder_of_sound_is_loaded(folder: Path) -> None:
    code = (
        "import sys\n"
        "from funasr_cli.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print('LOADED', *sorted({m.split('.')[0] for m in sys.modules}), *sys.modules)\n"
    )
    names = ["realign", "会议.txt", "会议.json", "-f", "all", "-o", "neu"]
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code, *names],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(result.stdout.rpartition("LOADED")[2].split())
    assert "funasr_cli.realign" in loaded
    assert not loaded & {"onnxruntime", "av", "xllamacpp", "gguf"}
    assert not loaded & {"funasr_cli.transcriber", "funasr_cli.model", "funasr_cli.llama.runtime"}
