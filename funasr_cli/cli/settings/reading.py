"""Tables of a file -> values of options; whatever means nothing is an error with its place."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import PROFILE, Kind, Option, Options
from funasr_cli.cli.names.values import check_choice
from funasr_cli.cli.settings.files import PROJECT_FILE, USER_FILE, SettingsFile
from funasr_cli.errors import UsageError

PROFILES = "profiles"
CODE = frozenset({"llama_bin"})
"""Options that load a library. A project's file must not choose them: it may come with a download,
and a library is code."""
TEXT_PATHS = frozenset({"output_dir", "hotwords"})
"""Options whose text may be a path: taken from the file's folder, as real paths are."""

Value: TypeAlias = bool | int | float | str | list[str]


@dataclass(frozen=True)
class Setting:
    """A value and where it came from."""

    value: Any
    origin: str
    """For people: `FILE, line N`, a variable's name, `default`."""
    kind: str = "default"
    """For programs: default, user file, project file, profile, environment."""
    is_passed: bool = True
    """False: what reads it is not the command line but the library itself."""


@dataclass(frozen=True)
class _Table:
    """One table of a file, and what may stand in it."""

    file: SettingsFile
    path: tuple[str, ...]
    content: Mapping[str, Any]
    commands: Sequence[Options]
    """Those that it speaks to."""
    depth: int = 0
    """How many words of their names its path has."""

    @property
    def names(self) -> set[str]:
        """Commands and groups that may have a table in it."""
        words = (options.command.split() for options in self.commands)
        return {name[self.depth] for name in words if len(name) > self.depth}

    def below(self, name: str) -> "_Table":
        here = slice(self.depth, self.depth + 1)
        chosen = [o for o in self.commands if o.command.split()[here] == [name]]
        return replace(
            self,
            path=(*self.path, name),
            content=self.content[name],
            commands=chosen,
            depth=self.depth + 1,
        )


def check(file: SettingsFile, commands: Sequence[Options]) -> None:
    """Refuse keys that no command has, and values of another kind.

    Raises:
        UsageError: with file, line, and what may have been meant.
    """
    _check(_Table(file, (), file.data, commands), is_top=True)
    for name in profiles(file):
        _check(_profile(file, name, commands))


def profiles(file: SettingsFile) -> tuple[str, ...]:
    """Return the names of a file's profiles.

    Raises:
        UsageError: `profiles` holds something else.
    """
    tables = file.data.get(PROFILES, {})
    wrong = [tables] if not isinstance(tables, dict) else tables.values()
    if not all(isinstance(table, dict) for table in wrong):
        place = file.place((), PROFILES)
        raise UsageError(f"{place}: profiles are tables: [{PROFILES}.NAME], then options")
    return tuple(tables)


def values(file: SettingsFile, options: Options, profile: str | None = None) -> dict[str, Setting]:
    """Return what a file says for a command; its own table comes before what stands above."""
    if profile is None:
        table = _Table(file, (), file.data, [options])
        kind = "project file" if file.is_project else "user file"
    else:
        table = _profile(file, profile, [options])
        kind = "profile"
    before = f"profile {profile}, " if profile is not None else ""
    found: dict[str, Setting] = {}
    for level in _levels(table, options):
        for key, value in level.content.items():
            option = options.by_key.get(key.replace("-", "_"))
            if option is not None and not isinstance(value, dict):
                origin = before + file.place(level.path, key)
                found[option.name] = Setting(_typed(level, option, key), origin, kind)
    return found


def _profile(file: SettingsFile, name: str, commands: Sequence[Options]) -> _Table:
    return _Table(file, (PROFILES, name), file.data[PROFILES][name], commands)


def _levels(table: _Table, options: Options) -> Iterator[_Table]:
    yield table
    for word in options.command.split():
        if not isinstance(table.content.get(word), dict):
            return
        table = table.below(word)
        yield table


def _check(table: _Table, *, is_top: bool = False) -> None:
    keys = {key: option for options in table.commands for key, option in options.by_key.items()}
    reserved = {PROFILES, PROFILE} if is_top else set()
    for key, value in table.content.items():
        name = key.replace("-", "_")
        if name in reserved:
            continue
        if isinstance(value, dict) and key in table.names:
            _check(table.below(key))
        elif isinstance(value, dict):
            raise UsageError(_unknown(table, key, is_table=True, known=table.names | reserved))
        elif name not in keys:
            raise UsageError(_unknown(table, key, is_table=False, known={*keys} | reserved))
        else:
            for options in table.commands:
                if option := options.by_key.get(name):
                    _typed(table, option, key)


def _unknown(table: _Table, key: str, *, is_table: bool, known: set[str]) -> str:
    place = table.file.place(*(((*table.path, key),) if is_table else (table.path, key)))
    inside = f" in [{'.'.join(table.path)}]" if table.path else ""
    what = "table" if is_table else "option"
    hint = did_you_mean(key, sorted(known))
    if not hint and len(table.commands) == 1:
        hint = f"; funasr {table.commands[0].command} --help lists the options"
    return f"{place}: unknown {what} {key!r}{inside}{hint}"


def _typed(table: _Table, option: Option, key: str) -> Value:
    """Return a value as the command takes it."""
    value, place = table.content[key], table.file.place(table.path, key)
    if option.name in CODE and table.file.is_project:
        raise UsageError(
            f"{place}: {key} loads a library, which {PROJECT_FILE} may not choose; put it into "
            f"your own {USER_FILE}: funasr config path"
        )
    if option.several:
        parts = value if isinstance(value, list) else [value]
        if all(isinstance(part, str) for part in parts):
            return [_resolved(table.file, option, part) for part in parts]
        raise UsageError(f'{place}: {key} is {_shown(value)}; expected text, or a list ["a", "b"]')
    if option.name == "output_format" and isinstance(value, list):
        value = ",".join(map(str, value))  # typed, it is one text: srt,vtt
    typed = _scalar(option.kind, value)
    if typed is None:
        raise UsageError(f"{place}: {key} is {_shown(value)}; expected {option.kind.value}")
    if isinstance(typed, str):
        check_choice(option, f"{place}: {key} is", typed)
        return _resolved(table.file, option, typed)
    return typed


def _scalar(kind: Kind, value: object) -> bool | int | float | str | None:
    if isinstance(value, bool) or kind is Kind.FLAG:
        return value if isinstance(value, bool) and kind is Kind.FLAG else None
    if isinstance(value, str):
        return value if kind in {Kind.TEXT, Kind.PATH} else None
    if isinstance(value, (int, float)) and kind is Kind.TEXT:
        return str(value)  # start = 90
    if isinstance(value, int) and kind in {Kind.INTEGER, Kind.NUMBER}:
        return value
    return value if isinstance(value, float) and kind is Kind.NUMBER else None


def _resolved(file: SettingsFile, option: Option, text: str) -> str:
    """Take a relative path from the file's own folder, wherever the command is typed."""
    path = Path(os.path.expanduser(text))  # noqa: PTH111 - pathlib raises for the home of nobody
    if option.kind is not Kind.PATH and option.name not in TEXT_PATHS:
        return text
    if option.name == "output_dir" and text == "source":
        return text
    if option.name == "hotwords" and not (file.path.parent / path).is_file():
        return text  # words between commas
    return str(file.path.parent / path)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
