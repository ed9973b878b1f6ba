"""Where this program keeps things of its own: data that outlives an upgrade, and a cache."""

import os
import sys
from pathlib import Path

NAME = "funasr-cli"


def user_data_folder() -> Path:
    """Data that outlives an upgrade: installed llama.cpp releases."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME
    return _xdg("XDG_DATA_HOME", Path.home() / ".local" / "share")


def user_cache_folder() -> Path:
    """What can be found out again: which libraries and devices have proved themselves."""
    if sys.platform == "win32":
        return _windows() / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / NAME
    return _xdg("XDG_CACHE_HOME", Path.home() / ".cache")


def _windows() -> Path:
    base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    return Path(base) / NAME


def _xdg(variable: str, otherwise: Path) -> Path:
    return Path(os.environ.get(variable) or otherwise) / NAME
