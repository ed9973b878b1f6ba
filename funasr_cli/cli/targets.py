"""Inputs and formats -> the files that are written, before anything is transcribed."""

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from funasr_cli.cli.arguments import FORMATS, STDIN
from funasr_cli.errors import UsageError

BESIDE = "source"
"""The value of -o that puts each file beside its input; a folder of that name is ./source."""
FIELDS = ("parent", "filename", "index", "date", "ext")


@dataclass(frozen=True)
class Targets:
    """Which files each input becomes; none when the text goes to stdout."""

    paths: dict[str, tuple[tuple[str, Path], ...]]

    def of(self, name: str) -> tuple[tuple[str, Path], ...]:
        """Return (format, path) for one input."""
        return self.paths.get(name, ())


def parse_targets(  # noqa: PLR0913 - all that a name depends on
    inputs: Sequence[str],
    formats: tuple[str, ...],
    folder: str | Path | None,
    template: str | None = None,
    *,
    roots: dict[str, Path] | None = None,
    today: date | None = None,
) -> Targets:
    """Choose a file for each input and format; inputs of one stem never share one.

    Args:
        inputs: names as typed; - is stdin.
        formats: formats asked for; none, but a folder or template: txt.
        folder: where the files go; None: the current folder; `source`: that of each input.
        template: name of a file with `FIELDS` in braces; None: the input's name, and more of it
            where that is not enough to tell inputs apart.
        roots: the folder of each input's files, where they differ; None: as `folder` says.
        today: for {date}; None: today.

    Raises:
        UsageError: the folder or template cannot be used, two inputs would become one file, or
            an output would overwrite an input.
    """
    if not formats and folder is None and template is None:
        return Targets({})
    names = {name: Path("stdin" if name == STDIN else name) for name in inputs}
    roots = roots or _roots(names, folder)
    kinds = formats or ("txt",)
    if template is None:
        bases = _bases(names, roots)
        paths = {
            name: tuple((kind, roots[name] / f"{bases[name]}.{FORMATS[kind]}") for kind in kinds)
            for name in names
        }
    else:
        if folder == BESIDE and "parent" in dict(_fields(template)):
            raise _unusable(template, "-o source stands for {parent}; leave one of them out")
        day = today or _today()
        paths = {
            name: tuple(
                (kind, roots[name] / _filled(template, _Values(path, number, day, FORMATS[kind])))
                for kind in kinds
            )
            for number, (name, path) in enumerate(names.items(), 1)
        }
    _refuse_collisions(names, paths)
    return Targets(paths)


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the day on the user's calendar


def _roots(names: dict[str, Path], folder: str | Path | None) -> dict[str, Path]:
    if folder == BESIDE:
        return {name: path.parent for name, path in names.items()}
    root = Path(folder or "")
    try:
        if root.exists() and not root.is_dir():
            raise UsageError(f"-o {folder}: is a file, not a folder")
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be used ({error.strerror})") from error
    return dict.fromkeys(names, root)


@dataclass(frozen=True)
class _Values:
    """What the fields of a template stand for."""

    path: Path
    index: int
    today: date
    ext: str

    def of(self, field: str, spec: str) -> str:
        if field == "date":
            return self.today.strftime(spec or "%Y%m%d")
        values: dict[str, str | int] = {
            "parent": str(self.path.parent),
            "filename": self.path.stem,
            "index": self.index,
            "ext": self.ext,
        }
        return format(values[field], spec)


def _fields(template: str) -> Iterator[tuple[str, str]]:
    """Yield each field of a template with its format.

    Raises:
        UsageError: it is no template, or a field is unknown.
    """
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _unusable(template, "a brace stands alone; as a character it is {{ or }}") from error
    for _, field, spec, conversion in parsed:
        if field is None:
            continue
        if conversion:
            raise _unusable(template, f"!{conversion} means nothing here; write {{{field}}}")
        if field not in FIELDS:
            near = get_close_matches(field, FIELDS, n=1)
            hint = f"did you mean {{{near[0]}}}? " if near else ""
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise _unusable(template, f"unknown field {{{field}}}; {hint}known are {known}")
        yield field, spec or ""


def _filled(template: str, values: _Values) -> str:
    """Fill a template in; without {ext} the suffix comes last."""
    has_suffix = "ext" in dict(_fields(template))
    text = ""
    for literal, field, spec, _ in string.Formatter().parse(template):
        text += literal
        if field is not None:
            try:
                text += values.of(field, spec or "")
            except ValueError as error:
                example = "{index:03} or {date:%Y-%m-%d}"
                hint = f"{spec!r} is no format for {{{field}}}; write e.g. {example}"
                raise _unusable(template, hint) from error
    if not text or text.endswith(("/", "\\", "..")) or not Path(text).name:
        raise _unusable(template, "names no file; write e.g. {filename}")
    return text if has_suffix else f"{text}.{values.ext}"


def _unusable(template: str, reason: str) -> UsageError:
    return UsageError(f"--output-template {template}: {reason}")


def _refuse_collisions(
    names: dict[str, Path], paths: dict[str, tuple[tuple[str, Path], ...]]
) -> None:
    recordings = {_absolute(path) for name, path in names.items() if name != STDIN}
    taken: dict[str, Path] = {}
    for target in (path for own in paths.values() for _, path in own):
        absolute = _absolute(target)
        if absolute in recordings:
            raise UsageError(f"{target}: is an input and would be overwritten; use another -o")
        # Windows and macOS fold case: A.srt and a.srt would be one file
        if other := taken.get(str(absolute).casefold()):
            same = "twice" if other == target else f"beside {other}"
            raise UsageError(
                f"{target}: would be written {same}; add {{index}} or {{parent}} to "
                "--output-template, and {ext} where several formats are asked for"
            )
        taken[str(absolute).casefold()] = target


def _bases(names: dict[str, Path], roots: dict[str, Path]) -> dict[str, str]:
    """Give each input a base name that no other has in the same folder."""
    groups: dict[Path, dict[str, Path]] = {}
    for name, path in names.items():
        groups.setdefault(_absolute(roots[name]), {})[name] = path
    return {name: base for group in groups.values() for name, base in _told_apart(group).items()}


def _told_apart(names: dict[str, Path]) -> dict[str, str]:
    """Name inputs by what is needed: a; a.mp3 and a.wav; x-a.mp3 and y-a.mp3."""
    candidates = (
        lambda path: path.stem,
        lambda path: path.name,
        lambda path: f"{_absolute(path).parent.name}-{path.name}",
    )
    bases: dict[str, str] = {}
    left = dict(names)
    for candidate in candidates:
        wanted = {name: candidate(path) for name, path in left.items()}
        # Windows and macOS fold case: A.srt and a.srt would be one file
        counts = Counter(base.casefold() for base in (*wanted.values(), *bases.values()))
        unique = {name: base for name, base in wanted.items() if counts[base.casefold()] == 1}
        bases |= unique
        left = {name: path for name, path in left.items() if name not in unique}
    for number, (name, path) in enumerate(left.items(), 1):
        bases[name] = f"{path.name}-{number}"
    return bases


def _absolute(path: Path) -> Path:
    """Follow the links to a file's folder; a file that is a link is itself."""
    return (
        _resolved(path.parent.absolute()) / path.name
        if path.name not in {"", ".."}
        else _resolved(path.absolute())
    )


@lru_cache(maxsize=4096)
def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()
