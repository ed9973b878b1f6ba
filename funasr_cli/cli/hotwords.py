"""`funasr hotwords`: what a word list is worth, before it is used and on a recording."""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from funasr_cli.cli.hotword_trial import compare
from funasr_cli.cli.messages import tr_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from funasr_cli.cli.console import Sink
    from funasr_cli.hotwords.check import Finding

UNREADABLE = 4
_SHOWN = 8
"""Words and lines of a finding that a table shows; JSON has all of them."""

_Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def hotwords_group(honest: Callable[..., Any], epilog: str) -> typer.Typer:
    """Put the commands together; `honest` makes messages and exit codes of their errors."""
    group = typer.Typer(
        help="Check a list of hotwords, and see what it does to a recording.",
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name, command in {"check": check, "test": compare}.items():
        group.command(name, epilog=epilog)(honest(command))
    return group


def check(
    lists: Annotated[
        list[str],
        typer.Argument(
            metavar="LIST", help="Files with one word a line, or a,b,c: checked as one list."
        ),
    ],
    *,
    as_json: _Json = False,
) -> None:
    """Look for what surprises people later.

    Duplicates, words that sound alike, words too short to be safe or without a sound, weights,
    and lines that cannot be read. Exit code 4 when there are such lines, else 0: all the rest is
    advice.

    \b
    Examples:
      funasr hotwords check names.txt
      funasr hotwords check names.txt terms.txt --json | jq '.findings[].kind'
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink
    from funasr_cli.hotwords.check import check as check_entries
    from funasr_cli.hotwords.wordlist import named_files, read_entries

    sink = Sink()
    readings = [read_entries(spec) for spec in lists]
    entries = [entry for reading in readings for entry in reading.entries]
    problems = [problem for reading in readings for problem in reading.problems]
    notes = [note for reading in readings for note in reading.notes]
    alone = [spec for spec in lists if not re.search("[,，]", spec) and not named_files(spec)]
    notes += [f"{spec}: there is no such file; taken for a word" for spec in alone]
    findings = check_entries(entries, problems)
    words = len({entry.word for entry in entries})
    aliases = len({form for entry in entries for form in entry.spoken})
    if as_json:
        report = {
            "words": words,
            "aliases": aliases,
            "notes": notes,
            "findings": [asdict(finding) for finding in findings],
        }
        sink.data(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    else:
        for note in notes:
            sink.warn(note)
        _show(findings, sink)
        sink.note(_summary(words, aliases, findings))
    if any(finding.is_error for finding in findings):
        raise typer.Exit(UNREADABLE)


def _show(findings: "Sequence[Finding]", sink: "Sink") -> None:
    from funasr_cli.cli.tables import show_table

    if not findings:
        return
    rows = [
        (finding.kind, _some(finding.words), _some(_places(finding.where)), finding.text)
        for finding in findings
    ]
    told = ("finding", "where", "what it means")  # words are the user's own
    show_table(sink, ("finding", "words", "where", "what it means"), rows, told)


def _some(parts: "Sequence[str]") -> str:
    left = len(parts) - _SHOWN
    return "; ".join(parts[:_SHOWN]) + (f" ... and {left} more" if left > 0 else "")


def _places(where: "Sequence[str]") -> list[str]:
    """Name each file once: `names.txt, line 3`, `8`."""
    found: list[str] = []
    before = ""
    for place in where:
        name, comma, number = place.rpartition(", line ")
        found.append(number if comma and name == before else place)
        before = name
    return found


def _summary(words: int, aliases: int, findings: "Sequence[Finding]") -> str:
    counts = Counter(finding.kind for finding in findings)
    told = ", ".join(f"{tr_word(kind)}: {count}" for kind, count in counts.items())
    also = f", spoken forms: {aliases}" if aliases else ""
    return f"words: {words}{also}; {told or 'nothing to say of them'}"
