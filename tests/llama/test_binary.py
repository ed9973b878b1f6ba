"""Files that carry a library's name and are none, or one for another machine."""

import struct
from pathlib import Path

import pytest

from funasr_cli.llama.binary import (
    Header,
    host_format,
    host_machine,
    imported_dlls,
    read_header,
    why_unloadable,
)
from funasr_cli.llama.library import find


def elf(machine: int, *, order: str = "<", size: int = 0) -> bytes:
    """A 64-bit ELF header with one segment of `size` bytes from the start."""
    ident = b"\x7fELF" + bytes([2, 2 if order == ">" else 1, 1]) + bytes(9)
    rest = struct.pack(order + "HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return ident + rest + struct.pack(order + "IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)


def pe(machine: int, imports: tuple[str, ...] = ()) -> bytes:
    """A PE32+ file whose one section, at address 0x1000, holds its import directory."""
    names, blob, entries = 0x1000 + 20 * (len(imports) + 1), b"", b""
    for name in imports:
        entries += struct.pack("<IIIII", 0, 0, 0, names + len(blob), 0)
        blob += name.encode() + b"\0"
    section = entries + bytes(20) + blob
    optional = struct.pack("<H", 0x20B) + bytes(110) + struct.pack("<IIII", 0, 0, 0x1000, 20)
    head = b"MZ" + bytes(0x3A) + struct.pack("<I", 0x40)
    head += b"PE\0\0" + struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, len(optional), 0)
    start = len(head) + len(optional) + 40
    table = b".idata\0\0" + struct.pack("<IIII", len(section), 0x1000, len(section), start)
    return head + optional + table + bytes(16) + section


def mach_o(*cpus: int) -> bytes:
    if len(cpus) == 1:
        return b"\xcf\xfa\xed\xfe" + struct.pack("<I", cpus[0]) + bytes(24)
    entries = b"".join(struct.pack(">IIIII", cpu, 0, 0, 0, 0) for cpu in cpus)
    return b"\xca\xfe\xba\xbe" + struct.pack(">I", len(cpus)) + entries


INTEL_MAC, ARM_MAC = 0x01000007, 0x0100000C


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (elf(62), Header("ELF", ("x86_64",))),
        (elf(183), Header("ELF", ("arm64",))),
        (elf(22, order=">"), Header("ELF", ("s390x",))),
        (elf(4711), Header("ELF", ("machine 4711",))),
        (elf(62, size=5000), Header("ELF", ("x86_64",), 5000)),
        (pe(0x8664), Header("PE", ("x86_64",))),
        (pe(0xAA64), Header("PE", ("arm64",))),
        (mach_o(ARM_MAC), Header("Mach-O", ("arm64",))),
        (mach_o(INTEL_MAC, ARM_MAC), Header("Mach-O", ("x86_64", "arm64"))),
        (b"", None),
        (b"just text, named libllama.so\n", None),
        (b"version https://git-lfs.github.com/spec/v1\n", None),
        (b"\x7fELF", None),
        (elf(62)[:100], None),
        (b"MZ" + bytes(100), None),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100), None),  # a Java class
        (b"PK\3\4" + bytes(100), None),
    ],
)
def test_headers(tmp_path: Path, content: bytes, header: Header | None) -> None:
    path = tmp_path / "libllama.so"
    path.write_bytes(content)
    assert read_header(path) == header


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"text", "is not a shared library"),
        (elf(183), "is for arm64 processors; this Python runs on x86_64"),
        (pe(0x8664), "is a library for Windows; this is Linux"),
        (mach_o(INTEL_MAC), "is a library for macOS; this is Linux"),
        (elf(62, size=5000), "is cut off"),
        (elf(62), None),
    ],
)
def test_reasons_on_linux(tmp_path: Path, content: bytes, reason: str | None) -> None:
    path = tmp_path / "libllama.so"
    path.write_bytes(content)
    found = why_unloadable(path, format_="ELF", machine="x86_64")
    assert found == reason or (reason and found and found.startswith(reason))


@pytest.mark.parametrize(
    ("content", "format_", "machine", "fits"),
    [
        (pe(0x8664), "PE", "x86_64", True),
        (pe(0x8664), "PE", "arm64", False),
        (elf(62), "PE", "x86_64", False),
        (mach_o(INTEL_MAC, ARM_MAC), "Mach-O", "arm64", True),
        (mach_o(INTEL_MAC), "Mach-O", "arm64", False),
    ],
)
def test_reasons_elsewhere(
    tmp_path: Path, content: bytes, format_: str, machine: str, *, fits: bool
) -> None:
    path = tmp_path / "llama"
    path.write_bytes(content)
    assert (why_unloadable(path, format_=format_, machine=machine) is None) == fits


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    reason = why_unloadable(tmp_path, format_="ELF", machine="x86_64")
    assert reason is not None
    assert reason.startswith("cannot be read")


def test_the_installed_library_fits_this_machine() -> None:
    path = find().path
    assert why_unloadable(path, format_=host_format(), machine=host_machine()) is None


@pytest.mark.parametrize(
    ("system", "named", "machine"),
    [
        ("win32", "win-amd64", "x86_64"),
        ("win32", "win-arm64", "arm64"),
        ("win32", "win32", "x86"),
        ("linux", "x86_64", "x86_64"),
        ("linux", "aarch64", "arm64"),
        ("darwin", "arm64", "arm64"),
    ],
)
def test_names_of_processors(
    monkeypatch: pytest.MonkeyPatch, system: str, named: str, machine: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("sysconfig.get_platform", lambda: named)
    monkeypatch.setattr("platform.machine", lambda: named)
    assert host_machine() == machine


def test_imports_of_a_dll(tmp_path: Path) -> None:
    path = tmp_path / "llama.dll"
    path.write_bytes(pe(0x8664, ("ggml.dll", "VCRUNTIME140.dll")))
    assert imported_dlls(path) == ["ggml.dll", "VCRUNTIME140.dll"]


@pytest.mark.parametrize("content", [b"", b"MZ", pe(0x8664)[:200], elf(62)])
def test_imports_of_something_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "llama.dll"
    path.write_bytes(content)
    assert imported_dlls(path) == []
