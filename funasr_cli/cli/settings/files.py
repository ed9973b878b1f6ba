"""Files of settings: where they lie, what they say, and on which line."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funasr_cli.errors import UsageError
from funasr_cli.folders import user_config_folder

USER_FILE = "config.toml"
PROJECT_FILE = "funasr.toml"


@dataclass(frozen=True)
class SettingsFile:
    """A file that has been read."""

    path: Path
    data: Mapping[str, Any]
    lines: tuple[str, ...]
    is_project: bool

    def place(self, table: Sequence[str], key: str | None = None) -> str:
        """`FILE, line N` of a table or of a key in it; without the line where it is not plain."""
        line = _line(self.lines, tuple(table), key)
        return f"{self.path}, line {line}" if line else str(self.path)


def user_file() -> Path:
    """The user's own file, there or not."""
    return user_config_folder() / USER_FILE


def project_file() -> Path | None:
    """The nearest funasr.toml, from the current folder upwards."""
    try:
        here = Path.cwd()
    except OSError:  # the folder was deleted
        return None
    places = (folder / PROJECT_FILE for folder in (here, *here.parents))
    return next((place for place in places if _exists(place)), None)


def read_files() -> tuple[SettingsFile, ...]:
    """Read what there is: the user's file, then the project's, which comes before it.

    Raises:
        UsageError: a file cannot be read, or is no TOML; with the line.
    """
    user, project = user_file(), project_file()
    found = [_read(user, is_project=False)] if _exists(user) else []
    return (*found, *([_read(project, is_project=True)] if project else []))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # to be told why it cannot be read
        return True


def _read(path: Path, *, is_project: bool) -> SettingsFile:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        # editors on Windows begin UTF-8 with a mark that TOML does not know
        text = path.read_text("utf-8-sig")
        data = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"{path}: is not TOML: {error}; text stands in quotes, truth is true or false"
        ) from error
    return SettingsFile(path, data, tuple(text.splitlines()), is_project)


_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#.*)?$")
_KEY = re.compile(r"""\s*("[^"]*"|'[^']*'|[\w-]+)\s*=""")


def _line(lines: Sequence[str], table: tuple[str, ...], key: str | None) -> int | None:
    current: tuple[str, ...] = ()
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            current = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            if key is None and current[: len(table)] == table:
                return number
        elif current == table and (match := _KEY.match(line)) and match[1].strip("\"'") == key:
            return number
    return None
