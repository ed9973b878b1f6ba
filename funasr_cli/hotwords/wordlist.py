"""A word list as the user gives it: a file, or words between commas.

One word a line. `# comment` and blank lines are skipped; `word ^2.0` is a weight as other tools
know it, which this model has no use for; `spoken|spoken = written` names other ways to say it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from funasr_cli.errors import InputError
from funasr_cli.markup import MARKUP

_COMMAS: Final = re.compile("[,，、]")
_WEIGHT: Final = re.compile(r"\s*\^\s*[\d.]+\s*$")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")
_TEXT_FILES: Final = frozenset({".txt", ".csv", ".tsv", ".lst", ".list", ".dic", ".dict", ".md"})
_CONTROL: Final = frozenset({"Cc", "Cs"})
_INVISIBLE: Final = re.compile("[\ufeff\u200b\u200e\u200f]")
"""Left behind by copying from web pages: nobody wants them in a word."""
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class WordList:
    """Words to write right, in the order given, each once."""

    words: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...] = ()
    """(spoken form, written form); the written forms are among the words."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the list was read."""


def read_hotwords(spec: str) -> WordList:
    """Read a word list.

    Args:
        spec: A file (UTF-8, with or without BOM, or GB18030), or words and text files between
            commas (also full-width ones). What looks like a path is never taken for a word.

    Raises:
        InputError: a file is missing or undecodable, or a word cannot go into a prompt.
    """
    notes: list[str] = []
    path = _existing_file(spec)
    if path:
        return _parse(_lines(path, notes), notes)
    entries = [entry.strip() for entry in _COMMAS.split(spec)]
    if len(entries) == 1 and ("/" in spec or "\\" in spec):
        raise InputError(f"{spec}: no such hotword file (if it is a word, put a comma behind it)")
    found: list[tuple[str, str]] = []
    for number, entry in enumerate(entries, 1):
        if Path(entry).suffix.lower() in _TEXT_FILES:
            path = _existing_file(entry)
            if path is None:
                raise InputError(f"{entry}: no such hotword file")
            found += _lines(path, notes)
        else:
            found.append((f"hotword {number}", entry))
    return _parse(found, notes)


def _lines(path: Path, notes: list[str]) -> list[tuple[str, str]]:
    """Read a file: where each line stands, and the line."""
    lines = _LINE_ENDS.split(_decode(path, notes))
    return [(f"{path}, line {number}", line) for number, line in enumerate(lines, 1)]


def _existing_file(spec: str) -> Path | None:
    try:
        path = Path(spec).expanduser()
        return path if path.is_file() else None
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, ~nobody: no file's name
        return None


def _decode(path: Path, notes: list[str]) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else _utf8_or_gb18030(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: neither UTF-8 nor GB18030; save the file as UTF-8"
        ) from error
    if encoding != "utf-8-sig":
        notes.append(f"{path}: not UTF-8, read as {encoding}")
    return text


def _utf8_or_gb18030(data: bytes) -> str:
    """Tell UTF-8 with a broken byte, which is an error, from GB18030, where hardly any fits."""
    text = data.decode("utf-8-sig", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(not char.isascii() for char in text) - broken
    return "utf-8-sig" if whole >= broken else "gb18030"


def _parse(entries: Iterable[tuple[str, str]], notes: list[str]) -> WordList:
    words: dict[str, None] = {}
    aliases: dict[str, str] = {}
    weighted = 0
    for where, entry in entries:
        line = _COMMENT.sub("", _INVISIBLE.sub("", entry)).strip()
        plain = _WEIGHT.sub("", line)
        weighted += plain != line
        _refuse_unsafe(plain, where)
        *spoken, written = _forms(plain)
        if written:
            words[written] = None
            aliases.update((form, written) for form in spoken if form and form != written)
    if weighted:
        notes.append(f"{weighted} weights (word ^2.0) ignored: the model has no use for them")
    return WordList(tuple(words), tuple(aliases.items()), tuple(notes))


def _forms(line: str) -> list[str]:
    """Split `spoken|spoken = written`, or `spoken|written`; the written form comes last."""
    left, equals, right = line.rpartition(" = ")
    if not equals and "|" in line:
        left, equals, right = line.rpartition("=")
    if equals:
        return [form.strip() for form in (*left.split("|"), right)]
    return [form.strip() for form in line.split("|")]


def _refuse_unsafe(word: str, where: str) -> None:
    """Refuse what the prompt would turn into something else than a word."""
    if MARKUP.search(word):
        raise InputError(f"{where}: {word!r} would be read as a control token of the model")
    if any(unicodedata.category(char) in _CONTROL for char in word):
        raise InputError(f"{where}: {word!r} contains a control character")
