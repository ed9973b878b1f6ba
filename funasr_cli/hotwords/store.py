"""Indices of long word lists, kept on disk: a second start reads what the first one built.

A file is found by all that decides what is in it: the words, this program's version and sources,
the table of readings. It holds numbers alone, no words. Losing it costs seconds; one that is
damaged is built again and replaced.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from funasr_cli.folders import keep, user_cache_folder
from funasr_cli.hotwords.index import Alternatives, HotwordIndex, WordGroup, written_forms
from funasr_cli.verdicts import fingerprint
from funasr_cli.version import __version__

LEAST_WORDS: Final = 1000
"""Shorter lists are built faster than it takes to care for a file."""
MOST_FILES: Final = 16
"""The least recently used ones are removed: about 1 MB for each ten thousand words."""
_SCHEMA: Final = "1"
_CHECK: Final = 32
"""Bytes of the SHA-256 of all others, in front of them."""
_PARTS: Final = ("pairs", "lengths", "words")


def open_index(
    words: Sequence[str], aliases: Mapping[str, str] | None = None, folder: Path | None = None
) -> HotwordIndex:
    """Read the index of a list from the cache, or build it and, if it is long, keep it.

    Args:
        words: The written forms.
        aliases: Other spoken forms -> the written form.
        folder: Where indices are kept; None: in the user's cache.
    """
    aliases = aliases or {}
    if len(words) + len(aliases) < LEAST_WORDS:
        return HotwordIndex.build(words, aliases)
    folder = folder or user_cache_folder() / "hotwords"
    file = folder / f"{_key(words, aliases)}.index"
    index = _load(file, words, aliases)
    if index is None:
        index = HotwordIndex.build(words, aliases)
        _save(index, file)
    return index


def _key(words: Sequence[str], aliases: Mapping[str, str]) -> str:
    package = Path(__file__).parent
    others = ("characters.py", "readings.txt")
    sources = fingerprint(*package.glob("*.py"), *(package.parent / name for name in others))
    parts = ((__version__, _SCHEMA, sources), words, [*aliases], [*aliases.values()])
    digest = sha256()
    for held in parts:
        # lengths first: no two lists make the same bytes
        digest.update(f"\0{len(held)}\0{' '.join(map(str, map(len, held)))}\0".encode())
        digest.update("".join(held).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _load(file: Path, words: Sequence[str], aliases: Mapping[str, str]) -> HotwordIndex | None:
    """Read an index; None: there is none, or not as it was written."""
    try:
        data = file.read_bytes()
        check, data = data[:_CHECK], data[_CHECK:]
        if sha256(data).digest() != check:
            return None
        os.utime(file)  # used last: removed last
    except OSError:
        return None
    with np.load(BytesIO(data), allow_pickle=False) as held:
        places = Alternatives(held["symbols"], held["offsets"])
        groups = tuple(
            WordGroup(*(held[f"{part}.{at}"] for part in _PARTS))
            for at in range(int(held["groups"]))
        )
        written = written_forms(words, aliases)
        return HotwordIndex(written, places, held["pairs"], groups, aliases)


def _save(index: HotwordIndex, file: Path) -> None:
    """Keep an index, and remove the oldest ones."""
    arrays = {
        "symbols": index.places.symbols,
        "offsets": index.places.offsets,
        "pairs": index.pairs,
        "groups": np.array(len(index.groups)),
    }
    for at, group in enumerate(index.groups):
        arrays |= {f"{part}.{at}": getattr(group, part) for part in _PARTS}
    out = BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    data = out.getvalue()
    keep(file, sha256(data).digest() + data)
    with suppress(OSError):  # another process may remove them too
        _remove_old(file.parent)


def _remove_old(folder: Path) -> None:
    files = sorted(folder.glob("*.index"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MOST_FILES:]:
        file.unlink(missing_ok=True)
