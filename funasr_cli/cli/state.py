"""What a batch has done, in a file of SQLite: kept through Ctrl-C, kill -9 and a full disk.

An input's results are announced here with their digests before they are written, and confirmed
afterwards. Where the confirmation is missing, the digests tell whether the files are whole.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, TypeAlias

from funasr_cli.errors import OutputError, UsageError

FOLDER, FILE, LOCK = ".funasr", "state.sqlite", "lock.sqlite"
BUSY_S = 30.0
"""How long a worker waits for another one's write."""
Status: TypeAlias = Literal["writing", "done", "failed"]

_TABLE = """
CREATE TABLE IF NOT EXISTS inputs (
    path BLOB PRIMARY KEY,      -- absolute
    size INTEGER NOT NULL,      -- bytes
    changed INTEGER NOT NULL,   -- time of change, nanoseconds
    content TEXT NOT NULL,      -- digest of its bytes
    asked TEXT NOT NULL,        -- digest of model and options
    status TEXT NOT NULL,       -- writing, done, failed
    reason TEXT NOT NULL,       -- why it failed
    seconds REAL NOT NULL,      -- of sound
    outputs TEXT NOT NULL       -- JSON: format -> [path, digest]
) WITHOUT ROWID
"""


@dataclass(frozen=True)
class Entry:
    """What is known of an input."""

    size: int
    changed: int
    """Time of change, nanoseconds."""
    content: str
    """Digest of its bytes."""
    asked: str
    """Digest of model and options."""
    status: Status
    reason: str = ""
    seconds: float = 0.0
    """Of sound."""
    outputs: Mapping[str, tuple[str, str]] | None = None
    """Format -> (path, digest); the path is relative to the state's folder where it is below."""


class State:
    """The state of one output folder; a context manager.

    Args:
        file: is made, with its folder, when it is first written.

    Raises:
        OutputError: it cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stack = ExitStack()
        self._base: sqlite3.Connection | None = None
        self.root = file.parent.parent
        """What paths of outputs are relative to."""

    def __enter__(self) -> "State":
        return self

    def __exit__(self, *_exc: object) -> None:
        with suppress(sqlite3.Error):  # a full disk: what was committed stays in the WAL
            self._stack.close()

    def claim(self) -> None:
        """Make sure that it can be written, and that no other batch does; until this is closed.

        The system drops the claim of a process that is killed.

        Raises:
            UsageError: another one is at work.
        """
        with self._errors():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock = sqlite3.connect(self._file.with_name(LOCK), timeout=0, isolation_level=None)
            self._stack.enter_context(closing(lock))
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    raise UsageError(
                        f"{self._file.parent}: another batch is at work here; wait for it, or give "
                        "another -o"
                    ) from error

    def entries(self) -> dict[str, Entry]:
        """Everything that is known, by the inputs' paths."""
        if not self._file.exists():
            return {}
        with self._errors():
            rows = self._open().execute("SELECT * FROM inputs").fetchall()
        return {row[0].decode("utf-8", "surrogateescape"): _entry(row[1:]) for row in rows}

    def has_written(self, content: str) -> bool:
        """Whether a file with this digest is the work of a batch; what it announced counts."""
        with self._errors():
            asked = "SELECT 1 FROM inputs WHERE instr(outputs, ?) LIMIT 1"
            return self._open().execute(asked, (content,)).fetchone() is not None

    def put(self, path: str, entry: Entry) -> None:
        """Keep what is known of an input; a process that is killed afterwards does not lose it."""
        row = (
            path.encode("utf-8", "surrogateescape"),  # a name may hold bytes that are no text
            entry.size, entry.changed, entry.content, entry.asked, entry.status,
            entry.reason.encode("utf-8", "backslashreplace").decode(),
            entry.seconds, json.dumps(entry.outputs or {}),
        )  # fmt: skip
        with self._errors(), self._open() as base:
            base.execute("INSERT OR REPLACE INTO inputs VALUES (?,?,?,?,?,?,?,?,?)", row)

    def told(self, path: Path) -> str:
        """Write a path as it is kept: relative, so that the folder may move."""
        with suppress(ValueError):
            return path.absolute().relative_to(self.root.absolute()).as_posix()
        return str(path.absolute())

    def place(self, told: str) -> Path:
        """Find a path that was kept."""
        return self.root / told

    def _open(self) -> sqlite3.Connection:
        if self._base is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            base = self._stack.enter_context(closing(sqlite3.connect(self._file, timeout=BUSY_S)))
            with suppress(sqlite3.OperationalError):  # some network drives cannot
                base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
            base.execute(_TABLE)
            self._base = base
        return self._base

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise OutputError(
                f"{self._file}: what is done cannot be kept ({error}); make room or give another "
                "-o, and run the same again"
            ) from error


def digest(data: bytes) -> str:
    """Stand for bytes."""
    return blake2b(data, digest_size=16).hexdigest()


def content_of(path: str | Path) -> str:
    """Stand for a file's bytes; "" where it cannot be read."""
    found = blake2b(digest_size=16)
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                found.update(block)
    except OSError:
        return ""
    return found.hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    size, changed, content, asked, status, reason, seconds, told = row
    outputs = {kind: (path, of) for kind, (path, of) in json.loads(told).items()}
    return Entry(size, changed, content, asked, status, reason, seconds, outputs)
