"""Write docs/OPTIONS.md and OPTIONS.zh.md: every command and option, from what `--help` reads.

python tests/make_options.py       # tests/test_options_page.py fails where they are out of date
"""

# ruff: noqa: ANN401 - the classes of commands and options move between versions of Typer

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from funasr_cli.cli.app import EPILOG, app
from funasr_cli.cli.messages import LANGUAGE_VARIABLE, tr, tr_help

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "OPTIONS.md", "zh": DOCS / "OPTIONS.zh.md"}
HEADS = {
    "en": """# Commands and options

[中文](OPTIONS.zh.md). Made from the declarations that `--help` shows, by `python
tests/make_options.py`; do not edit. Every option may also be written in snake_case, stand in a
settings file, and be given as `FUNASR_<OPTION>`: [CONFIG.md](CONFIG.md).
""",
    "zh": """# 命令与选项

[English](OPTIONS.md)。由 `python tests/make_options.py` 根据 `--help` 的声明生成，请勿手改。
每个选项也可以写成 snake_case，写进设置文件，或用环境变量 `FUNASR_<选项>` 给出：
[CONFIG.md](CONFIG.md)。
""",
}
WORDS = {"en": ("option", "Exit codes", " Default: {}."), "zh": ("选项", "退出码", "默认：{}。")}


def page(language: str) -> str:
    """The whole page in `en` or `zh`."""
    before = os.environ.get(LANGUAGE_VARIABLE)
    os.environ[LANGUAGE_VARIABLE] = language
    try:
        root = typer.main.get_command(app)
        sections = [_section(name, command, language) for name, command in _commands(root)]
        codes = re.split("[:：]", tr(EPILOG), maxsplit=1)[1].strip()
    finally:
        if before is None:
            del os.environ[LANGUAGE_VARIABLE]
        else:
            os.environ[LANGUAGE_VARIABLE] = before
    return "\n".join([HEADS[language], *sections, f"## {WORDS[language][1]}\n\n{codes}\n"])


def _commands(command: Any, name: str = "funasr") -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield name, command
        return
    for child, own in children.items():
        if not own.hidden:
            yield from _commands(own, f"{name} {child}")


def _section(name: str, command: Any, language: str) -> str:
    head, _, default = WORDS[language]
    summary = _flowing(tr_help(command.help or ""))
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    usage = " ".join([name, *(_argument(a) for a in arguments)])
    rows = [
        f"| {_names(o)} | {_cell(tr_help(o.help or ''))}{_default(o, default)} |" for o in options
    ]
    table = "\n".join([f"| {head} | |", "|---|---|", *rows]) + "\n" if rows else ""
    return f"## `{usage}`\n\n{summary}\n\n{table}"


def _flowing(text: str) -> str:
    """Paragraphs as they are; what \\b protects is code."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("\b"):
            lines = block.lstrip("\b\n").split("\n")
            blocks.append(
                "\n".join(f"    {line.strip()}" for line in lines if line[-1:] not in ":：")
            )
        else:
            blocks.append(" ".join(block.split()))
    return "\n\n".join(blocks)


def _argument(argument: Any) -> str:
    shown = argument.metavar + ("..." if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _names(option: Any) -> str:
    names = [*option.opts, *option.secondary_opts]
    return ", ".join(f"`{name}`" for name in names)


def _default(option: Any, form: str) -> str:
    value = getattr(option.default, "value", option.default)
    if value is None or callable(value) or option.is_flag or value == "":
        return ""
    return form.format(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for chosen, file in PAGES.items():
        file.write_text(page(chosen), encoding="utf-8")
