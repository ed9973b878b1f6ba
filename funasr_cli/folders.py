"""Where this program keeps things of its own: data that outlives an upgrade, and a cache."""

import os
import sys
import tempfile
from pathlib import Path

NAME = "funasr-cli"


def user_data_folder() -> Path:
    """Data that outlives an upgrade: installed llama.cpp releases."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _home() / "Library" / "Application Support" / NAME
    return _xdg("XDG_DATA_HOME", ".local", "share")


def user_cache_folder() -> Path:
    """What can be found out again: which libraries and devices have proved themselves."""
    if sys.platform == "win32":
        return _windows() / "Cache"
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / NAME
    return _xdg("XDG_CACHE_HOME", ".cache")


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
