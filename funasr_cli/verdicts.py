"""What was found out by trial, kept on disk: one small file for each question.

A verdict is asked for by everything that it depends on (library, device, model, this program's
version), so that nothing old is ever taken for true. Losing the files costs a few seconds.
"""

import json
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any

from funasr_cli.folders import keep, user_cache_folder
from funasr_cli.version import __version__

FOR_EVER_S = 1e10
A_DAY_S = 86_400.0
"""For what may have been an accident: a crash, too little memory, a busy device."""
_SCHEMA = "1"
"""Of what is kept, and of the trials that found it out: another one asks everything anew."""


class Verdicts:
    """A folder of verdicts; one that cannot be read or written is a cache that forgets."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_cache_folder() / "verdicts"

    def get(self, *question: str) -> dict[str, Any] | None:
        """Recall a verdict; None: the question is new."""
        try:
            kept = json.loads(self._file(question).read_text("utf-8"))
            is_answer = kept["question"] == self._full(question)
            return dict(kept["verdict"]) if is_answer and time() < kept["until"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, verdict: dict[str, Any], *question: str, lasts_s: float = FOR_EVER_S) -> None:
        """Keep a verdict for so many seconds; the file appears whole, whoever else writes it."""
        # ASCII: a path may hold bytes that are no text
        until = time() + lasts_s
        kept = {"question": self._full(question), "verdict": verdict, "until": until}
        keep(self._file(question), json.dumps(kept, indent=1).encode())

    def clear(self) -> int:
        """Forget everything; count the verdicts that there were."""
        n = 0
        with suppress(OSError):  # a folder that may not be looked into
            for file in self.folder.glob("*.json"):
                with suppress(OSError):
                    file.unlink()
                    n += 1
        return n

    def _file(self, question: tuple[str, ...]) -> Path:
        text = json.dumps(self._full(question))
        return self.folder / f"{sha256(text.encode()).hexdigest()[:32]}.json"

    def _full(self, question: tuple[str, ...]) -> list[str]:
        return [__version__, _SCHEMA, *question]


def fingerprint(*files: Path) -> str:
    """Stand for the files as they are now: names, sizes and times of change."""
    parts = []
    for file in sorted(files):
        with suppress(OSError):
            found = file.stat()
            parts.append(f"{file}|{found.st_size}|{found.st_mtime_ns}")
    return sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:16]
