"""llama.cpp, its devices, onnxruntime's providers, and what each makes of the model."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from funasr_cli.device_names import AUTO, DeviceRequest
from funasr_cli.diagnosis.checks import Check, gigabytes
from funasr_cli.diagnosis.model import EXPORT, why_not_opened
from funasr_cli.diagnosis.remedies import NEWER_DRIVER, mend_library, mend_no_gpu
from funasr_cli.errors import LibraryError
from funasr_cli.llama.choice import DeviceOptions, choose
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import (
    DeviceVerdict,
    LibraryReport,
    prove_device,
    prove_library,
    time_cpu,
)
from funasr_cli.llama.workload import Workload
from funasr_cli.llm import SMALL_LLM_BYTES
from funasr_cli.model_dir import ModelFiles
from funasr_cli.onnx import CPU_PROVIDER, available_providers, usable_cores
from funasr_cli.options import RuntimeOptions
from funasr_cli.providers import PROVIDERS, choose_provider, time_encoder
from funasr_cli.trials import can_run

_OTHER_MODEL = f"copy the model again, or {EXPORT}; or another build: funasr runtime install --help"


def find_library(llama_bin: Path | None) -> tuple[Found | None, LibraryReport | None, Check]:
    """Find llama.cpp and let it prove itself in a child process, whatever is remembered."""
    found = None
    try:
        found = find(llama_bin)
        if not can_run():
            text = f"{found.path}\nuntested: no test process can be started here"
            return found, None, Check("llama.cpp", "note", text, "funasr transcribe AUDIO")
        report = prove_library(found, fresh=True)
    except LibraryError as error:
        where = {"path": str(found.path), "source": found.source} if found else {}
        remedy = mend_library(llama_bin, found)
        return found, None, Check("llama.cpp", "problem", str(error), remedy, where)
    noted = _noted(report)
    facts: dict[str, object] = {
        "path": str(found.path),
        "source": found.source,
        "version": report.version,
        "layout": report.layout,
        "backends": _backends(report),
        "problems": list(report.problems),
        "gpu_crash": report.gpu_crash,
        "deviation": report.deviation,
    }
    version = f"{report.version}, from {found.source}; backends: {', '.join(_backends(report))}"
    text = "\n".join([str(found.path), version, *noted])
    if noted:
        remedy = mend_library(llama_bin, found, report)
        return found, report, Check("llama.cpp", "note", text, remedy, facts)
    return found, report, Check("llama.cpp", "ok", text, facts=facts)


def _noted(report: LibraryReport) -> list[str]:
    """List what does not work, though the CPU does."""
    lines = [f"it cannot use the GPU here: {report.gpu_crash}"] if report.gpu_crash else []
    lines += report.problems
    if "?" in report.layout:
        lines.append("a layout that this program does not know: only the minimal settings are used")
    return lines


def _backends(report: LibraryReport) -> list[str]:
    return list(dict.fromkeys(device.backend for device in report.devices))


def check_devices(found: Found, report: LibraryReport) -> Check:
    """List what llama.cpp can compute on."""
    text = "\n".join(describe(device) for device in report.devices)
    if not report.gpus:
        text += f"\nno GPU; {mend_no_gpu(found, report)}"
    facts = {"devices": [asdict(d) | {"backend": d.backend} for d in report.devices]}
    return Check("devices", "ok", text, facts=facts)


def describe(device: Device) -> str:
    """Write a device in one line, with its memory and the words for --device."""
    kind = {"gpu": "GPU", "igpu": "integrated GPU", "cpu": "CPU", "accel": "accelerator"}
    memory = f", {gigabytes(device.free)} of {gigabytes(device.total)} free" if device.total else ""
    return f"{device.name}: {device.description} ({kind[device.kind]}{memory})"


def check_providers() -> Check:
    """List onnxruntime's providers, and which of them would be tried for the encoder."""
    installed = available_providers()
    used = [name for name in installed if name in {*PROVIDERS.values(), CPU_PROVIDER}]
    facts = {"installed": list(installed), "used": used}
    return Check("providers", "ok", ", ".join(installed) or "none", facts=facts)


