from pathlib import Path

import pytest

from funasr_cli.cli.arguments import parse_formats, parse_seconds, parse_targets
from funasr_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1.5", 1.5), ("90s", 90), ("1:30", 90), ("1:02:03.5", 3723.5), ("90000ms", 90)],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds("--start", text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "abc", "1:2:3:4", "1:30ms", "1e3"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="--start"):
        parse_seconds("--start", text)


def test_formats() -> None:
    assert parse_formats(None) == ()
    assert parse_formats("srt, json,srt，text") == ("srt", "json", "txt")
    assert parse_formats("all") == ("txt", "srt", "json", "html")


@pytest.mark.parametrize(
    ("text", "message"),
    [("srtt", "did you mean srt"), ("talk.wav", "name the recording alone"), ("doc", "known are")],
)
def test_wrong_formats_get_a_hint(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_formats(text)


def test_no_files_unless_asked_for() -> None:
    assert parse_targets(["a.wav"], (), None).of("a.wav") == ()


def test_files_of_one_stem_do_not_overwrite_each_other() -> None:
    targets = parse_targets(["x/a.mp3", "x/a.wav", "b.mp3", "-"], ("srt",), Path("out"))
    assert [targets.of(n)[0][1].name for n in ("x/a.mp3", "x/a.wav", "b.mp3", "-")] == [
        "a.mp3.srt", "a.wav.srt", "b.srt", "stdin.srt",
    ]  # fmt: skip
    targets = parse_targets(["x/a.mp3", "y/a.mp3", "x/A.mp3"], ("srt",), Path("out"))
    names = [targets.of(n)[0][1].name for n in ("x/a.mp3", "y/a.mp3", "x/A.mp3")]
    assert names[1] == "y-a.mp3.srt"
    assert len({name.casefold() for name in names}) == 3


def test_an_input_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, folder in (
        ("talk.txt", None),
        ("./talk.txt", Path()),
        (str(tmp_path / "a.txt"), Path()),
    ):
        with pytest.raises(UsageError, match="would be overwritten"):
            parse_targets([name], ("txt",), folder)


def test_no_format_at_all_is_no_format() -> None:
    with pytest.raises(UsageError, match="names no format"):
        parse_formats(" ,")


def test_a_folder_alone_asks_for_text() -> None:
    assert parse_targets(["a.wav"], (), Path("out")).of("a.wav") == (("txt", Path("out/a.txt")),)


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match="is a file"):
        parse_targets(["a.wav"], ("txt",), tmp_path / "f")
