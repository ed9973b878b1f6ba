"""Settings from files, profiles and variables, through the real command line."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from sounds import tone, write_sound
from test_cli import funasr, one_line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder for config.toml, and a project with a folder below it; we stand in that."""
    if sys.platform == "darwin":
        monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "config"))
    below = tmp_path / "project" / "below"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return tmp_path


def write_user(text: str) -> Path:
    path = Path(funasr("config", "path").stdout.splitlines()[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_project(home: Path, text: str) -> Path:
    path = home / "project" / "funasr.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shown(command: str, *options: str, **environment: Any) -> dict[str, Any]:  # noqa: ANN401
    result = funasr("config", "show", *command.split(), "--json", *options, **environment)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)["commands"][command]
    return found


def test_paths(home: Path) -> None:
    result = funasr("config", "path")
    (own,) = result.stdout.splitlines()
    assert Path(own).name == "config.toml"
    assert own.startswith(str(home))
    assert "not there yet" in result.stderr
    project = write_project(home, "")
    assert funasr("config", "path").stdout.splitlines() == [own, str(project)]


def test_each_layer_covers_the_one_below(home: Path) -> None:
    def value(**environment: str) -> tuple[object, str]:
        found = shown("transcribe", **environment)["threads"]
        return found["value"], found["origin"]

    assert value() == (None, "default")
    user = write_user("threads = 1\n[transcribe]\nthreads = 2\n")
    assert value() == (2, f"{user}, line 3")
    project = write_project(home, "# ours\nthreads = 3\nprofile = 'small'\n")
    assert one_line(funasr("config", "show"), 2).endswith(
        "line 3: no profile 'small'; make one as [profiles.NAME] in the file that "
        "`funasr config path` names"
    )
    project = write_project(home, "# ours\nthreads = 3\n")
    assert value() == (3, f"{project}, line 2")
    user.write_text("[profiles.small.transcribe]\nthreads = 4\n", encoding="utf-8")
    assert value(FUNASR_PROFILE="small") == (4, f"profile small, {user}, line 2")
    assert value(FUNASR_PROFILE="small", FUNASR_THREADS="5") == (5, "FUNASR_THREADS")


def test_the_command_line_covers_all(home: Path) -> None:
    write_project(home, "language = 'klingon'\njson = true\nthreads = 99999\n")
    sound = write_sound(home / "a.wav", tone(0.2), codec="pcm_s16le")
    told = one_line(funasr(sound, FUNASR_LANGUAGE="elvish"), 2)
    assert "unknown language 'elvish'" in told
    assert told.endswith("(language comes from FUNASR_LANGUAGE)")
    told = one_line(funasr(sound, "--lang", "entish", "-t", "1"), 2)
    assert "unknown language 'entish'" in told
    assert "comes from" not in told
    # what the library itself refuses says where it came from too
    told = one_line(funasr(sound, "--lang", "zh"), 2)
    assert re.search(r"--threads.* \(threads comes from .*funasr.toml, line 3\)$", told)


def test_settings_reach_a_transcription(home: Path) -> None:
    sound = write_sound(home / "a.wav", tone(0.5), codec="pcm_s16le")
    write_project(home, "threads = 1\ntranscribe.json = true\n[profiles.files]\nformat = 'srt'\n")
    result = funasr(sound)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["text"] == ""
    plain = funasr(sound, "--json", "False")
    assert plain.returncode == 0
    assert not plain.stdout.startswith("{")
    assert funasr("--profile", "files", sound).returncode == 0
    assert Path("a.srt").exists()


def test_a_models_own_variable_comes_before_the_files(home: Path) -> None:
    write_project(home, "model = 'there'\n")
    assert shown("transcribe")["model"]["value"] == str(home / "project" / "there")
    assert shown("transcribe", FUNASR_MODEL_DIR="/own")["model"]["origin"] == "FUNASR_MODEL_DIR"
    sound = write_sound(home / "a.wav", tone(0.2), codec="pcm_s16le")
    assert "there: no such model" in one_line(funasr(sound), 3)
    assert "own: no such model" in one_line(funasr(sound, FUNASR_MODEL_DIR="own"), 3)
    assert "mine: no such model" in one_line(funasr(sound, "-m", "mine", FUNASR_MODEL_DIR="own"), 3)
    assert "new: no such" in one_line(funasr(sound, FUNASR_MODEL="new", FUNASR_MODEL_DIR="own"), 3)


def test_paths_are_taken_from_the_files_folder(home: Path) -> None:
    project = write_project(home, "hotwords = ['names.txt', '北京,上海']\noutput_dir = 'out'\n")
    (project.parent / "names.txt").write_text("王五\n", encoding="utf-8")
    found = shown("transcribe")
    assert found["hotwords"]["value"] == [str(project.parent / "names.txt"), "北京,上海"]
    assert found["output_dir"]["value"] == str(project.parent / "out")
    assert shown("transcribe", FUNASR_HOTWORDS="a,b")["hotwords"]["value"] == ["a,b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("langauge = 'zh'\n", "line 1: unknown option 'langauge'; did you mean language?"),
        ("\n[transcribe]\nsize = 'full'\n", "line 3: unknown option 'size' in [transcribe]"),
        ("[transcrib]\n", "line 1: unknown table 'transcrib'; did you mean transcribe?"),
        ("[hotwords.tset]\n", "line 1: unknown table 'tset' in [hotwords]; did you mean test?"),
        ("[profiles.a]\nitm = true\n", "line 2: unknown option 'itm' in [profiles.a]; did you"),
        ("profiles = 3\n", "line 1: profiles are tables"),
        ("itn = 'yes'\n", 'line 1: itn is "yes"; expected true or false'),
        ("threads = 1.5\n", "line 1: threads is 1.5; expected a whole number"),
        ("threads = true\n", "line 1: threads is true; expected a whole number"),
        ("model = 3\n", "line 1: model is 3; expected a path, as text"),
        ("hotwords = [1]\n", "line 1: hotwords is [1]; expected text, or a list"),
        ("threads = 0\n", "line 1: threads: "),
        ("[bench.make-model]\nsize = 'ful'\n", "known are tiny, full; did you mean full?"),
        ("language = zh\n", "is not TOML"),
        ("llama_bin = 'bin'\n", "line 1: llama_bin loads a library, which funasr.toml may not"),
    ],
)
def test_wrong_files(home: Path, text: str, message: str) -> None:
    project = write_project(home, text)
    told = one_line(funasr("transcribe", "a.wav"), 2)
    assert str(project) in told
    assert message in told


