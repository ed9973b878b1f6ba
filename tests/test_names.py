"""What people type, read by the real commands' own tables; no process, no model."""

import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from funasr_cli.cli.app import app
from funasr_cli.cli.command import Command, all_options
from funasr_cli.cli.names.aliases import ALIASES, Alias, Form
from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import Kind, Options, commands
from funasr_cli.cli.names.respell import respell
from funasr_cli.errors import UsageError

ROOT: Any = get_command(app)
EVERYTHING = {options.command: options for options in all_options(ROOT)}
TRANSCRIBE = EVERYTHING["transcribe"]

WITHOUT_TARGET: dict[str, str] = {}
"""Spelling of ours -> aliases that wait for it; remove a line when its option comes."""


def read(command: str, *arguments: str) -> dict[str, Any]:
    """Parse as the command itself does; return what its function would get."""
    node = ROOT
    with node.make_context("funasr", [*command.split(), "x"]) as context:
        for name in command.split():
            node = node.commands[name]
            context = node.make_context(name, list(arguments), parent=context)  # noqa: PLW2901
    values: dict[str, Any] = context.params
    return values


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FUNASR_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("--output_dir out", "output_dir", "out"),
        ("--output-dir=out", "output_dir", "out"),
        ("--output_format srt", "output_format", "srt"),
        ("--max_new_tokens 7", "max_new_tokens", 7),
        ("--hotword_recall False", "hotword_recall", False),
        ("--no_hotword_recall", "hotword_recall", False),
        ("--no-itn False", "itn", True),
        ("--itn=off", "itn", False),
        ("--json true", "as_json", True),
        ("--json --json False", "as_json", False),
        ("--json --no-json", "as_json", False),
        ("--verbose False", "verbose", False),
        ("-qv", "verbose", True),
        ("-qt4", "threads", 4),
        ("-qf srt", "output_format", "srt"),
        ("-ngl 3", "n_gpu_layers", 3),
        ("--initial_prompt 会议", "context", "会议"),
        ("--prompt=会议", "context", "会议"),
        ("--lang zh", "language", "zh"),
        ("--model_directory nano", "model", Path("nano")),
        ("--hotwords_file a.txt --hotword b", "hotwords", ["a.txt", "b"]),
        ("--similar-threshold 0.7", "hotword_threshold", 0.7),
        ("--use_itn False", "itn", False),
        ("--vad_filter True", "vad", True),
        ("--vad_filter False", "vad", False),
        ("--word_timestamps True", "as_json", False),
        ("--backend vulkan", "device", "vulkan"),
        ("--device_index 1 --device cuda", "device", "cuda:1"),
        ("--device cuda --device_index 0", "device", "cuda:0"),
        ("--device_index 0", "device", "auto"),
        ("-ng", "device", "cpu"),
        ("--no-gpu False", "device", "auto"),
        ("--n_threads 2", "threads", 2),
        ("--batch_size 4", "slots", 4),
        ("--batched True", "slots", None),
        ("--max_tokens 9", "max_new_tokens", 9),
        ("--temperature 0 --beam_size 1 --fp16 False --task transcribe", "itn", True),
        ("-ot 90000", "start", "90000ms"),
        ("-ot 1:30", "start", "1:30"),
        ("-d 5000", "duration", "5000ms"),
        ("--clip_timestamps 10,25.5", "duration", "15.5"),
        ("--clip_timestamps 10,25.5", "start", "10"),
        ("-np", "quiet", True),
        ("--condition_on_previous_text False --highlight_words False", "itn", True),
        ("--max_words_per_line None --logprob_threshold -1.0 -nf", "itn", True),
        ("--compression_ratio_threshold 2.4 --no_speech_threshold 0.6", "itn", True),
        ("--vad_model fsmn-vad --punc_model ct-punc --diarize False", "itn", True),
        ("++model=nano", "model", Path("nano")),
        ("++use_itn=False ++vad_model=fsmn-vad", "itn", False),
        ("++input=b.wav", "audio", ["a.wav", "b.wav"]),
        ("++b.wav", "audio", ["a.wav", "++b.wav"]),
        ("-osrt -ovtt", "output_format", "srt,vtt"),
        ("-osrt -f txt,json", "output_format", "txt,json,srt"),
        ("--output_txt -oj -ojf -ocsv -olrc", "output_format", "txt,json,json,csv,lrc"),
        ("-osrt -ovtt False -- b.wav", "output_format", "srt"),
        ("-osrt", "output_dir", None),
        ("-osub", "output_dir", "sub"),
        ("-nt", "timestamps", False),
        ("--timestamps -nt", "timestamps", False),
        ("--file b.wav", "audio", ["a.wav", "b.wav"]),
        ("-a b.wav -", "audio", ["a.wav", "b.wav", "-"]),
        ("-- --json", "audio", ["a.wav", "--json"]),
    ],
)
def test_names_that_people_type(typed: str, name: str, value: object) -> None:
    found = read("transcribe", "a.wav", *typed.split())[name]
    assert (str(found) if isinstance(value, str) else found) == value