@dataclass
class _Findings:
    """What the self-test found: lines of what works, is left aside, and must be mended."""

    fine: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)


def self_test(
    found: Found, report: LibraryReport, files: ModelFiles, runtime: RuntimeOptions
) -> Check:
    """Compute on each device, compare the GPUs with the CPU, and open the model as a whole.

    All of it happens in child processes.
    """
    findings = _Findings()
    threads = runtime.threads or usable_cores()
    _test_llm(found, report, files, threads, findings)
    if files.facts:  # an encoder of another tool has inputs of its own
        _test_encoder(files.encoder, threads, findings)
    if not findings.broken:
        failure = why_not_opened(files, runtime, report.environment)
        findings.facts["model"] = failure
        where = findings.broken if failure else findings.fine
        where.append(f"model: {failure or 'opened whole, as transcribe does'}")
    text = "\n".join(findings.fine + findings.dropped + findings.broken)
    if findings.broken:
        return Check("self-test", "problem", text, _OTHER_MODEL, findings.facts)
    if findings.dropped:
        return Check("self-test", "note", text, NEWER_DRIVER, findings.facts)
    return Check("self-test", "ok", text, facts=findings.facts)


def _test_llm(
    found: Found, report: LibraryReport, files: ModelFiles, threads: int, findings: _Findings
) -> None:
    """Time the CPU, prove every GPU, and say which of them `--device auto` takes."""
    small = files.decoder.stat().st_size < SMALL_LLM_BYTES  # as `model` has it
    workload = Workload(files.decoder, 1 if small else threads, files.exact)
    seconds = time_cpu(found, workload, environment=report.environment)
    findings.facts |= {"llm_cpu": seconds, "llm_threads": workload.threads}
    if isinstance(seconds, str):
        findings.broken.append(f"LLM on CPU: {seconds}")
        return
    findings.fine.append(f"LLM on CPU: {_time(seconds)}")
    for gpu in report.gpus:
        verdict = prove_device(found, gpu, workload, environment=report.environment)
        findings.facts[f"llm_{gpu.name}"] = asdict(verdict)
        where = findings.fine if verdict.works else findings.dropped
        where.append(f"LLM on {gpu.name}: {_verdict(verdict)}")
    try:
        device = choose(found, DeviceOptions(DeviceRequest(AUTO)), workload).device
    except LibraryError as error:  # it worked a moment ago
        findings.broken.append(f"auto: {error}")
        return
    findings.facts["auto"] = device.name if device else "CPU"
    findings.fine.append(f"auto: {findings.facts['auto']}")


def _test_encoder(encoder: Path, threads: int, findings: _Findings) -> None:
    """Time the CPU, and say which provider `--device auto` takes."""
    seconds = time_encoder(encoder, threads)
    findings.facts["encoder_cpu"] = seconds
    if isinstance(seconds, str):
        findings.broken.append(f"encoder on CPU: {seconds}")
        return
    findings.fine.append(f"encoder on CPU: {_time(seconds)} for 10 s of sound")
    choice = choose_provider(encoder, DeviceRequest(AUTO), threads)
    findings.facts["encoder_provider"] = choice.provider
    if choice.provider != CPU_PROVIDER:
        findings.fine.append(f"encoder on {choice.provider}: proved, and faster")
    findings.fine += choice.warnings


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _verdict(verdict: DeviceVerdict) -> str:
    if not verdict.works:
        return f"not usable: {verdict.reason}"
    switches = "".join(f", with {k}={v}" for k, v in verdict.environment.items())
    return f"{_time(verdict.device_s)}, {verdict.deviation:.1%} off the CPU's numbers{switches}"
