"""The options of a command, read off it once: how they are spelled, and what they take."""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints

PROFILE = "profile"
Node: TypeAlias = Any
"""A command or group. Typer carries a parser of its own since 0.20-odd and used Click's before;
what is read here, both have."""


class Kind(str, Enum):
    """What an option takes; the value says it in messages."""

    FLAG = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    TEXT = "text"
    PATH = "a path, as text"


@dataclass(frozen=True)
class Option:
    """One option of one command."""

    name: str
    """Of the function's parameter."""
    on: tuple[str, ...]
    """Spellings that set it, dashes and all."""
    off: tuple[str, ...]
    """Spellings that clear a flag."""
    kind: Kind
    several: bool
    """May be given more than once."""
    choices: tuple[str, ...]
    """All that it takes; none: anything of its kind."""
    default: object
    is_setting: bool
    """May stand in a file or a variable; not so --help and the profile itself."""
    parameter: Node

    @property
    def keys(self) -> tuple[str, ...]:
        """Names in files and, in capitals, behind FUNASR_; the first is the one we write."""
        return tuple(s[2:].replace("-", "_") for s in self.on if s.startswith("--"))

    @property
    def spelling(self) -> str:
        """The long spelling, for messages."""
        return next((s for s in (*self.on, *self.off) if s.startswith("--")), self.name)


@dataclass(frozen=True)
class Options:
    """All options of a command."""

    command: str
    """As typed behind `funasr`: `transcribe`, `hotwords check`."""
    all: tuple[Option, ...]
    help: tuple[str, ...] = ("--help",)
    """Spellings that ask for help, which no parameter stands for."""

    @cached_property
    def by_spelling(self) -> Mapping[str, tuple[Option, bool]]:
        """Spelling in kebab-case -> (option, whether it sets it)."""
        found: dict[str, tuple[Option, bool]] = {}
        for option in self.all:
            if option.kind is Kind.FLAG and option.is_setting:
                # a flag that a file has set must be clearable
                found |= {f"--no-{kebab(key)}": (option, False) for key in option.keys}
        for option in self.all:
            found |= {kebab(s): (option, True) for s in option.on}
            found |= {kebab(s): (option, False) for s in option.off}
        return found

    @cached_property
    def by_key(self) -> Mapping[str, Option]:
        """Name in files -> option."""
        return {key: option for option in self.all if option.is_setting for key in option.keys}


def options_of(command: Node, path: str, help_: tuple[str, ...] = ("--help",)) -> Options:
    """Read the options of a command that stands behind `funasr PATH`."""
    hints = get_type_hints(command.callback) if command.callback else {}
    return Options(path, tuple(_options(command, hints)), help_)


def commands(group: Node, before: str = "") -> Iterator[tuple[str, Node]]:
    """Walk over every command below a group: path, command."""
    for name, node in group.commands.items():
        path = f"{before} {name}".strip()
        if hasattr(node, "commands"):
            yield from commands(node, path)
        else:
            yield path, node


def kebab(spelling: str) -> str:
    """`--output_dir` -> `--output-dir`."""
    return spelling.replace("_", "-")


def _options(command: Node, hints: Mapping[str, Any]) -> Iterator[Option]:
    for parameter in command.params:
        if parameter.param_type_name != "option":
            continue
        kind, choices = _kind(hints.get(parameter.name, str))
        default = parameter.default
        yield Option(
            name=parameter.name,
            on=tuple(parameter.opts),
            off=tuple(parameter.secondary_opts),
            kind=Kind.FLAG if parameter.is_flag else kind,
            several=bool(parameter.multiple),
            choices=choices,
            default=default.value if isinstance(default, Enum) else default,
            is_setting=not parameter.is_eager and parameter.name != PROFILE,
            parameter=parameter,
        )


def _kind(hint: Any) -> tuple[Kind, tuple[str, ...]]:  # noqa: ANN401 - any annotation
    if get_origin(hint) in {Union, types.UnionType}:
        return _kind(next(part for part in get_args(hint) if part is not type(None)))
    if get_origin(hint) is list:
        return _kind(get_args(hint)[0])
    if not isinstance(hint, type):
        return Kind.TEXT, ()
    if issubclass(hint, Enum):
        return Kind.TEXT, tuple(str(member.value) for member in hint)
    kinds = ((bool, Kind.FLAG), (int, Kind.INTEGER), (float, Kind.NUMBER), (Path, Kind.PATH))
    return next((kind for of, kind in kinds if issubclass(hint, of)), Kind.TEXT), ()
