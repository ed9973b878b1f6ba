"""What people type -> values, with an error that says what was expected."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from funasr_cli.errors import UsageError

FORMATS = ("txt", "srt", "json")
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
        UsageError: the folder is a file, or one input is named twice.
    """
    if not formats and folder is None:
        return Targets({})
    if folder is not None and folder.exists() and not folder.is_dir():
        raise UsageError(f"-o {folder}: is a file, not a folder")
    names = {name: Path("stdin" if name == "-" else name) for name in inputs}
    stems = Counter(path.stem.lower() for path in names.values())
    paths: dict[str, tuple[tuple[str, Path], ...]] = {}
    taken: set[Path] = set()
    for name, path in names.items():
        # a.mp3 and a.wav become a.mp3.srt and a.wav.srt
        base = path.name if stems[path.stem.lower()] > 1 else path.stem
        own = tuple((kind, (folder or Path()) / f"{base}.{kind}") for kind in formats or ("txt",))
        twice = taken & {target for _, target in own}
        if twice:
            raise UsageError(f"{name}: {twice.pop()} is already the output of another input")
        taken |= {target for _, target in own}
        paths[name] = own
    return Targets(paths)
