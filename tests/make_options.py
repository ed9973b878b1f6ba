"""Write docs/OPTIONS.md: every command and option, from the declarations that `--help` reads.

python tests/make_options.py       # tests/test_options_page.py fails where it is out of date
"""

# ruff: noqa: ANN401 - the classes of commands and options move between versions of Typer

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from funasr_cli.cli.app import EPILOG, app

PAGE = Path(__file__).parents[1] / "docs" / "OPTIONS.md"
HEAD = """# Commands and options

Made from the declarations that `--help` shows, by `python tests/make_options.py`; do not edit.
Every option may also be written in snake_case, stand in a settings file, and be given as
`FUNASR_<OPTION>`: [CONFIG.md](CONFIG.md).
"""


def page() -> str:
    """The whole page."""
    root = typer.main.get_command(app)
    parts = [HEAD, *(_section(name, command) for name, command in _commands(root))]
    return "\n".join([*parts, f"## Exit codes\n\n{EPILOG.removeprefix('Exit codes: ')}\n"])


def _commands(command: Any, name: str = "funasr") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, own in children.items():
        if not own.hidden:
            yield from _commands(own, f"{name} {child}")


def _section(name: str, command: Any) -> str:
    summary = _flowing(command.help or "")
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([name, *(_argument(a) for a in arguments)])
    rows = [f"| {_names(o)} | {_cell(o.help or '')}{_default(o)} |" for o in options]
    table = "\n".join(["| option | |", "|---|---|", *rows]) + "\n" if rows else ""
    return f"## `{usage}`\n\n{summary}\n\n{table}"


def _flowing(text: str) -> str:
    """Paragraphs as they are; what \\b protects is code."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("\b"):
            lines = block.lstrip("\b\n").split("\n")
            blocks.append("\n".join(f"    {line.strip()}" for line in lines if line[-1:] != ":"))
        else:
            blocks.append(" ".join(block.split()))
    return "\n\n".join(blocks)


def _argument(argument: Any) -> str:
    shown = (argument.metavar or argument.name).upper() + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _names(option: Any) -> str:
    names = [*option.opts, *option.secondary_opts]
    return ", ".join(f"`{name}`" for name in names)


def _default(option: Any) -> str:
    value = option.default
    if value is None or callable(value) or option.is_flag or value == "":
        return ""
    return f" Default: {value}."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
