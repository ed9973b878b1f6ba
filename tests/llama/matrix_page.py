"""docs/LLAMA_BUILDS.md: the runs of matrix.py as a page."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llama.builds import FIRST_OF_2026, Build

from funasr_cli.llama.probe import TOLERANCE
from funasr_cli.version import __version__

RIGHT, DIFFERS, REFUSED = "right text", "text differs", "refused"
CRASHED, FAILED, NO_WHEEL = "CRASHED", "FAILED", "no wheel"
# name -> flag in /proc/cpuinfo
_FEATURES = {
    "AVX2": "avx2",
    "AVX-512": "avx512f",
    "AVX-512 VNNI": "avx512_vnni",
    "AVX-512 BF16": "avx512_bf16",
    "AMX": "amx_int8",
}


@dataclass(frozen=True)
class Run:
    """What came of one command line."""

    build: Build
    device: str = ""
    """The option --device; empty: left out."""
    layout: str = ""
    deviation: float | None = None
    outcome: str = ""
    detail: str = ""
    """The other text, the sentence of a refusal, the signal of a crash, or a warning."""
    code: int | None = None
    seconds: float = 0.0
    gpu: str = ""
    """What --device found."""

    @property
    def is_bad(self) -> bool:
        """Whether the matrix fails because of it."""
        is_fine = self.outcome in {RIGHT, REFUSED, NO_WHEEL}
        return self.outcome == CRASHED or (self.build.is_recent and not is_fine)


def page(runs: Sequence[Run], sample: str, made: str, machine: str) -> str:
    """Write the page; `made` is a day, `machine` a line about where it all ran."""
    recent = [run for run in runs if run.build.is_recent]
    table = "\n".join(map(_row, runs))
    gpus = sorted({run.gpu for run in runs if run.gpu})
    vulkan = f"`--device vulkan` ran on {', '.join(gpus)}. " if gpus else ""
    return f"""# llama.cpp builds that were tried

中文：下表列出用真实命令行试过的各个 llama.cpp 版本（均按包名从公开仓库安装）。
{_chinese(recent)}重新测试：`make abi-matrix`。

English: builds of llama.cpp as the package registries have them, each tried with the real command
line.

**{_summary(recent, " from January 2026 on")}**

| package and version | llama.cpp | date | layout | deviation | {sample} | exit code | seconds |
|---|---|---|---|---|---|---|---|
{table}

With the older ones: {_summary(runs, "")}

* Machine: {machine}.
  {vulkan}Timed once each, on a machine with other work.
* Made by `make abi-matrix` on {made}, funasr-cli {__version__}. Each row is one
  `python -m funasr_cli transcribe {sample} -q --llama-bin FOLDER`,
  with the option `--device` where the row names it, in a fresh process that remembers nothing of
  the build: it proves itself in a child process first. Sample and model are part of the project.

What the columns mean:

* *llama.cpp*: the build number or release in the library's name, in the package's version or in the
  library itself; empty where none of them tells.
* *date*: month of the newest file in the wheel; npm's archives carry no dates. A build counts as
  one from January 2026 on by this or by its number (b{FIRST_OF_2026} or higher, or a version).
* *layout*: family of the two parameter structs, model and context, recognised from their defaults
  (funasr_cli/llama/abi.py). `?` is a family that is not known: that struct is left at its
  defaults, apart from the fields that stand at one place in every build.
* *deviation*: of a tiny model's logits from the exact ones, as a share of the largest. More than
  {TOLERANCE:.0%} is refused. With `--device vulkan`: of the demo model's logits from the CPU's.
* *{sample}*: whether the text was that of {sample.rpartition(".")[0]}.txt, letter by letter;
  for a refused build the one line on stderr; warnings as they were printed.
* *seconds*: of the whole process, start and proof included.
"""


def _row(run: Run) -> str:
    name = f"{run.build.package} {run.build.version}"
    name += f" `--device {run.device}`" if run.device else ""
    deviation = "" if run.deviation is None else f"{run.deviation:.2%}"
    mark = "; " if run.outcome == RIGHT else ": "
    told = mark.join(filter(None, (run.outcome, run.detail)))
    ran = (str(run.code if run.code is not None else ""), f"{run.seconds:.1f}")
    cells = (name, run.build.release, run.build.month, run.layout, deviation, told, *ran)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _counts(runs: Sequence[Run]) -> tuple[int, int, int, int, int]:
    """Count builds and runs, then runs with the right text, refused ones and crashed ones."""
    ran = [run for run in runs if run.outcome != NO_WHEEL]
    builds = {(run.build.package, run.build.version) for run in ran}
    ends = (sum(run.outcome == what for run in ran) for what in (RIGHT, REFUSED, CRASHED))
    return (len(builds), len(ran), *ends)  # type: ignore[return-value]


def _summary(runs: Sequence[Run], which: str) -> str:
    builds, ran, right, refused, crashed = _counts(runs)
    start, others = f"{builds} builds{which}", ran - right - refused - crashed
    if crashed or others:
        return (
            f"{start}, {ran} runs: {right} with the right text, {refused} refused in one sentence "
            f"with exit code 3, {crashed} crashed the process, {others} ended otherwise."
        )
    end = f"none crashed the process ({ran} runs: {right} with the right text, {refused} refused)."
    return f"{start}: all work or are refused in one sentence with exit code 3, {end}"


def _chinese(runs: Sequence[Run]) -> str:
    builds, ran, right, refused, crashed = _counts(runs)
    others = ran - right - refused - crashed
    return (
        f"2026 年 1 月以来的版本共 {builds} 个，运行 {ran} 次：文字正确 {right} 次，"
        f"以一句话拒绝（退出码 3）{refused} 次，进程崩溃 {crashed} 次，其他 {others} 次。"
    )


def machine_line() -> str:
    """Say on one line what this machine is."""
    cpuinfo = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    have = set(flags[1].split()) if flags else set()
    features = [name for name, flag in _FEATURES.items() if flag in have]
    lacking = [name for name, flag in _FEATURES.items() if flag not in have]
    without = f", without {', '.join(lacking)}" if lacking else ""
    kind = f"{platform.system()} {platform.machine()}, glibc {platform.libc_ver()[1]}"
    python = f"Python {platform.python_version()}"
    return f"{kind}, {python}, {os.cpu_count()} cores with {', '.join(features)}{without}"
