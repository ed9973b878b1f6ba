"""`funasr config`: which settings hold, and where each came from."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from funasr_cli.errors import UsageError

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.names.options import Options
    from funasr_cli.cli.settings.layers import Layers
    from funasr_cli.cli.settings.reading import Setting


def config_group(honest: Callable[..., Any], epilog: str) -> typer.Typer:
    """Put the commands together; `honest` makes messages and exit codes of their errors."""
    group = typer.Typer(
        help="Show the settings: config.toml, funasr.toml, profiles, FUNASR_* variables.",
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name, command in {"show": show, "path": path}.items():
        group.command(name, epilog=epilog)(honest(command))
    return group


def show(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="All options of a command: transcribe, ..."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell each value and where it came from.

    Later ones win: default, config.toml, funasr.toml, profile, FUNASR_OPTION, the command line.
    Without COMMAND: what is set, of every command.

    \b
    Examples:
      funasr config show
      funasr config show transcribe --profile subtitles
      FUNASR_DEVICE=cpu funasr config show transcribe --json | jq .commands
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.command import all_options
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.settings.files import read_files
    from funasr_cli.cli.settings.layers import make_layers

    everything = all_options(ctx.find_root().command)
    chosen = _choose(everything, " ".join(command or ()))
    layers = make_layers(read_files(), ctx.params.get("profile"))
    settings = {o.command: _settings(layers, o, whole=bool(command)) for o in chosen}
    sink = Sink()
    if as_json:
        sink.data(json.dumps(_report(layers, settings), ensure_ascii=False, indent=1) + "\n")
    else:
        _print(settings, sink, whole=bool(command))
    for problem in layers.unknown_variables(everything):
        sink.warn(problem)


def path() -> None:
    """Tell where the files of settings lie: your own, there or not, then the project's if any."""
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.settings.files import PROJECT_FILE, project_file, user_file

    sink, own, project = Sink(), user_file(), project_file()
    sink.data(f"{own}\n")
    if project:
        sink.data(f"{project}\n")
    if not own.exists():
        sink.note(f'{own.name} is not there yet: make it, e.g. with the line  language = "zh"')
    if not project:
        sink.note(f"no {PROJECT_FILE} here or in a folder above")


def _choose(everything: "Sequence[Options]", command: str) -> "Sequence[Options]":
    from funasr_cli.cli.names.near import did_you_mean

    # `hotwords` alone means all that stand below it
    chosen = [o for o in everything if f"{o.command} ".startswith(f"{command} ") or not command]
    if not chosen:
        known = [options.command for options in everything]
        hint = did_you_mean(command, known) or f"; known are {', '.join(known)}"
        raise UsageError(f"no command {command!r}{hint}")
    return chosen


def _settings(layers: "Layers", options: "Options", *, whole: bool) -> "dict[str, Setting]":
    names = {option.name: option.keys[0] for option in options.all if option.keys}
    return {
        names[name]: setting
        for name, setting in layers.settings(options).items()
        if name in names and (whole or setting.kind != "default")
    }


def _report(layers: "Layers", settings: "dict[str, dict[str, Setting]]") -> dict[str, object]:
    return {
        "files": [str(file.path) for file in layers.files],
        "profile": layers.profile,
        "commands": {
            command: {
                name: {"value": _plain(s.value), "from": s.kind, "origin": s.origin}
                for name, s in found.items()
            }
            for command, found in settings.items()
        },
    }


def _print(
    settings: "dict[str, dict[str, Setting]]",
    sink: "Sink",
    *,
    whole: bool,
) -> None:
    from funasr_cli.cli.tables import show_table

    rows = [
        (command, name, _shown(setting.value), setting.origin)
        for command, found in settings.items()
        for name, setting in found.items()
    ]
    if rows:
        show_table(sink, ("command", "option", "value", "from"), rows)
    if not whole:
        sink.note(
            "every option has its default but these; funasr config show COMMAND shows all"
            if rows
            else "every option has its default; funasr config show COMMAND shows them"
        )


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value if isinstance(value, (bool, int, float, str, type(None))) else str(value)


def _shown(value: object) -> str:
    match _plain(value):
        case None:
            return "-"
        case bool() as truth:
            return str(truth).lower()
        case list() as parts:
            return ", ".join(map(str, parts)) or "-"
        case other:
            return str(other)
