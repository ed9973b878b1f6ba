"""`funasr doctor`: can this machine transcribe, and what mends it if not."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from funasr_cli.diagnosis import Check

_STYLES = {"ok": "green", "note": "yellow", "problem": "red"}
_NAME_WIDTH = 10


def doctor(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: Annotated[
        Path | None, typer.Option("-m", "--model", "--model-dir", help="Model directory.")
    ] = None,
    llama_bin: Annotated[
        Path | None, typer.Option(help="Folder of a llama.cpp build to look at.")
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
    from funasr_cli.diagnosis import Diagnosis, diagnose, diagnose_devices

    if retest:
        from funasr_cli.verdicts import Verdicts

        n = Verdicts().clear()
        sys.stderr.write(f"forgot {n} verdicts\n")
    found = diagnose_devices(llama_bin) if devices else diagnose(model, llama_bin, threads)
    if as_json:
        diagnosis = Diagnosis(tuple(found))
        report = {
            "version": __version__,
            "can_transcribe": diagnosis.can_transcribe,
            "checks": [asdict(check) for check in diagnosis.checks],
        }
        # an infinite deviation is no JSON number
        text = json.dumps(_plain(report), ensure_ascii=False, indent=2, allow_nan=False)
        sys.stdout.write(f"{text}\n")
    else:
        diagnosis = Diagnosis(tuple(_print_each(found, whole=not devices)))
    if not diagnosis.can_transcribe:
        raise typer.Exit(3)


def _print_each(checks: "Iterable[Check]", *, whole: bool) -> "Iterable[Check]":
    """Print every check as soon as it is made, then what it all means."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True, markup=False)
    if whole:
        console.print(f"funasr-cli {__version__} doctor")
    problems = False
    for check in checks:
        _print(check, console)
        problems |= check.status == "problem"
        yield check
    if whole:
        verdict = "this machine cannot transcribe yet" if problems else "ready to transcribe"
        console.print(verdict, style="bold red" if problems else "bold green")


def _print(check: "Check", console: "Console") -> None:
    margin = " " * (_NAME_WIDTH + 8)
    lines = check.text.splitlines() + ([f"-> {check.remedy}"] if check.remedy else [])
    console.print(f"{check.status:<7}", style=_STYLES[check.status], end=" ")
    console.print(f"{check.name:<{_NAME_WIDTH}}{lines[0]}")
    for line in lines[1:]:
        console.print(f"{margin}{line}")


def _plain(value: object) -> object:
    """Turn what JSON has no word for into text."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
