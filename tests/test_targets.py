from datetime import date
from pathlib import Path

import pytest

from funasr_cli.cli.targets import parse_targets
from funasr_cli.errors import UsageError

DAY = date(2026, 11, 24)


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


def test_a_folder_alone_asks_for_text() -> None:
    assert parse_targets(["a.wav"], (), Path("out")).of("a.wav") == (("txt", Path("out/a.txt")),)


def test_an_output_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(UsageError, match="is a file"):
        parse_targets(["a.wav"], ("txt",), tmp_path / "f")


def paths(inputs: list[str], template: str, folder: str | Path | None = None) -> list[str]:
    targets = parse_targets(inputs, ("srt",), folder, template, today=DAY)
    return [path.as_posix() for name in inputs for _, path in targets.of(name)]


def test_files_beside_their_inputs() -> None:
    inputs = ["x/a.mp3", "y/a.mp3", "y/b.mp3", "y/b.wav", "-"]
    targets = parse_targets(inputs, ("whisper-json",), "source")
    assert [targets.of(name)[0][1].as_posix() for name in inputs] == [
        "x/a.whisper.json", "y/a.whisper.json", "y/b.mp3.whisper.json", "y/b.wav.whisper.json",
        "stdin.whisper.json",
    ]  # fmt: skip
    assert parse_targets(["x/a.mp3"], (), "source").of("x/a.mp3") == (("txt", Path("x/a.txt")),)


def test_a_folder_may_be_called_source() -> None:
    assert paths(["x/a.mp3"], "{filename}", "./source") == ["source/a.srt"]
    assert paths(["x/a.mp3"], "{filename}", Path("source")) == ["source/a.srt"]


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{filename}", "out/a.b.srt"),
        ("{parent}/{filename}_{date}_{index}", "out/x/y/a.b_20261124_1.srt"),
        ("{date:%Y}/{index:03}-{filename}.zh.{ext}", "out/2026/001-a.b.zh.srt"),
        ("{ext}/{filename}.{ext}", "out/srt/a.b.srt"),
        ("{{x}}{filename:>5}", "out/{x}  a.b.srt"),
        ("/over/{filename}", "/over/a.b.srt"),
        ("fixed", "out/fixed.srt"),
    ],
)
def test_templates(template: str, found: str) -> None:
    assert paths(["x/y/a.b.mp3"], template, "out") == [found]


def test_a_template_names_stdin_and_counts_inputs() -> None:
    assert paths(["a.mp3", "-"], "{index}_{filename}") == ["1_a.srt", "2_stdin.srt"]
    assert paths(["-"], "{parent}/{filename}") == ["stdin.srt"]
    found = parse_targets(["x/a.mp3"], (), None, "{filename}").of("x/a.mp3")
    assert found == (("txt", Path("a.txt")),)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{filname}", "unknown field {filname}; did you mean {filename}? known are {parent}, "),
        ("{0}", "unknown field {0}; known are"),
        ("{}", "unknown field {}; known are"),
        ("{filename.__class__}", "unknown field {filename.__class__}"),
        ("{filename!r}", "!r means nothing here; write {filename}"),
        ("{filename", "a brace stands alone; as a character it is {{"),
        ("{index:zz}", "'zz' is no format for {index}; write e.g. {index:03}"),
        ("{filename:{ext}}", "'{ext}' is no format for {filename}"),
        ("", "names no file"),
        ("{parent}/", "names no file"),
        ("x/..", "names no file"),
    ],
)
def test_templates_that_mean_nothing(template: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        paths(["x/a.mp3"], template)
    assert str(caught.value).startswith(f"--output-template {template}: ")
    assert words in str(caught.value)


def test_no_two_results_become_one_file() -> None:
    for inputs, template in ((["x/a.mp3", "y/A.mp3"], "{filename}"), (["a.mp3", "b.mp3"], "x")):
        with pytest.raises(UsageError, match=r"add {index} or {parent}"):
            paths(inputs, template)
    with pytest.raises(UsageError, match=r"{ext} where several formats"):
        parse_targets(["a.mp3"], ("txt", "tsv"), None, "{filename}.{ext:.1}")


def test_the_folder_of_the_input_is_named_once() -> None:
    with pytest.raises(UsageError, match=r"-o source stands for {parent}"):
        paths(["x/a.mp3"], "{parent}/{filename}", "source")
    assert paths(["x/a.mp3"], "{filename}.zh", "source") == ["x/a.zh.srt"]


def test_a_template_never_overwrites_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="would be overwritten"):
        paths(["a.srt"], "{filename}", "source")
