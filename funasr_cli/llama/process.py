"""What a process has once of llama.cpp: the opened library, its log and its backends.

This is the package's only state at module level. The C library forces it: backends register
once, the log callback must live until the process ends, and a second build in one process
would silently run with parts of the first.
"""

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from funasr_cli import ort
from funasr_cli.errors import LibraryError
from funasr_cli.llama import cpu
from funasr_cli.llama.abi import KNOWN_BUILDS, Layout, recognise
from funasr_cli.llama.api import Api
from funasr_cli.llama.backends import load_backends
from funasr_cli.llama.devices import Device, list_devices
from funasr_cli.llama.library import find
from funasr_cli.llama.log import Log
from funasr_cli.llama.opening import Library


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
    problems: tuple[str, ...] = ()
    """Backends of the release that cannot be used here, and why: a sentence each."""

    def devices(self) -> list[Device]:
        """What it can compute on, with the memory that is free now."""
        return [device for _, device in list_devices(self.api)]

    def device_pointer(self, name: str) -> int:
        """Find a device by its name: a `ggml_backend_dev_t`.

        Raises:
            LibraryError: there is none of this name.
        """
        for pointer, device in list_devices(self.api):
            if device.name == name:
                return pointer
        seen = ", ".join(device.name for device in self.devices())
        raise LibraryError(f"{self.path} sees no device {name}, only {seen}: funasr doctor")

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
        self.environment: dict[str, str] = {}
        self.outside: dict[str, str] | None = None


_PROCESS = _Process()


def start(llama_bin: Path | None = None, environment: Mapping[str, str] | None = None) -> Backend:
    """Open the library that `library.find` chooses; the same one again costs nothing.

    Args:
        llama_bin: library or its folder; None: see `library.find`.
        environment: variables that its backends read when they start, such as
            GGML_VK_DISABLE_F16; None: whatever they have been started with will do.

    Raises:
        LibraryError: none is found, it is unusable, or this process already uses another, or
            this one with other variables.
    """
    with _PROCESS.lock:
        backend = _PROCESS.backend
        found = find(llama_bin)
        if backend is None:
            _bound_spinning()
            with suppress(LibraryError):
                # a build that carries a C++ library of its own (xllamacpp 0.2.13) crashes
                # whatever uses the system's for the first time after it
                ort.load()
            _PROCESS.outside = dict(os.environ)
            _PROCESS.environment = dict(environment or {})
            os.environ.update(_PROCESS.environment)
            backend = _PROCESS.backend = _start(Library(found))
        backend.check_process()
        if not found.path.samefile(backend.path):
            raise LibraryError(
                f"this process already uses {backend.path}: start a new one to use {found.path}"
            )
        if environment is not None and dict(environment) != _PROCESS.environment:
            raise LibraryError(
                "this process already uses llama.cpp with other switches "
                f"({_switches(_PROCESS.environment)}): start a new one to use it with "
                f"{_switches(environment)}"
            )
        return backend


def is_started() -> bool:
    """Whether this process has a library already."""
    return _PROCESS.backend is not None


def outside_environment() -> dict[str, str]:
    """The variables as the user set them, without what was set for the backends."""
    return dict(os.environ if _PROCESS.outside is None else _PROCESS.outside)


def _switches(environment: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in environment.items()) or "none"


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
    problems: tuple[str, ...] = ()
    # in official releases the backends are files of their own; loading them twice would
    # register each device twice
    if library.found.is_multi_file and api.ggml_backend_dev_count() == 0:
        problems = load_backends(api, log, library.path.parent)
    api.llama_backend_init()
    version = _version(api)
    if not any(device.kind == "cpu" for _, device in list_devices(api)):
        reasons = "".join(f"; {problem}" for problem in problems)
        raise LibraryError(
            f"{library.path}: no backend beside it that runs on this processor "
            f"(libggml-cpu*): unpack the whole release{reasons}"
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
            f"{library.path}: this llama.cpp library is not supported: {error} ({version}, from "
            f"{library.found.source}); expected the parameters of {KNOWN_BUILDS}: take such a "
            "build (`funasr runtime install --help`), or `pip install xllamacpp`"
        ) from error
    return Backend(
        path=library.path,
        source=library.found.source,
        version=f"{version}, layout {layout.name}",
        layout=layout,
        api=api,
        log=log,
        pid=os.getpid(),
        problems=problems,
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
