"""`funasr doctor`: can this machine transcribe, and what mends it if not."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from funasr_cli.cli.console import Sink
    from funasr_cli.diagnosis import Check, Diagnosis

_STYLES = {"ok": "green", "note": "yellow", "problem": "red"}
_NAME_WIDTH = 10


def doctor(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: Annotated[
        Path | None,
        typer.Option("-m", "--model", "--model-dir", readable=False, help="Model directory."),
    ] = None,
    llama_bin: Annotated[
        Path | None,
        # we say better what is wrong
        typer.Option(readable=False, help="Folder of a llama.cpp build to look at."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("-t", "--threads", min=1, help="Of the self-test.")
    ] = None,
    devices: Annotated[
        bool, typer.Option("--devices", "--list-devices", help="Only list the devices.")
    ] = False,
    retest: Annotated[
        bool, typer.Option("--retest", help="Forget which libraries and devices were proved.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at everything that transcribing needs: one screen, to be pasted into an issue.

    Exit code 0 when this machine can transcribe, 3 when not. Every problem ends with the command
    that mends it.

    \b
    Examples:
      funasr doctor
      funasr doctor --devices
      funasr doctor -m model --llama-bin ./llama-b11739 --json
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink
    from funasr_cli.diagnosis import Diagnosis, diagnose, diagnose_devices
    from funasr_cli.options import RuntimeOptions

    runtime, sink = RuntimeOptions(threads=threads, llama_bin=llama_bin), Sink()
    if retest:
        from funasr_cli.verdicts import Verdicts

        sink.note(f"forgot {Verdicts().clear()} verdicts")
    found = diagnose_devices(llama_bin) if devices else diagnose(model, runtime)
    if as_json:
        diagnosis = Diagnosis(tuple(found))
        sink.data(_as_json(diagnosis))
    else:
        diagnosis = Diagnosis(tuple(_print_each(found, sink, whole=not devices)))
    if not diagnosis.can_transcribe:
        raise typer.Exit(3)


def _print_each(checks: "Iterable[Check]", sink: "Sink", *, whole: bool) -> "Iterable[Check]":
    """Print every check as soon as it is made, then what it all means."""
    from funasr_cli.cli.console import for_people

    coloured = _takes_colours()
    if whole:
        sink.data(f"funasr-cli {__version__} doctor\n")
    problems = False
    for check in checks:
        sink.data(_text(check, coloured=coloured))
        problems |= check.status == "problem"
        yield check
    if whole:
        verdict = "this machine cannot transcribe yet" if problems else "ready to transcribe"
        style = "bold red" if problems else "bold green"
        sink.data(_styled(for_people(verdict), style, coloured=coloured) + "\n")


def _takes_colours() -> bool:
    """Whether stdout is a terminal that knows colours, and its user wants them."""
    from rich.console import Console

    stdout = Console()
    return bool(stdout.color_system) and not (stdout.no_color or stdout.legacy_windows)


def _styled(text: str, style: str, *, coloured: bool) -> str:
    from rich.style import Style

    return Style.parse(style).render(text) if coloured else text


def _text(check: "Check", *, coloured: bool) -> str:
    from funasr_cli.cli.console import for_people

    margin = "\n" + " " * (_NAME_WIDTH + 8)
    lines = [for_people(line) for line in check.text.splitlines()]
    lines += [f"-> {for_people(check.remedy)}"] if check.remedy else []
    status = _styled(_padded(for_people(check.status), 7), _STYLES[check.status], coloured=coloured)
    return f"{status} {_padded(for_people(check.name), _NAME_WIDTH)}{margin.join(lines)}\n"


def _padded(word: str, columns: int) -> str:
    from funasr_cli.cli.help_pages import display_width

    return word + " " * (columns - display_width(word))


def _as_json(diagnosis: "Diagnosis") -> str:
    report = {
        "version": __version__,
        "can_transcribe": diagnosis.can_transcribe,
        "checks": [asdict(check) for check in diagnosis.checks],
    }
    # an infinite deviation is no JSON number
    return json.dumps(_plain(report), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _plain(value: object) -> object:
    """Turn what JSON has no word for into text."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
