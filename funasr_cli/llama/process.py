"""What a process has once of llama.cpp: the opened library, its log and its backends.

This is the package's only state at module level. The C library forces it: backends register
once, the log callback must live until the process ends, and a second build in one process
would silently run with parts of the first.
"""

import ctypes
import os
import re
import sys
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import LibraryError
from funasr_cli.llama import cpu
from funasr_cli.llama.abi import Layout, recognise
from funasr_cli.llama.api import Api, LogCallback
from funasr_cli.llama.library import find
from funasr_cli.llama.opening import Library

_LOG_LINES = 50
_FUNCTION_NAME = re.compile(r"^\w+: ")  # llama.cpp begins most lines with it
_LOG_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_LOG_CONT = 5  # GGML_LOG_LEVEL_CONT: goes on with the line before


class Log:
    """llama.cpp's last lines, for error messages; FUNASR_DEBUG=1 shows them as they come."""

    def __init__(self) -> None:
        self.callback = LogCallback(self._receive)
        self._lines: deque[tuple[int, str]] = deque(maxlen=_LOG_LINES)
        self._level = 0
        self._line = ""

    def _receive(self, level: int, text: int, _user_data: int | None) -> None:
        """Take a fragment, from any thread; an exception here would be printed, not raised."""
        fragment = ctypes.string_at(text).decode("utf-8", "replace")
        if os.environ.get("FUNASR_DEBUG") == "1":
            sys.stderr.write(fragment)
        if level != _LOG_CONT:
            self._level = level
        *complete, self._line = (self._line + fragment).split("\n")
        self._lines.extend((self._level, line) for line in complete if line.strip())

    def clear(self) -> None:
        """Forget the lines: what comes now belongs to the next call."""
        self._lines.clear()
        self._line = ""

    @property
    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        return [line for _, line in self._lines]

    def reason(self) -> str:
        """The most telling line: the first error, else the last line of any kind.

        llama.cpp goes from the cause to the general: later errors only say "failed to load".
        """
        errors = [line for level, line in self._lines if level == _LOG_ERROR]
        chosen = errors[0] if errors else self.lines[-1] if self._lines else "it gave no reason"
        return _FUNCTION_NAME.sub("", chosen).strip()


@dataclass(frozen=True)
class Backend:
    """The library of this process, ready to load models."""

    path: Path
    """Absolute; the file that exports llama_*."""
    source: str
    """What led to it: an option, variable, folder or package."""
    version: str
    """For reports: what the library says of itself, and the layout that we recognised."""
    layout: Layout
    api: Api
    log: Log
    pid: int
    """The process that opened it; llama.cpp's threads do not survive a fork."""

    @property
    def warning(self) -> str | None:
        """A sentence for the user, when only the minimal settings can be made."""
        if self.layout.is_known:
            return None
        return f"{self.path}: unknown llama.cpp layout, using the minimal settings"

    def check_process(self) -> None:
        """Refuse to go on in a forked child, where the next call would hang.

        Raises:
            LibraryError: this is another process than the one that opened the library.
        """
        if os.getpid() != self.pid:
            raise LibraryError(
                "llama.cpp was opened before this process was forked: start processes with "
                "multiprocessing's `spawn`"
            )


class _Process:
    """The one holder of this process's llama.cpp."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.log = Log()
        self.backend: Backend | None = None


_PROCESS = _Process()


def start(llama_bin: Path | None = None) -> Backend:
    """Open the library that `library.find` chooses; the same one again costs nothing.

    Raises:
        LibraryError: none is found, it is unusable, or this process already uses another.
    """
    with _PROCESS.lock:
        backend = _PROCESS.backend
        found = find(llama_bin)
        if backend is None:
            _bound_spinning()
            backend = _PROCESS.backend = _start(Library(found))
        backend.check_process()
        if not found.path.samefile(backend.path):
            raise LibraryError(
                f"this process already uses {backend.path}: start a new one to use {found.path}"
            )
        return backend


def _bound_spinning() -> None:
    """Make OpenMP builds spin shortly; read by libgomp when the library is opened.

    By default its threads spin for milliseconds at every barrier, of which a token has hundreds.
    Where another program wants a core, one thread burns the time slice that the other one
    needs: up to a hundred times slower. Without spinning, two threads are no faster than one.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _start(library: Library) -> Backend:
    """Require the functions, load the backends and recognise the layout, in this order."""
    api, log = Api(library), _PROCESS.log
    api.llama_log_set(log.callback, None)
    # in official releases the backends are files of their own; loading them twice would
    # register each device twice
    if library.found.is_multi_file and api.ggml_backend_dev_count() == 0:
        api.ggml_backend_load_all_from_path(os.fsencode(library.path.parent))
    api.llama_backend_init()
    version = _version(api)
    if api.ggml_backend_dev_count() == 0:
        raise LibraryError(
            f"{library.path}: no backend beside it that runs on this processor "
            "(libggml-cpu*): unpack the whole release"
        )
    if missing := cpu.missing_features(_text(api.llama_print_system_info)):
        raise LibraryError(
            f"{library.path} was compiled for a processor with {', '.join(missing)}, which "
            "this one lacks: take another build"
        )
    try:
        layout = recognise(
            bytes(api.llama_model_default_params()), bytes(api.llama_context_default_params())
        )
    except LibraryError as error:
        raise LibraryError(
            f"{library.path}: this llama.cpp library is not supported: {error} ({version}); "
            "use a build from 2025-06 or later"
        ) from error
    return Backend(
        path=library.path,
        source=library.found.source,
        version=f"{version}, layout {layout.name}",
        layout=layout,
        api=api,
        log=log,
        pid=os.getpid(),
    )


def _version(api: Api) -> str:
    """No build number is exported by any release; these are, by some."""
    parts = [f"ggml {_text(api.ggml_version) or 'of unknown version'}"]
    if (commit := _text(api.ggml_commit)) and commit != "unknown":
        parts.append(f"commit {commit}")
    if llama := _text(api.llama_version):
        parts.append(f"llama {llama}")
    return ", ".join(parts)


def _text(function: object) -> str:
    """Result of an optional `const char * f(void)`; "" when the library lacks it."""
    text = function() if callable(function) else None
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else ""