def test_a_flag_takes_no_recording_for_its_value() -> None:
    assert read("transcribe", "--json", "a.wav")["audio"] == ["a.wav"]
    assert read("transcribe", "--json", "yes")["audio"] == ["yes"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("--formt srt", "unknown option --formt; did you mean --format"),
        ("--initial-promt x", "did you mean --initial-prompt"),
        ("--qwertyuiop", "unknown option --qwertyuiop; funasr transcribe --help"),
        ("-z", "unknown option -z"),
        ("--json=maybe", "--json=maybe: expected true or false"),
        ("--device-index 1", "--device cuda:1"),
        ("--temperature 0.4", "decoding is greedy"),
        ("--task translate", "do not translate"),
        ("--compute_type int8", "when a model is exported"),
        ("--clip_timestamps 1,x", "FROM,TO in seconds"),
        ("--batch_size_s 300", "--slots N"),
        ("--threads", "--threads needs a value: a whole number"),
        ("-ot", "-ot needs a value"),
        ("--condition_on_previous_text True", "each segment is decoded by itself"),
        ("--highlight_words", "cues do not follow single words"),
        ("--max_words_per_line 5", "--max-line-width N"),
        ("--compression_ratio_threshold 1.8", "nothing is decoded again by a threshold"),
        ("--no_speech_threshold 0.3", "--vad-threshold"),
        ("--punc_model other", "writes punctuation itself"),
        ("--vad_model other", "cannot be exchanged"),
        ("--spk_model cam++", "speakers are not told apart"),
        ("--diarize", "speakers are not told apart"),
        ("++punc_model=other", "--punc_model other: the model writes punctuation"),
        ("++nonsense=1", "unknown option --nonsense"),
        ("-owts", "-owts: there is no karaoke script here"),
    ],
)
def test_what_means_nothing_says_why(typed: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        respell(["a.wav", *typed.split()], TRANSCRIBE)
    assert message in str(caught.value)


def test_an_alias_without_its_option_names_both() -> None:
    with pytest.raises(UsageError, match="--batch-size is --slots here, which `funasr doctor`"):
        respell(["--batch-size", "4"], EVERYTHING["doctor"])


def test_choices_say_what_was_meant() -> None:
    with pytest.raises(UsageError, match=r"known are q8_0, f16, bf16, f32; did you mean bf16"):
        respell(["x", "--compute_type", "bf-16"], EVERYTHING["export"])
    assert read("export", "x", "-o", "y", "--quant", "f16")["decoder_type"].value == "f16"


@pytest.mark.parametrize("command", EVERYTHING)
def test_every_option_has_both_spellings_and_every_flag_its_opposite(command: str) -> None:
    options = EVERYTHING[command]
    for option in options.all:
        for spelling in option.on:
            snake = spelling[:2] + spelling[2:].replace("-", "_")
            value = (option.choices or ("1",))[0]
            if option.kind is Kind.FLAG:
                assert respell([snake], options).flags == {option.name: True}
                assert respell([f"{snake}=False"], options).flags == {option.name: False}
            else:
                assert respell([snake, value], options).arguments == [option.on[0], value]
        for spelling in option.off:
            assert respell([spelling], options).flags == {option.name: False}


def test_which_aliases_have_no_target_yet() -> None:
    known = {spelling for options in EVERYTHING.values() for spelling in options.by_spelling}
    waiting = {alias.option: " ".join(a_names(alias.option)) for alias in ALIASES}
    assert {o: n for o, n in waiting.items() if o not in known} == WITHOUT_TARGET


def a_names(option: str) -> list[str]:
    return [name for alias in ALIASES if alias.option == option for name in alias.names]


NOTED = {Form.CONSTANT, Form.FORMAT, Form.REFUSED, Form.REFUSED_FLAG}


@pytest.mark.parametrize("alias", ALIASES, ids=lambda alias: alias.names[0])
def test_every_alias_is_written_in_kebab_case_and_says_why(alias: Alias) -> None:
    assert all(name.startswith("-") and "_" not in name for name in alias.names)
    assert bool(alias.note) == (alias.form in NOTED)


def test_all_commands_take_part() -> None:
    """`equip` stands last in app.py."""
    assert all(isinstance(command, Command) for _, command in commands(ROOT))


def test_near_names() -> None:
    known = ("--output-dir", "--output-format", "--itn")
    assert did_you_mean("--OUTPUT_DIR", known) == "; did you mean --output-dir?"
    assert did_you_mean("--zzz", known) == ""
    assert did_you_mean("x", ()) == ""


def test_a_command_of_its_own_gets_all_of_it() -> None:
    """The mechanism hangs on nothing but the app: a new command needs no line for it."""
    from funasr_cli.cli.command import RootGroup, equip

    own, seen = typer.Typer(rich_markup_mode=None), []

    @own.command()
    def transcribe(*, loud_noise: bool = False, threads: int = 1) -> None:
        seen.append((loud_noise, threads))

    @own.command()
    def other() -> None: ...

    equip(own, group=RootGroup)
    own(["transcribe", "--loud_noise", "True", "--n-threads", "3"], standalone_mode=False)
    assert seen == [(True, 3)]
    assert isinstance(all_options(get_command(own))[0], Options)


MEANINGS = {
    Form.RENAMED: "`{option}`",
    Form.CONSTANT: "`{option} {note}`",
    Form.MILLISECONDS: "`{option}`; a bare number is milliseconds",
    Form.FORMAT: "`{option} {note}`; several of them add up",
    Form.INPUT: "a recording; ours stand alone",
    Form.WINDOW: "`--start` and `--duration`; FROM,TO in seconds, once",
    Form.NUMBER: "the number of `{option}`, as in `cuda:1`",
    Form.ALWAYS: "accepted, with True and False: nothing to switch",
    Form.REFUSED: "refused{fine}: {note}",
    Form.REFUSED_FLAG: "refused, but for False: {note}",
}


def test_the_document_has_the_table() -> None:
    document = Path(__file__).parent.parent / "docs" / "CONFIG.md"
    rows = ["| theirs | ours |", "|---|---|"]
    for alias in ALIASES:
        fine = f", but for {', '.join(sorted(alias.fine))}" if alias.fine else ""
        meaning = MEANINGS[alias.form].format(option=alias.option, note=alias.note, fine=fine)
        rows.append(f"| {', '.join(f'`{name}`' for name in alias.names)} | {meaning} |")
    assert "\n".join(rows) in document.read_text(encoding="utf-8"), "\n".join(rows)
