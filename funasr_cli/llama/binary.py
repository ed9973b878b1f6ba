"""What kind of file a supposed shared library is, read from its header.

The dynamic loader's own messages ("invalid ELF header", "WinError 193") do not tell a user
that he took the archive for the wrong processor, so we look before we load.
"""

import platform
import struct
import sys
import sysconfig
from collections.abc import Iterator
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
    size: int = 0
    """Least bytes that the file must have; 0: not known."""


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
    order = ">" if head[5:6] == b"\2" else "<"
    (machine,) = struct.unpack_from(order + "H", head, 18)
    size = 0
    if head[4:5] == b"\2":  # 64-bit
        (table,) = struct.unpack_from(order + "Q", head, 32)
        entry, count = struct.unpack_from(order + "HH", head, 54)
        for i in range(count):
            at, *_, n = struct.unpack_from(order + "QQQQ", head, table + i * entry + 8)
            size = max(size, at + n)
    return Header("ELF", (_ELF_MACHINES.get(machine, f"machine {machine}"),), size)


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
        return f"cannot be read: {error.strerror or error}; let this user read it"
    if header is None:
        return "is not a shared library; put a llama.cpp release for this system in its place"
    if path.stat().st_size < header.size:
        # Linux maps such a file and dies at the first missing page; others notice
        return "is cut off: download or unpack it again"
    if header.format != format_:
        have = _SYSTEMS[header.format]
        return f"is a library for {have}; this is {_SYSTEMS[format_]}: take the release for it"
    if machine not in header.machines:
        have = " and ".join(header.machines)
        return f"is for {have} processors; this Python runs on {machine}: take that release"
    return None


def imported_dlls(path: Path) -> list[str]:
    """Names of the DLLs that a Windows library needs; empty when it cannot be told."""
    try:
        data = path.read_bytes()
        return list(_imports(data))
    except (OSError, struct.error, ValueError):
        return []


def _imports(data: bytes) -> Iterator[str]:
    """Walk the import directory of a 64-bit PE file; see Microsoft's PE Format."""
    (pe,) = struct.unpack_from("<I", data, 0x3C)
    (n_sections,) = struct.unpack_from("<H", data, pe + 6)
    (optional_size,) = struct.unpack_from("<H", data, pe + 20)
    optional = pe + 24
    (directory,) = struct.unpack_from("<I", data, optional + 120)  # second data directory
    sections = [  # virtual size, virtual address, raw size, raw offset
        struct.unpack_from("<4I", data, optional + optional_size + 40 * i + 8)
        for i in range(n_sections)
    ]

    def offset(address: int) -> int:
        for virtual_size, virtual, raw_size, raw in sections:
            if virtual <= address < virtual + max(virtual_size, raw_size):
                return int(address - virtual + raw)
        raise ValueError(address)

    entry = offset(directory)
    while name := struct.unpack_from("<I", data, entry + 12)[0]:
        start = offset(name)
        yield data[start : data.index(b"\0", start)].decode("ascii", "replace")
        entry += 20
