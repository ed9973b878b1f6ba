"""How every command reads its arguments: names people type, then files and variables.

`equip` gives all commands of an app what stands here; a command itself knows nothing of it.
"""

import inspect
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeAlias

import typer
from typer.core import TyperCommand, TyperGroup

from funasr_cli.cli.messages import tr
from funasr_cli.cli.names.metavars import name_values, without_type
from funasr_cli.cli.names.near import did_you_mean
from funasr_cli.cli.names.options import PROFILE, Options, commands, options_of
from funasr_cli.cli.names.respell import Respelled, first_input, respell
from funasr_cli.errors import UsageError

USAGE = 2
DEFAULT = "transcribe"
"""The command of `funasr talk.mp3`."""
_INSTEAD = {"--diagnostics": ["doctor"], "--list-devices": ["doctor", "--devices"]}
"""Options of other tools that are commands here."""
_Context: TypeAlias = Any
"""Typer's context, which older versions take from Click."""
_ParserError: Any = typer.BadParameter.__mro__[1]
"""Usage errors of Typer's own parser, which it does not export."""


class Command(TyperCommand):
    """A command whose options may be typed, set in files or in variables."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Typer makes it
        super().__init__(*args, **kwargs)
        for parameter in self.params:
            if parameter.param_type_name == "argument":
                argument: Any = parameter
                argument.metavar = parameter.metavar or str(parameter.name).upper()
                argument.display_type_rich = without_type

    def format_help(self, ctx: _Context, formatter: Any) -> None:  # noqa: ANN401 - likewise
        """Write the help, with words for what options take."""
        name_values(options_of(self, _path(ctx)))
        super().format_help(ctx, formatter)

    def parse_args(self, ctx: _Context, args: list[str]) -> list[str]:
        """Read the arguments; a wrong one is one line and exit code 2."""
        if ctx.resilient_parsing:  # the shell asks for completions
            return super().parse_args(ctx, args)
        try:
            options = options_of(self, _path(ctx), tuple(ctx.help_option_names))
            typed = respell(args, options)
            if not typed.asks_help:
                _settle(ctx, options, typed)
            return super().parse_args(ctx, typed.arguments)
        except UsageError as error:
            _refuse(str(error))
        except _ParserError as error:
            _refuse(_told(error, ctx.command_path))

    def invoke(self, ctx: _Context) -> Any:  # noqa: ANN401 - as it is declared
        """Run with the origins of all settings at hand, for error messages."""
        from funasr_cli.cli.settings.layers import ORIGINS

        token = ORIGINS.set(ctx.meta.get(ORIGINS.name, {}))
        try:
            return super().invoke(ctx)
        finally:
            ORIGINS.reset(token)


class Group(TyperGroup):
    """A group that proposes the command that was meant."""

    def parse_args(self, ctx: _Context, args: list[str]) -> list[str]:
        """Find the command; a wrong one is one line and exit code 2."""
        if not args or ctx.resilient_parsing:
            return super().parse_args(ctx, self._completed(args))
        try:
            return super().parse_args(ctx, self._chosen(ctx, args))
        except UsageError as error:
            _refuse(str(error))
        except _ParserError as error:
            _refuse(_told(error, ctx.command_path))

    def _completed(self, args: list[str]) -> list[str]:
        return args

    def _chosen(self, ctx: _Context, args: list[str]) -> list[str]:
        name = args[0]
        if not name.startswith("-") and name not in self.commands:
            hint = did_you_mean(name, self.commands) or f": {', '.join(self.commands)}"
            raise UsageError(f"{_path(ctx)} has no command {name!r}{hint}")
        return args


class RootGroup(Group):
    """`funasr` itself: without a command it transcribes."""

    def _completed(self, args: list[str]) -> list[str]:
        is_plain = not args or args[0].startswith("-") or args[0] in self.commands
        return args if is_plain else [DEFAULT, *args]

    def _chosen(self, ctx: _Context, args: list[str]) -> list[str]:
        first = args[0]
        if first in _INSTEAD:
            return [*_INSTEAD[first], *args[1:]]
        own = {spelling for p in self.params for spelling in (*p.opts, *p.secondary_opts)}
        if first in self.commands or first in own | set(ctx.help_option_names):
            return args
        if first.startswith(("-", "++")) and first != "-":
            return self._options_first(ctx, args)
        if may_be_input(first):
            return [DEFAULT, *args]
        hint = did_you_mean(first, self.commands) or "; funasr --help lists the commands"
        raise UsageError(f"no command and no file {first!r}{hint}")

    def _options_first(self, ctx: _Context, args: list[str]) -> list[str]:
        """Find the command behind options: `funasr -q doctor`, `funasr -l zh talk.mp3`."""
        help_ = tuple(ctx.help_option_names)
        at = first_input(args, options_of(self.commands[DEFAULT], DEFAULT, help_))
        name = "" if at is None else args[at]
        if at is None or name not in self.commands:
            return [DEFAULT, *args]
        if hasattr(self.commands[name], "commands"):
            raise UsageError(f"options stand behind the command: funasr {name} COMMAND ...")
        return [name, *args[:at], *args[at + 1 :]]


def equip(app: typer.Typer, *, group: type[Group] = Group) -> None:
    """Give every command and group of an app the behaviour of this module."""
    app.info.cls = group
    for command in app.registered_commands:
        command.cls = Command
        if command.callback is not None:
            command.callback = _with_profile(command.callback)
    for below in app.registered_groups:
        below.cls = Group
        if below.typer_instance is not None:
            equip(below.typer_instance)


def may_be_input(word: str) -> bool:
    """Tell a recording, there or not, from a mistyped command."""
    separators = {os.sep, os.altsep or os.sep}
    is_path = word == "-" or any(s in word for s in separators) or bool(Path(word).suffix)
    return is_path or os.path.lexists(word)


def all_options(root: Any) -> list[Options]:  # noqa: ANN401 - Typer's group
    """Return the options of every command of the app."""
    return [options_of(command, path) for path, command in commands(root)]


def _with_profile(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--profile`, which only `Command` reads."""
    option = Annotated[
        str | None,
        typer.Option(
            f"--{PROFILE}", metavar="NAME", help="Options from [profiles.NAME] of a settings file."
        ),
    ]

    @wraps(command)
    def run(*args: object, profile: object = None, **kwargs: object) -> object:
        del profile
        return command(*args, **kwargs)

    signature = inspect.signature(command)
    parameters = [
        *signature.parameters.values(),
        inspect.Parameter(PROFILE, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=option),
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {**command.__annotations__, PROFILE: option}
    return run


def _settle(ctx: _Context, options: Options, typed: Respelled) -> None:
    """Put settings where the parser looks for what was not typed."""
    from funasr_cli.cli.settings.files import read_files
    from funasr_cli.cli.settings.layers import ORIGINS, make_layers, passed
    from funasr_cli.cli.settings.reading import check

    files = read_files()
    everything = all_options(ctx.find_root().command) if files else []
    for file in files:
        check(file, everything)
    layers = make_layers(files, _profile(typed.arguments))
    settings = passed(layers.settings(options))
    settings = {name: s for name, s in settings.items() if name not in typed.given}
    _check_ranges(ctx, options, settings)
    ctx.default_map = {name: setting.value for name, setting in settings.items()} | typed.flags
    ctx.meta[ORIGINS.name] = settings


def _check_ranges(ctx: _Context, options: Options, settings: dict[str, Any]) -> None:
    for option in options.all:
        if setting := settings.get(option.name):
            try:
                option.parameter.process_value(ctx, setting.value)
            except typer.BadParameter as error:
                key = "" if setting.kind == "environment" else f"{option.keys[0]}: "
                raise UsageError(f"{setting.origin}: {key}{_in_words(error.message)}") from error


def _profile(arguments: Sequence[str]) -> str | None:
    spelling = f"--{PROFILE}"
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    places = [at for at, argument in enumerate(before) if argument == spelling]
    return arguments[places[-1] + 1] if places else None


def _path(ctx: _Context) -> str:
    """`transcribe`, `hotwords check`: what stands behind `funasr`."""
    return " ".join(ctx.command_path.split()[1:])


def _told(error: Any, path: str) -> str:  # noqa: ANN401 - see _ParserError
    told = tr(_in_words(str(error.format_message()))).rstrip(".。")
    return f"{told[:1].lower()}{told[1:]}; see {path} --help"


def _in_words(message: str) -> str:
    """Replace what the library behind Typer's parser says of a wrong value."""
    before, mark, wrong = message.partition("Input should be ")
    return before + _expected(wrong) if mark else message


def _expected(wrong: str) -> str:
    if number := re.match(r"greater than or equal to (-?[\d.]*\d)", wrong):
        return f"expected {number[1]} or more"
    if number := re.match(r"less than or equal to (-?[\d.]*\d)", wrong):
        return f"expected {number[1]} or less"
    if wrong.startswith("a valid integer"):
        return "expected a whole number"
    return "expected a number" if wrong.startswith("a valid number") else f"expected {wrong}"


def _refuse(message: str) -> NoReturn:
    sys.stderr.write(f"funasr: {tr(message)}\n")
    raise typer.Exit(USAGE)
