"""What people type -> values, with an error that says what was expected."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import UsageError

STDIN = "-"
FORMATS = ("txt", "srt", "json", "html")
SYNONYMS = {"text": "txt"}
_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)(s|ms)?")


@dataclass(frozen=True)
class Targets:
    """Which files each input becomes; none when the text goes to stdout."""

    paths: dict[str, tuple[tuple[str, Path], ...]]

    def of(self, name: str) -> tuple[tuple[str, Path], ...]:
        """Return (format, path) for one input."""
        return self.paths.get(name, ())


def parse_seconds(option: str, text: str) -> float:
    """Read `90`, `1:30`, `1:02:03.5` or `90000ms` as seconds.

    Raises:
        UsageError: it is none of these.
    """
    match = _CLOCK.fullmatch(text.strip())
    clock = match is not None and match[2] is not None
    if match is None or (clock and match[4]):
        raise UsageError(f"{option} {text}: not a time; write 90, 1:30, 1:02:03.5 or 90000ms")
    hours, minutes, seconds = (float(part or 0) for part in match.groups()[:3])
    return (hours * 60 + minutes) * 60 + seconds / (1000 if match[4] == "ms" else 1)


def parse_formats(text: str | None) -> tuple[str, ...]:
    """Read a comma separated list of formats, `all` included; None = none asked for.

    Raises:
        UsageError: one of them is unknown; an audio file's name gets a hint.
    """
    if text is None:
        return ()
    found: dict[str, None] = {}
    if not text.strip(" ,，"):
        raise UsageError(f"--format: names no format; known are {', '.join(FORMATS)} and all")
    for part in filter(None, re.split(r"[,，\s]+", text)):
        name = SYNONYMS.get(part.lower(), part.lower())
        if name == "all":
            return FORMATS
        if name not in FORMATS:
            raise UsageError(f"--format {part}: {_hint(part)}")
        found[name] = None
    return tuple(found)


def _hint(part: str) -> str:
    if Path(part).suffix:
        return f"-f chooses the output format; name the recording alone: funasr transcribe {part}"
    near = get_close_matches(part.lower(), FORMATS, n=1)
    known = f"known are {', '.join(FORMATS)} and all"
    return f"did you mean {near[0]}? ({known})" if near else f"unknown; {known}"


def parse_targets(inputs: Sequence[str], formats: tuple[str, ...], folder: Path | None) -> Targets:
    """Choose a file for each input and format; inputs of one stem never share one.

    Args:
        inputs: names as typed; - is stdin.
        formats: formats asked for; none, but a folder: txt.
        folder: where the files go; None: the current folder.

    Raises:
        UsageError: the folder cannot be used, or an output would overwrite an input.
    """
    if not formats and folder is None:
        return Targets({})
    try:
        if folder is not None and folder.exists() and not folder.is_dir():
            raise UsageError(f"-o {folder}: is a file, not a folder")
    except OSError as error:
        raise UsageError(f"-o {folder}: cannot be used ({error.strerror})") from error
    names = {name: Path("stdin" if name == STDIN else name) for name in inputs}
    recordings = {_absolute(path) for name, path in names.items() if name != STDIN}
    paths: dict[str, tuple[tuple[str, Path], ...]] = {}
    for name, base in _bases(names).items():
        own = tuple((kind, (folder or Path()) / f"{base}.{kind}") for kind in formats or ("txt",))
        for _, target in own:
            if _absolute(target) in recordings:
                raise UsageError(f"{target}: is an input and would be overwritten; use another -o")
        paths[name] = own
    return Targets(paths)


def _bases(names: dict[str, Path]) -> dict[str, str]:
    """Give each input a base name of its own: a; a.mp3 and a.wav; x-a.mp3 and y-a.mp3."""
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


def may_exist(name: str) -> bool:
    """Tell whether it is worth loading a model for an input; reading it explains the rest."""
    try:
        return name == STDIN or os.path.lexists(name)
    except (OSError, ValueError):
        return True


def _absolute(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return path.absolute()
