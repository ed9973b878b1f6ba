"""Where this program keeps things of its own: data that outlives an upgrade, settings, a cache."""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

NAME = "funasr-cli"


def user_data_folder() -> Path:
    """Data that outlives an upgrade: installed llama.cpp releases."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / NAME
    return _xdg("XDG_DATA_HOME", ".local", "share")


def user_config_folder() -> Path:
    """What the user sets once: `config.toml`."""
    if sys.platform in {"win32", "darwin"}:  # there data and settings share a folder
        return user_data_folder()
    return _xdg("XDG_CONFIG_HOME", ".config")


def user_cache_folder() -> Path:
    """What can be found out again: which libraries and devices have proved themselves."""
    if sys.platform == "win32":
        return _windows() / "Cache"
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / NAME
    return _xdg("XDG_CACHE_HOME", ".cache")


def keep(file: Path, data: bytes) -> None:
    """Write a file of the cache: whole, whoever else writes it, or not at all.

    A folder that cannot be written, or a full disk, is a cache that forgets: no error.
    """
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=file.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as opened:
                opened.write(data)
            Path(draft).replace(file)
        finally:
            Path(draft).unlink(missing_ok=True)


def _windows() -> Path:
    named = os.environ.get("LOCALAPPDATA")
    return (Path(named) if named else _home() / "AppData" / "Local") / NAME


def _xdg(variable: str, *below: str) -> Path:
    named = Path(os.environ.get(variable, ""))
    # a relative path is to be ignored, says the XDG specification
    return (named if named.is_absolute() else _home().joinpath(*below)) / NAME


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # no HOME, and a user whom the system does not know: in containers
        return Path(tempfile.gettempdir()) / f"{NAME}-home"
