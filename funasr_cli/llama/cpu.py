"""Whether a build's instructions exist on this processor.

A static build compiled for a newer processor dies with SIGILL in its first model load; no
error can be caught then. `llama_print_system_info()` names what was compiled in.
"""

import platform
import re
from hashlib import sha256
from pathlib import Path

# name in the system info -> flag in /proc/cpuinfo
_FLAGS = {
    "AVX": "avx",
    "AVX_VNNI": "avx_vnni",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "AMX_INT8": "amx_int8",
}


def identity() -> str:
    """Stand for this processor's instructions: a library proved on one may die on another."""
    flags = re.search(r"^flags\s*:(.*)$", _cpuinfo(), re.MULTILINE)
    text = flags[1] if flags else f"{platform.machine()} {platform.processor()}"
    return sha256(text.encode()).hexdigest()[:16]


def missing_features(system_info: str, cpuinfo: str | None = None) -> list[str]:
    """Instruction sets that the library uses and this processor lacks.

    Args:
        system_info: as llama.cpp prints it: `CPU : SSE3 = 1 | AVX = 1 | ...`.
        cpuinfo: contents of /proc/cpuinfo; None: read it. Where there is none, or none with
            x86 flags, nothing is known and nothing is missing.
    """
    flags = re.search(r"^flags\s*:(.*)$", _cpuinfo() if cpuinfo is None else cpuinfo, re.MULTILINE)
    if flags is None:
        return []
    have = set(flags[1].split())
    used = re.findall(r"(\w+) = 1\b", system_info)
    return [name for name in used if name in _FLAGS and _FLAGS[name] not in have]


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        return ""
