"""A word list as the user gives it: a file, or words between commas.

One word a line. `# comment` and blank lines are skipped; `word ^2.0` is a weight as other tools
know it, which this model has no use for; `spoken|spoken = written` names other ways to say it.
"""

import re
import unicodedata
from collections.abc import Iterator
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
_BYTE_LINE_ENDS: Final = re.compile(rb"\r\n|\r|\n")
"""In UTF-8 and GB18030 no other character contains these bytes."""


@dataclass(frozen=True)
class WordList:
    """Words to write right, in the order given, each once."""

    words: tuple[str, ...]
    aliases: tuple[tuple[str, str], ...] = ()
    """(spoken form, written form); the written forms are among the words."""
    notes: tuple[str, ...] = ()
    """What the user should know about how the list was read."""


@dataclass(frozen=True)
class Entry:
    """One line with a word."""

    where: str
    """`names.txt, line 3`; `hotword 3` between commas."""
    word: str
    """How it is written."""
    spoken: tuple[str, ...] = ()
    """Other ways to say it."""
    weighted: bool = False


@dataclass(frozen=True)
class Problem:
    """A line that cannot be used."""

    where: str
    what: str


@dataclass(frozen=True)
class Reading:
    """A list line by line, with all that is wrong with it."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_hotwords(spec: str) -> WordList:
    """Read a word list.

    Args:
        spec: A file (UTF-8, with or without BOM, or GB18030), or words and text files between
            commas (also full-width ones). What looks like a path is never taken for a word.

    Raises:
        InputError: a file is missing or undecodable, or a word cannot go into a prompt.
    """
    reading = read_entries(spec)
    if reading.problems:
        first, *others = reading.problems
        more = f" (and {len(others)} more: `funasr hotwords check`)" if others else ""
        raise InputError(f"{first.where}: {first.what}{more}")
    aliases = {form: entry.word for entry in reading.entries for form in entry.spoken}
    notes = list(reading.notes)
    if weighted := sum(entry.weighted for entry in reading.entries):
        notes.append(f"{weighted} weights (word ^2.0) ignored: the model has no use for them")
    words = dict.fromkeys(entry.word for entry in reading.entries)
    return WordList(tuple(words), tuple(aliases.items()), tuple(notes))


def read_entries(spec: str) -> Reading:
    """Read a word list line by line, past what is wrong with it; `spec` as `read_hotwords`.

    Raises:
        InputError: a file is missing, or nothing of it can be read.
    """
    notes: list[str] = []
    entries: list[Entry] = []
    problems: list[Problem] = []
    for where, line in _lines(spec, notes):
        read = _entry(where, line)
        if isinstance(read, Problem):
            problems.append(read)
        elif read is not None:
            entries.append(read)
    return Reading(tuple(entries), tuple(problems), tuple(notes))


def named_files(spec: str) -> tuple[Path, ...]:
    """Files that a list is read from; `spec` as `read_hotwords`."""
    path = _existing_file(spec)
    if path:
        return (path,)
    parts = (part.strip() for part in _COMMAS.split(spec))
    files = (_existing_file(part) for part in parts if Path(part).suffix.lower() in _TEXT_FILES)
    return tuple(path for path in files if path)


def _lines(spec: str, notes: list[str]) -> Iterator[tuple[str, str | None]]:
    """Go through the lines and where they stand; None: a line that cannot be decoded."""
    path = _existing_file(spec)
    if path:
        yield from _file_lines(path, notes)
        return
    parts = [part.strip() for part in _COMMAS.split(spec)]
    if len(parts) == 1 and ("/" in spec or "\\" in spec):
        raise InputError(f"{spec}: no such hotword file (if it is a word, put a comma behind it)")
    for number, part in enumerate(parts, 1):
        if Path(part).suffix.lower() in _TEXT_FILES:
            path = _existing_file(part)
            if path is None:
                raise InputError(f"{part}: no such hotword file")
            yield from _file_lines(path, notes)
        else:
            yield f"hotword {number}", part


def _file_lines(path: Path, notes: list[str]) -> Iterator[tuple[str, str | None]]:
    for number, line in enumerate(_decode(path, notes), 1):
        yield f"{path}, line {number}", line


def _existing_file(spec: str) -> Path | None:
    try:
        path = Path(spec).expanduser()
        # a pipe: --hotwords <(grep ...)
        return path if path.is_file() or path.is_fifo() else None
    except (OSError, ValueError, RuntimeError):  # too long, with a NUL, ~nobody: no file's name
        return None


def _decode(path: Path, notes: list[str]) -> list[str | None]:
    """Read the lines of a file; None where one is in no known encoding."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    encoding = "utf-16" if data.startswith(_UTF16_MARKS) else _utf8_or_gb18030(data)
    if encoding != "utf-8-sig":
        notes.append(f"{path}: not UTF-8, read as {encoding}")
    try:
        return [*_LINE_ENDS.split(data.decode(encoding))]
    except UnicodeDecodeError:
        if encoding == "utf-16":
            lines = _LINE_ENDS.split(data.decode(encoding, errors="replace"))
            return [None if "\ufffd" in line else line for line in lines]
        return [_decode_line(line, encoding) for line in _BYTE_LINE_ENDS.split(data)]


def _decode_line(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf8_or_gb18030(data: bytes) -> str:
    """Tell UTF-8 with a broken byte, which is an error, from GB18030, where hardly any fits."""
    text = data.decode("utf-8-sig", errors="replace")
    broken = text.count("\ufffd")
    whole = sum(not char.isascii() for char in text) - broken
    return "utf-8-sig" if whole >= broken else "gb18030"


def _entry(where: str, line: str | None) -> Entry | Problem | None:
    """Read one line; None: it holds nothing but a comment."""
    if line is None:
        return Problem(where, "neither UTF-8 nor GB18030; save the file as UTF-8")
    bare = _COMMENT.sub("", _INVISIBLE.sub("", line)).strip()
    plain = _WEIGHT.sub("", bare)
    if unsafe := _unsafe(plain):
        return Problem(where, unsafe)
    *spoken, written = _forms(plain)
    if not written:
        return Problem(where, f"{bare!r} names no word to write") if bare else None
    forms = tuple(form for form in spoken if form and form != written)
    return Entry(where, written, forms, plain != bare)


def _forms(line: str) -> list[str]:
    """Split `spoken|spoken = written`, or `spoken|written`; the written form comes last."""
    left, equals, right = f"{line} ".rpartition(" = ")
    if not equals and "|" in line:
        left, equals, right = line.rpartition("=")
    if equals:
        return [form.strip() for form in (*left.split("|"), right)]
    return [form.strip() for form in line.split("|")]


def _unsafe(word: str) -> str:
    """Say why the prompt would turn a text into something else than a word; empty: it would not."""
    if MARKUP.search(word):
        return f"{word!r} would be read as a control token of the model"
    if any(unicodedata.category(char) in _CONTROL for char in word):
        return f"{word!r} contains a control character"
    return ""
