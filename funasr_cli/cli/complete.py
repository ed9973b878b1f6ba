"""The words of an unfinished command line -> what the next one can be."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from funasr_cli.cli.completion_scripts import WORD_VARIABLE
from funasr_cli.cli.messages import tr

if TYPE_CHECKING:
    from typer import Typer


@dataclass(frozen=True)
class Candidate:
    """One word that fits."""

    value: str
    meaning: str = ""


def answer_shell(app: "Typer") -> None:
    """Print what fits the words in argv, one a line; nothing: the shell offers its files."""
    from typer.main import get_command

    words = sys.argv[1:]
    word = os.environ.get(WORD_VARIABLE)
    if word is None:
        word = words.pop() if words else ""
    lines = (f"{one.value}\t{one.meaning}\n" for one in complete(get_command(app), words, word))
    sys.stdout.write("".join(lines))


def complete(command: Any, words: Sequence[str], word: str) -> list[Candidate]:  # noqa: ANN401
    """List what fits.

    Args:
        command: Typer's or Click's root command.
        words: complete words, the program's name left out.
        word: what is typed of the next one; may be empty.
    """
    command, waiting, are_options_over = _position(command, words)
    word = "" if word == "=" and waiting else word
    if waiting is not None:
        return _fitting(_values(command, waiting, word), word)
    if word.startswith("-") and not are_options_over:
        name, equals, value = word.partition("=")
        option = _wants_value(command, name) if equals else None
        if option is not None:
            found = _fitting(_values(command, option, value), value)
            return [Candidate(f"{name}={one.value}", one.meaning) for one in found]
        return _fitting(_options(command), word)
    return _fitting([*_commands(command), *_arguments(command, word)], word)


def _position(command: Any, words: Sequence[str]) -> tuple[Any, Any, bool]:  # noqa: ANN401
    """Find the command that goes on, the option that wants its value, and whether -- was said."""
    from funasr_cli.cli.command import DEFAULT

    if words and words[0] not in command.commands:  # `funasr talk.mp3`
        command = command.commands[DEFAULT]
    waiting = None
    are_options_over = False
    for past in words:
        if past == "=":  # bash makes a word of it
            continue
        if waiting is not None:
            waiting = None
        elif past == "--":
            are_options_over = True
        elif past.startswith("-") and not are_options_over:
            name, _, value = past.partition("=")
            waiting = None if value else _wants_value(command, name)
        elif past in getattr(command, "commands", {}):
            command = command.commands[past]
    return command, waiting, are_options_over


def _fitting(candidates: Sequence[Candidate], word: str) -> list[Candidate]:
    return [one for one in candidates if one.value.startswith(word)]


def _wants_value(command: Any, name: str) -> Any:  # noqa: ANN401
    """Find the option of this name if a value must follow it."""
    for parameter in command.params:
        if name in parameter.opts and parameter.param_type_name == "option":
            return None if parameter.is_flag else parameter
    return None


def _options(command: Any) -> list[Candidate]:  # noqa: ANN401
    """List the names of all options, the long ones: they tell what they are."""
    found = [
        Candidate(name, _first_sentence(parameter.help or ""))
        for parameter in command.params
        if parameter.param_type_name == "option" and not parameter.hidden
        for name in (*parameter.opts, *parameter.secondary_opts)
        if name.startswith("--")
    ]
    return [*found, Candidate("--help", tr("Show this message and exit."))]


def _commands(group: Any) -> Iterator[Candidate]:  # noqa: ANN401
    from funasr_cli.cli.help_pages import short_help

    for name, command in getattr(group, "commands", {}).items():
        if not command.hidden:
            yield Candidate(name, _first_sentence(short_help(command)))


def _arguments(command: Any, word: str) -> list[Candidate]:  # noqa: ANN401
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            return _values(command, parameter, word)
    return []


def _first_sentence(text: str) -> str:
    """Shorten a meaning to what fits beside a word."""
    said = " ".join(tr(text).split())
    return said.partition("。")[0].partition(". ")[0].removesuffix(".")


def _values(command: Any, parameter: Any, word: str) -> list[Candidate]:  # noqa: ANN401
    """List values of an option or argument; none where only a file or free text fits."""
    name = str(parameter.name)
    if known := VALUES.get(f"{command.name}.{name}") or VALUES.get(name):
        return list(known(word))
    kind = getattr(parameter, "type_descriptor", None) or parameter.type
    choices = getattr(kind, "choices", None) or ()
    return [Candidate(str(getattr(choice, "value", choice))) for choice in choices]


def _formats(word: str) -> Iterator[Candidate]:
    """Complete the last of a comma separated list."""
    from funasr_cli.cli.arguments import FORMATS

    done, comma, _ = word.rpartition(",")
    named = done.split(",")
    for name in (*FORMATS, *(() if done else ("all",))):
        if name not in named:
            yield Candidate(f"{done}{comma}{name}")


def _languages(word: str) -> Iterator[Candidate]:
    """Offer one name for each language; as soon as something is typed, the others too."""
    from funasr_cli.languages import LANGUAGES

    yield Candidate("auto")
    for name, aliases in LANGUAGES.items():
        for other in (aliases[0], name, *aliases[1:]) if word else aliases[:1]:
            yield Candidate(other, name)


def _devices(_word: str) -> Iterator[Candidate]:
    from funasr_cli.device_names import AUTO, BACKENDS, CPU, GPU

    return map(Candidate, (AUTO, CPU, GPU, *BACKENDS))


def _releases(_word: str) -> Iterator[Candidate]:
    from funasr_cli.llama.library import NONE
    from funasr_cli.llama.releases import installed

    return map(Candidate, (*(release.name for release in installed()), NONE))


VALUES: dict[str, Callable[[str], Iterator[Candidate]]] = {
    "output_format": _formats,
    "language": _languages,
    "device": _devices,
    "use.name": _releases,
    "remove.name": _releases,
}
"""What completes a parameter: by its name in the function, with its command where that matters."""
