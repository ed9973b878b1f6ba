"""Which device a model runs on: the wish, the devices that there are, and their proofs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from funasr_cli.device_names import CPU, DeviceRequest
from funasr_cli.errors import LibraryError
from funasr_cli.llama import loading
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found
from funasr_cli.llama.process import Backend, is_started, start
from funasr_cli.llama.proving import (
    COOPMAT_OFF,
    F16_OFF,
    DeviceVerdict,
    LibraryReport,
    prove_device,
    prove_library,
)
from funasr_cli.llama.workload import ALL_LAYERS, Workload
from funasr_cli.trials import can_run
from funasr_cli.verdicts import Verdicts

TOO_SLOW = 5.0
"""`auto` passes a GPU over that needs so many times the CPU's time: a software renderer."""
_HIDDEN = {"GGML_VK_VISIBLE_DEVICES": ""}


@dataclass(frozen=True)
class DeviceOptions:
    """What the user asks of the devices."""

    request: DeviceRequest
    n_gpu_layers: int = ALL_LAYERS
    f16: bool = True
    """False: no half precision on Vulkan devices."""
    coopmat: bool = True
    """False: no cooperative matrices on Vulkan devices."""

    @property
    def environment(self) -> dict[str, str]:
        """As the Vulkan backend wants to be told."""
        return {**({} if self.f16 else F16_OFF), **({} if self.coopmat else COOPMAT_OFF)}


@dataclass(frozen=True)
class Choice:
    """Where the model will run."""

    report: LibraryReport
    device: Device | None = None
    """None: the CPU."""
    n_gpu_layers: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables to set before the library is opened."""
    warnings: tuple[str, ...] = ()
    """GPUs whose numbers are wrong: a sentence each."""


def open_chosen(
    found: Found,
    options: DeviceOptions,
    workload: Workload,
    *,
    verdicts: Verdicts | None = None,
    on_test: Callable[[str], None] | None = None,
) -> tuple[Choice, loading.Placement]:
    """Choose, and open the library in this process; arguments and errors as `choose` has them.

    A driver or a GPU may have come or gone since the library was tried: then all is chosen anew.
    """
    choice = choose(found, options, workload, verdicts=verdicts, on_test=on_test)
    backend = _start(found, choice)
    if choice.report.devices and not _HIDDEN.keys() & choice.environment.keys():
        seen = [(device.name, device.description) for device in backend.devices()]
        if seen != [(device.name, device.description) for device in choice.report.devices]:
            prove_library(found, verdicts=verdicts, environment=options.environment, fresh=True)
            choice = choose(found, options, workload, verdicts=verdicts, on_test=on_test)
            _start(found, choice)
    if choice.device is None:
        return choice, loading.CPU
    pointer = backend.device_pointer(choice.device.name)
    return choice, loading.Placement((pointer,), choice.n_gpu_layers)


def choose(
    found: Found,
    options: DeviceOptions,
    workload: Workload,
    *,
    verdicts: Verdicts | None = None,
    on_test: Callable[[str], None] | None = None,
) -> Choice:
    """Take the first GPU that fits the wish and computes what the CPU does; else the CPU.

    Args:
        found: the library.
        options: the wish.
        workload: the model.
        verdicts: where proofs are remembered; None: the user's cache.
        on_test: told, in a sentence, of a test that takes seconds, and of a GPU that is slow.

    Raises:
        LibraryError: the library cannot be used, or a GPU was asked for that is not there.
    """
    request, asked = options.request, options.environment
    if not can_run():
        untested = f"{found.path.name} is used untested, on the CPU: no test process can be started"
        return Choice(LibraryReport("", "", ()), warnings=(untested,))
    report = prove_library(found, verdicts=verdicts, environment=asked, on_test=on_test)
    if request.backend == CPU or options.n_gpu_layers == 0:
        hidden = _HIDDEN if report.gpus else {}
        return Choice(report, environment={**report.environment, **hidden})
    fitting = _fitting(report, request)
    if not fitting and not request.is_optional:
        # what is remembered may be from before the driver was installed
        report = prove_library(found, verdicts=verdicts, environment=asked, fresh=True)
        fitting = _fitting(report, request)
        if not fitting:
            raise LibraryError(_not_there(found, request, report))
    environment = dict(report.environment)
    warnings: list[str] = [_crashed(found, report)] if report.gpu_crash else []
    workload = replace(workload, n_gpu_layers=options.n_gpu_layers)
    for gpu in fitting:
        verdict = prove_device(
            found, gpu, workload, verdicts=verdicts, environment=environment, on_test=on_test
        )
        slow = request.is_optional and verdict.device_s > TOO_SLOW * verdict.cpu_s
        if verdict.works and not slow:
            return Choice(
                report, gpu, options.n_gpu_layers, dict(verdict.environment), tuple(warnings)
            )
        if not verdict.works:
            warnings.append(_wrong(verdict))
        elif on_test and verdict.is_new:
            on_test(_slow(verdict))
    return Choice(report, environment=environment, warnings=tuple(warnings))


def _start(found: Found, choice: Choice) -> Backend:
    """Open the library; the CPU is to be had from one that runs already, whatever its switches."""
    any_will_do = choice.device is None and is_started()
    return start(found.path, None if any_will_do else choice.environment)


def _fitting(report: LibraryReport, request: DeviceRequest) -> list[Device]:
    return [gpu for gpu in report.gpus if request.admits(gpu.backend, gpu.name)]


def _crashed(found: Found, report: LibraryReport) -> str:
    return (
        f"{found.path.name} cannot use the GPU, the CPU is used: {report.gpu_crash}. After a new "
        "driver or build: funasr doctor --retest"
    )


def _slow(verdict: DeviceVerdict) -> str:
    return (
        f"{verdict.device} needs {verdict.device_s:.2g} s for what the CPU does in "
        f"{verdict.cpu_s:.2g} s: the CPU is used, unless --device {verdict.device.backend} says "
        "otherwise (funasr doctor --retest measures again)"
    )


def _wrong(verdict: DeviceVerdict) -> str:
    return (
        f"{verdict.device} is not used for the LLM, the CPU is: {verdict.reason}. After a new "
        "driver or build: funasr doctor --retest"
    )


def _not_there(found: Found, request: DeviceRequest, report: LibraryReport) -> str:
    seen = ", ".join(str(gpu) for gpu in report.gpus) or "no GPU"
    told = [*([report.gpu_crash] if report.gpu_crash else []), *report.problems]
    reasons = "".join(f"; {problem}" for problem in told)
    return (
        f"--device {request}: {found.path} ({report.version}) sees {seen}{reasons}. Install its "
        "driver, or a build for it (`funasr runtime install --help`), or use --device auto"
    )
