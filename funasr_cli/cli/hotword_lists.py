"""The word lists of one command: read once, and again where a file has changed since."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.hotwords import WordList
    from funasr_cli.options import TranscribeOptions

Stamps: TypeAlias = "dict[Path, tuple[int, int] | None]"
"""Time of change and size of each file; None: it cannot be looked at."""


@dataclass
class _List:
    """One --hotwords."""

    spec: str
    stamps: Stamps
    read: "WordList"


class HotwordLists:
    """All lists in the order given.

    Raises:
        InputError: one cannot be read at the beginning. Later the old one is kept instead.
    """

    def __init__(self, specs: Sequence[str], sink: "Sink") -> None:
        self._sink = sink
        self._lists = [self._open(spec) for spec in specs]

    def _open(self, spec: str) -> _List:
        from funasr_cli.hotwords.wordlist import named_files

        files = [path for path in named_files(spec) if _stamp(path)]  # a pipe is read once
        stamps = _stamps(files)  # first: what is written meanwhile is read the next time
        return _List(spec, stamps, self._read(spec))

    def _read(self, spec: str) -> "WordList":
        from funasr_cli.hotwords import read_hotwords

        found = read_hotwords(spec)
        for note in found.notes:
            self._sink.warn(note)
        return found

    def renew(self, options: "TranscribeOptions") -> "TranscribeOptions":
        """Put the words into options, read again where a file has changed."""
        words: dict[str, None] = {}
        aliases: dict[str, str] = {}
        for one in self._lists:
            self._renew(one)
            words |= dict.fromkeys(one.read.words)
            aliases |= dict(one.read.aliases)
        return replace(options, hotwords=tuple(words), hotword_aliases=tuple(aliases.items()))

    def _renew(self, one: _List) -> None:
        from funasr_cli.errors import InputError

        stamps = _stamps(one.stamps)
        if stamps == one.stamps:
            return
        one.stamps = stamps
        kept = "the hotwords that were read before stay"
        if lost := [str(path) for path, stamp in stamps.items() if stamp is None]:
            self._sink.warn(f"{', '.join(lost)}: cannot be read any more; {kept}")
            return
        try:
            one.read = self._read(one.spec)
        except InputError as error:
            self._sink.warn(f"{error}; {kept}")
        else:
            self._sink.note(f"{one.spec}: has changed, {len(one.read.words)} hotwords now")


def _stamps(files: "Sequence[Path] | Stamps") -> Stamps:
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if S_ISREG(found.st_mode) else None
