"""Text with times, TSV and CSV."""

import csv
import io
import re

import pytest
from transcripts import EVIL, segment, spoken, transcript

from funasr_cli.writers.csv import BOM, to_csv
from funasr_cli.writers.spoken import lines
from funasr_cli.writers.tsv import to_tsv
from funasr_cli.writers.txt import to_txt

WHOLE = spoken(*EVIL)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BOM), newline="")))


def test_txt_with_times() -> None:
    whole = transcript(segment("你们好。", start=1.0), segment("好的，\n再见。", start=3599.9))
    assert to_txt(whole, timestamps=True) == (
        "[00:01.000 --> 00:02.000] 你们好。\n[59:59.900 --> 01:00:01.400] 好的， 再见。\n"
    )
    assert to_txt(transcript(), timestamps=True) == ""
    assert to_txt(whole) == whole.text + "\n"


def test_txt_has_a_line_a_cue_whatever_is_said() -> None:
    found = to_txt(WHOLE, timestamps=True).split("\n")[:-1]
    clock = r"\[\d\d:\d\d\.\d{3} --> \d\d:\d\d\.\d{3}\] "
    assert len(found) == len(lines(WHOLE))
    assert all(re.match(clock, line) for line in found)


def test_tsv_is_what_whisper_users_read() -> None:
    reader = csv.DictReader(
        io.StringIO(to_tsv(WHOLE), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE
    )
    assert reader.fieldnames == ["start", "end", "text"]
    assert [(int(r["start"]), int(r["end"]), r["text"]) for r in reader] == [
        (round(line.start * 1000), round(line.end * 1000), line.text.strip())
        for line in lines(WHOLE)
    ]


def test_csv_is_what_the_csv_module_reads() -> None:
    assert to_csv(WHOLE).startswith("\ufeffstart,end,text,confidence\r\n")
    found = rows(to_csv(WHOLE))
    assert [r["text"].removeprefix("'") for r in found] == [
        line.text.strip() for line in lines(WHOLE)
    ]
    assert [float(r["start"]) for r in found] == pytest.approx(
        [line.start for line in lines(WHOLE)], abs=0.0006
    )
    assert {r["confidence"] for r in found} == {"0.900"}


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+1+cmd|A0", "'+1+cmd|A0"),
        ("-3度", "'-3度"),
        ("＝1", "'＝1"),
        ("\t=1", "'=1"),
        ("-3.5", "-3.5"),
        ("+1,000%", "+1,000%"),
        ("他说=1", "他说=1"),
    ],
)
def test_a_spreadsheet_computes_nothing(text: str, cell: str) -> None:
    (row,) = rows(to_csv(spoken(text)))
    assert row["text"] == cell


def test_csv_without_times_or_words() -> None:
    (row,) = rows(to_csv(spoken('他说"好"，', timed=False)))
    assert (row["text"], row["confidence"]) == ('他说"好"，', "")
    assert rows(to_csv(transcript())) == []
    assert to_tsv(transcript()) == "start\tend\ttext\n"