def test_a_library_may_stand_in_the_users_own_file(home: Path) -> None:
    write_user("llama_bin = '~/bin'\n")
    assert shown("transcribe")["llama_bin"]["value"] == os.path.expanduser("~/bin")  # noqa: PTH111
    assert home


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("FUNASR_THREADS", "two", "FUNASR_THREADS is 'two'; expected a whole number"),
        ("FUNASR_JSON", "maybe", "FUNASR_JSON is 'maybe'; expected true or false"),
        ("FUNASR_THREADS", "0", "FUNASR_THREADS: "),
        ("FUNASR_PROFILE", "nobody", "FUNASR_PROFILE: no profile 'nobody'"),
    ],
)
def test_wrong_variables(home: Path, variable: str, text: str, message: str) -> None:
    assert home
    environment: dict[str, Any] = {variable: text}
    assert message in one_line(funasr("transcribe", "a.wav", **environment), 2)


def test_variables_by_every_spelling(home: Path) -> None:
    assert home
    for variable in ("FUNASR_FORMAT", "FUNASR_OUTPUT_FORMAT"):
        assert shown("transcribe", **{variable: "srt"})["format"]["origin"] == variable
    for text, value in (("1", True), ("False", False), ("on", True), ("no", False)):
        assert shown("transcribe", FUNASR_JSON=text)["json"]["value"] is value
    # the language of messages is no language of a recording
    assert shown("transcribe", FUNASR_LANG="zh")["language"]["value"] is None
    told = funasr("config", "show", FUNASR_THREDS="4", FUNASR_LANG="en").stderr
    assert "FUNASR_THREDS is no option of ours; did you mean FUNASR_THREADS?" in told
    assert "FUNASR_LANG " not in told


def test_profiles(home: Path) -> None:
    write_project(home, "profile = 'fast'\n[profiles.fast]\nitn = false\n[profiles.plain]\n")
    assert shown("transcribe")["itn"]["origin"].startswith("profile fast, ")
    assert shown("transcribe", "--profile", "plain")["itn"]["origin"] == "default"
    assert shown("transcribe", "--profile", "")["itn"]["origin"] == "default"
    told = one_line(funasr("--profile", "fats", "a.wav"), 2)
    assert told.endswith("--profile: no profile 'fats'; did you mean fast?")


def test_a_table_for_programs_and_people(home: Path) -> None:
    project = write_project(home, "device = 'cpu'\n")
    rows = [line.split("\t") for line in funasr("config", "show").stdout.splitlines()]
    assert rows[0] == ["command", "option", "value", "from"]
    assert ["transcribe", "device", "cpu", f"{project}, line 1"] in rows
    assert not [row for row in rows if row[3] == "default"]
    whole = [line.split("\t") for line in funasr("config", "show", "hotwords").stdout.splitlines()]
    assert {row[0] for row in whole[1:]} == {"hotwords check", "hotwords test"}
    told = one_line(funasr("config", "show", "transcrib"), 2)
    assert told.endswith("no command 'transcrib'; did you mean transcribe?")


def test_a_broken_file_does_not_hide_the_help(home: Path) -> None:
    write_project(home, "= broken")
    assert "--language" in funasr("transcribe", "--help").stdout
    assert funasr("--help").returncode == 0


def test_a_file_from_an_editor_on_windows(home: Path) -> None:
    write_project(home, "\ufeffdevice = 'cpu'\r\n")
    assert shown("transcribe")["device"]["value"] == "cpu"
    (home / "project" / "funasr.toml").write_bytes("context = '会议'".encode("gbk"))
    assert "is not UTF-8" in one_line(funasr("config", "show"), 2)


def test_a_file_that_cannot_be_read(home: Path) -> None:
    (home / "project" / "funasr.toml").mkdir()
    assert "cannot be read" in one_line(funasr("config", "show"), 2)


def test_formats_may_be_a_list(home: Path) -> None:
    write_project(home, 'format = ["srt", "vtt"]\n')
    assert shown("transcribe")["format"]["value"] == "srt,vtt"
    sound = write_sound(home / "a.wav", tone(0.3), codec="pcm_s16le")
    assert funasr(sound, "-t", "1", cwd=home / "project").returncode == 0
    assert {path.name for path in (home / "project").glob("a.*")} == {"a.srt", "a.vtt"}
