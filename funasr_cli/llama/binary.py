"""What kind of file a supposed shared library is, read from its header.

The dynamic loader's own messages ("invalid ELF header", "WinError 193") do not tell a user
that he took the archive for the wrong processor, so we look before we load.
"""

import platform
import struct
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_ELF_MACHINES = {3: "x86", 22: "s390x", 40: "arm", 62: "x86_64", 183: "arm64", 243: "riscv64"}
_PE_MACHINES = {0x014C: "x86", 0x8664: "x86_64", 0xAA64: "arm64"}
_MACHO_CPUS = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_SYSTEMS = {"ELF": "Linux", "PE": "Windows", "Mach-O": "macOS"}
_HEADER_BYTES = 4096
_MAX_FAT_ARCHS = 16  # Java class files share the fat magic, with their version in this place


@dataclass(frozen=True)
class Header:
    """Format and processors of a binary."""

    format: str
    """ELF, PE or Mach-O."""
    machines: tuple[str, ...]
    """One; several in a fat Mach-O file."""


def read_header(path: Path) -> Header | None:
    """Tell what a file is; None: not a binary of any kind that we know.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    try:
        return _elf(head) or _pe(head) or _mach_o(head)
    except struct.error:  # it ends within its header
        return None


def _elf(head: bytes) -> Header | None:
    if head[:4] != b"\x7fELF":
        return None
    order = ">" if head[5] == 2 else "<"  # noqa: PLR2004 - ELFDATA2MSB
    (machine,) = struct.unpack_from(order + "H", head, 18)
    return Header("ELF", (_ELF_MACHINES.get(machine, f"machine {machine}"),))


def _pe(head: bytes) -> Header | None:
    if head[:2] != b"MZ":
        return None
    (offset,) = struct.unpack_from("<I", head, 0x3C)
    if head[offset : offset + 4] != b"PE\0\0":
        return None
    (machine,) = struct.unpack_from("<H", head, offset + 4)
    return Header("PE", (_PE_MACHINES.get(machine, f"machine {machine:#x}"),))


def _mach_o(head: bytes) -> Header | None:
    def name(cpu: int) -> str:
        return _MACHO_CPUS.get(cpu, f"machine {cpu:#x}")

    if head[:4] == b"\xcf\xfa\xed\xfe":
        return Header("Mach-O", (name(*struct.unpack_from("<I", head, 4)),))
    if head[:4] in {b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf"}:
        (count,) = struct.unpack_from(">I", head, 4)
        entry = 20 if head[3] == 0xBE else 32  # noqa: PLR2004 - fat_arch, fat_arch_64
        if count <= _MAX_FAT_ARCHS:
            cpus = [struct.unpack_from(">I", head, 8 + i * entry)[0] for i in range(count)]
            return Header("Mach-O", tuple(name(cpu) for cpu in cpus))
    return None


def host_machine() -> str:
    """The processor that this Python was built for, in the words of `Header.machines`."""
    # Windows on arm64 runs x86_64 Pythons, and platform.machine() may name either processor
    named = sysconfig.get_platform() if sys.platform == "win32" else platform.machine()
    name = named.lower().removeprefix("win-").removeprefix("win")
    return {"amd64": "x86_64", "aarch64": "arm64", "32": "x86", "i686": "x86"}.get(name, name)


def host_format() -> str:
    """The format that this system loads, in the words of `Header.format`."""
    return {"win32": "PE", "darwin": "Mach-O"}.get(sys.platform, "ELF")


def why_unloadable(path: Path, *, format_: str, machine: str) -> str | None:
    """Say why a file cannot be a library of this format and machine; None: it can.

    The sentence ends with what to do.
    """
    try:
        header = read_header(path)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if header is None:
        return "is not a shared library; put a llama.cpp release for this system in its place"
    if header.format != format_:
        have = _SYSTEMS[header.format]
        return f"is a library for {have}; this is {_SYSTEMS[format_]}: take the release for it"
    if machine not in header.machines:
        have = " and ".join(header.machines)
        return f"is for {have} processors; this Python runs on {machine}: take that release"
    return None
