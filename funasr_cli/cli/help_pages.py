"""Help pages in the user's language: translated, and wrapped by the width on the screen.

Click measures and wraps by counting characters and breaks lines at spaces alone. A Chinese
character takes two columns, and a line may end behind nearly every one of them.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from funasr_cli.cli.messages import tr, tr_help, tr_word
from funasr_cli.cli.messages.catalogue import paragraphs

_NOT_FIRST = frozenset("，。；：！？、）」』》】…％)]")
"""Marks that no line begins with (W3C, Requirements for Chinese Text Layout, 3.1.3)."""
_NOT_LAST = frozenset("（「『《【([")
"""Marks that no line ends with."""
_EXTRAS = re.compile(r"(.*?)(?: {2})?\\?\[([^\[\]]+)\]", re.DOTALL)
"""What Click puts behind a help text: [default: 1; required]. Older Typers escape the bracket."""
_NARROWEST = 10


def display_width(text: str) -> int:
    """Count the columns of a terminal that a text takes."""
    return sum(2 if _is_wide(character) else 1 for character in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def wrap(text: str, width: int, kept: str = "") -> list[str]:
    """Break a paragraph into lines of at most so many columns; a longer word stands alone.

    Args:
        text: the paragraph.
        width: columns.
        kept: what follows it and is not broken.
    """
    lines = [""]
    used, space = 0, False
    for unit in [*_units(text), " ", *filter(None, [kept])]:
        if unit == " ":
            space = True
            continue
        more = display_width(unit) + space
        if used and used + more > width:
            lines.append(unit)
            used = display_width(unit)
        else:
            lines[-1] += " " * (space and used > 0) + unit
            used += more
        space = False
    return lines


def _units(text: str) -> Iterator[str]:
    """Cut a text into spaces and what must stay together: words, characters with their marks."""
    unit = ""
    for character in " ".join(text.split()):
        if character == " ":
            yield from filter(None, (unit, " "))
            unit = ""
        elif not unit or character in _NOT_FIRST or unit[-1] in _NOT_LAST:
            unit += character
        elif _is_wide(character) or _is_wide(unit[-1]):
            yield unit
            unit = character
        else:
            unit += character
    if unit:
        yield unit


class TranslatedPages:
    """Put before Click's HelpFormatter: writes the same pages, in Chinese."""

    width: int
    current_indent: int

    def write(self, string: str) -> None:
        """Append to the page."""
        super().write(string)  # type: ignore[misc]  # of Click's formatter

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how a command is called."""
        start = f"{tr_word((prefix or 'Usage:').strip())}{prog} "
        margin = " " * display_width(start)
        lines = wrap(args, max(self.width - len(margin), _NARROWEST))
        self.write(start + f"\n{margin}".join(lines) + "\n")

    def write_heading(self, heading: str) -> None:
        """Write the title of a section."""
        self.write(f"{' ' * self.current_indent}{tr_word(heading)}：\n")

    def write_text(self, text: str) -> None:
        """Write paragraphs; those that are to keep their lines do."""
        margin = " " * self.current_indent
        blocks = []
        for is_verbatim, block in paragraphs(tr_help(text)):
            lines = block.splitlines() if is_verbatim else wrap(block, self.width - len(margin))
            blocks.append("\n".join(f"{margin}{line}" for line in lines))
        self.write("\n\n".join(blocks) + "\n")

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and what they mean, in two columns."""
        column = min(max(display_width(name) for name, _ in rows), col_max) + col_spacing
        margin = " " * (self.current_indent + column)
        for name, meaning in rows:
            lines = wrap(*_with_extras(meaning, max(self.width - len(margin), _NARROWEST)))
            gap = column - display_width(name)
            first = " " * gap if gap >= col_spacing else f"\n{margin}"
            head = f"{' ' * self.current_indent}{name}"
            self.write((head + first + f"\n{margin}".join(lines)).rstrip() + "\n")


def _with_extras(text: str, width: int) -> tuple[str, int, str]:
    """Translate a meaning, and the default or range behind it: what `wrap` takes."""
    match = _EXTRAS.fullmatch(text)
    if match is None:
        return tr(text), width, ""
    extras = "；".join(tr_word(extra) for extra in match[2].split("; "))
    return tr(match[1]), width, f"[{extras}]"


def translate_pages(command: Any) -> None:  # noqa: ANN401 - Typer carries its own Click
    """Let a command and all below it write their help in the user's language."""
    context = command.context_class
    formatter = type("Pages", (TranslatedPages, context.formatter_class), {})
    pages = type("PagesContext", (context,), {"formatter_class": formatter})
    pending = [command]
    while pending:
        one = pending.pop()
        one.context_class = pages
        one.short_help = short_help(one)
        pending += getattr(one, "commands", {}).values()


def short_help(command: Any) -> str:  # noqa: ANN401
    """Write what a command does in one sentence."""
    _, first = next(paragraphs(command.short_help or command.help or ""), (False, ""))
    return tr(first).partition("。")[0]
