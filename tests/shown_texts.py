"""Every text of the program that people may see, read from its source: what a catalogue needs.

A text is a template: what an f-string fills in is written `{}`. Any string of two or more words
counts as a text for people, wherever it stands, unless `shown_lists` has it as something else; so a
new message cannot be forgotten. Help comes from the commands themselves.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from shown_lists import OTHERS, UNSEEN, UNSEEN_FILES, UNSEEN_TEXTS, WORDS

import funasr_cli
from funasr_cli.cli.messages.catalogue import normalise, paragraphs
from funasr_cli.timings import Timings

PACKAGE = Path(funasr_cli.__file__).parent

_SITES = {"Check": 2, "Finding": 1, "show_table": 9, "add_column": 1, "tr_word": 1}
"""Calls of which the first arguments are words for people, and how many."""

_NOT_TEXTS = {"startswith", "endswith", "split", "replace", "rpartition", "partition", "strptime"}
_MOST_FORMS = 16


@dataclass
class Shown:
    """A text and where it stands."""

    files: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """What stands in each placeholder, for those who translate."""


@lru_cache(maxsize=1)
def shown_texts() -> dict[str, Shown]:
    """Read all templates, in the order of the files."""
    found: dict[str, Shown] = {}
    for text in help_texts():
        found.setdefault(text, Shown(["--help"]))
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if name.startswith(UNSEEN_FILES):
            continue
        for text, parts in File(ast.parse(file.read_text(encoding="utf-8"))).texts():
            shown = found.setdefault(text, Shown(parts=parts))
            if name not in shown.files:
                shown.files.append(name)
    stages = [stage.name for stage in fields(Timings)]
    for origin, texts in (("words", WORDS), ("timings.py", stages), ("others", OTHERS)):
        for text in texts:
            found.setdefault(text, Shown([origin]))
    return found


def help_texts() -> Iterator[str]:
    """Read the help of all commands and options, one paragraph at a time."""
    from typer.main import get_command

    from funasr_cli.cli.app import app

    def walk(command: Any) -> Iterator[str]:  # noqa: ANN401 - Typer carries its own Click
        yield from (command.help or "", command.epilog or "")
        for parameter in command.params:
            yield getattr(parameter, "help", None) or ""
        for below in getattr(command, "commands", {}).values():
            yield from walk(below)

    for text in walk(get_command(app)):
        for is_verbatim, paragraph in paragraphs(text):
            if not is_verbatim:
                yield paragraph


def _is_prose(text: str) -> bool:
    words = re.findall(r"[A-Za-z]{2,}", text.replace("{}", " "))
    is_between = "{} " in text or " {}" in text
    is_said = len(words) > 1 or (is_between and any(len(word) > 3 for word in words))
    return is_said and " " in text and not UNSEEN.fullmatch(text)


class File:
    """One module: the strings in it, with local names looked up."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._scopes: list[dict[str, ast.expr | None]] = []
        self._looking: set[str] = set()

    def texts(self) -> Iterator[tuple[str, list[str]]]:
        for text, parts in self._visit(self._tree):
            # what is filled in is a message, in which a new line is one; the others may be help
            blocks = [(True, text)] if "{}" in text else paragraphs(text)
            for is_verbatim, block in blocks:
                for line in block.splitlines() if is_verbatim else [block]:
                    core = normalise(line)
                    if core not in UNSEEN_TEXTS and _is_prose(core):
                        yield core, parts
        for node in ast.walk(self._tree):
            for word in _site_words(node):
                yield word, []

    def _visit(self, node: ast.AST) -> Iterator[tuple[str, list[str]]]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._scopes.append(_assigned(node))
            parts: list[ast.AST] = [*node.body, *node.args.defaults, *node.decorator_list]
            yield from self._visit_all([*parts, *filter(None, node.args.kw_defaults)])
            self._scopes.pop()
        elif isinstance(node, ast.AnnAssign):
            yield from self._visit_all(filter(None, [node.value]))
        elif isinstance(node, ast.expr) and (forms := self._forms(node)) is not None:
            yield from (form for form in forms if form[0] != "{}")
            inner = (part.value for part in ast.walk(node) if isinstance(part, ast.FormattedValue))
            yield from self._visit_all(inner)
        elif not _is_no_text(node):
            yield from self._visit_all(ast.iter_child_nodes(node))

    def _visit_all(self, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, list[str]]]:
        for node in nodes:
            yield from self._visit(node)

    def _forms(self, node: ast.expr) -> list[tuple[str, list[str]]] | None:
        """All forms of a string expression; None: it is no string as far as one can see."""
        if isinstance(node, ast.Constant):
            return [(node.value, [])] if isinstance(node.value, str) else None
        if isinstance(node, ast.JoinedStr):
            return _joined([self._piece(part) for part in node.values])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            sides = [(self._forms(side), side) for side in (node.left, node.right)]
            if any(forms for forms, _ in sides):
                return _joined([forms or [_unknown(side)] for forms, side in sides])
        if isinstance(node, ast.IfExp):
            yes, no = self._forms(node.body), self._forms(node.orelse)
            return None if yes is None or no is None else yes + no
        return None

    def _piece(self, part: ast.expr) -> list[tuple[str, list[str]]]:
        if not isinstance(part, ast.FormattedValue):
            return self._forms(part) or []
        value, name = part.value, ast.unparse(part.value)
        if isinstance(value, ast.Name):
            found = [scope[name] for scope in reversed(self._scopes) if name in scope]
            value = (found and found[0]) or value
        if part.format_spec or not isinstance(value, ast.IfExp) or name in self._looking:
            return [_unknown(part.value)]
        self._looking.add(name)  # two names may be made of each other
        forms = self._forms(value)
        self._looking.remove(name)
        return forms or [_unknown(part.value)]


def _site_words(node: ast.AST) -> Iterator[str]:
    """Single words in the first arguments of a call that shows them."""
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    name = node.func.id if isinstance(node.func, ast.Name) else name
    for argument in node.args[: _SITES.get(name or "", 0)]:
        for inner in ast.walk(argument):
            if isinstance(inner, ast.Constant) and re.fullmatch("[a-z-]{2,}", str(inner.value)):
                yield str(inner.value)


def _unknown(node: ast.expr) -> tuple[str, list[str]]:
    return "{}", [ast.unparse(node)]


def _joined(
    pieces: list[list[tuple[str, list[str]]]],
) -> list[tuple[str, list[str]]]:
    """Join the pieces of a string, in each of their forms."""
    forms = list(product(*pieces))[:_MOST_FORMS]
    return [
        ("".join(text for text, _ in form), [part for _, parts in form for part in parts])
        for form in forms
    ]


def _assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr | None]:
    """Names that a function sets just once, and not from itself; the others: None."""
    found: dict[str, ast.expr | None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            uses = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
            found[name] = None if name in found or name in uses else node.value
    return found


def _is_no_text(node: ast.AST) -> bool:
    """Whether the strings below are not shown: docstrings (help reads its own) and questions."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return isinstance(node, (ast.Compare, ast.arguments))
    of_re = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
    return of_re or node.func.attr in _NOT_TEXTS
