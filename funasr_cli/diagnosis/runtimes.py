"""llama.cpp, its devices, onnxruntime's providers, and what each makes of the model."""

from dataclasses import asdict
from pathlib import Path

from funasr_cli.device_names import AUTO, DeviceRequest
from funasr_cli.diagnosis.checks import Check, gigabytes
from funasr_cli.errors import LibraryError
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.proving import (
    DeviceVerdict,
    LibraryReport,
    Workload,
    prove_device,
    prove_library,
    time_cpu,
)
from funasr_cli.onnx import CPU_PROVIDER, available_providers
from funasr_cli.providers import PROVIDERS, choose_provider, time_encoder

_OTHER_BUILD = "funasr runtime install --help (another build of llama.cpp)"


def find_library(llama_bin: Path | None) -> tuple[Found | None, LibraryReport | None, Check]:
    """Find llama.cpp and let it prove itself in a child process."""
    found = None
    try:
        found = find(llama_bin)
        report = prove_library(found)
    except LibraryError as error:
        where = {"path": str(found.path), "source": found.source} if found else {}
        return found, None, Check("llama.cpp", "problem", str(error), _OTHER_BUILD, where)
    facts: dict[str, object] = {
        "path": str(found.path),
        "source": found.source,
        "version": report.version,
        "layout": report.layout,
        "problems": list(report.problems),
        "deviation": report.deviation,
    }
    lines = [str(found.path), f"{report.version}, from {found.source}", *report.problems]
    if "?" in report.layout:
        lines.append("a layout that this program does not know: only the minimal settings are used")
    noted = bool(report.problems) or "?" in report.layout
    check = Check(
        "llama.cpp",
        "note" if noted else "ok",
        "\n".join(lines),
        _OTHER_BUILD if noted else "",
        facts,
    )
    return found, report, check


def check_devices(report: LibraryReport) -> Check:
    """List what llama.cpp can compute on."""
    text = "\n".join(describe(device) for device in report.devices)
    if not report.gpus:
        text += "\nno GPU; one needs its driver and a build for it: funasr runtime install --help"
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


def self_test(
    found: Found, report: LibraryReport, workload: Workload, encoder: Path | None
) -> Check:
    """Compute on each device and compare the GPUs with the CPU, each in a child process."""
    lines: list[str] = []
    facts: dict[str, object] = {}
    broken: list[str] = []
    dropped: list[str] = []
    seconds = time_cpu(found, workload, environment=report.environment)
    (broken if isinstance(seconds, str) else lines).append(f"LLM on CPU: {_time(seconds)}")
    facts["llm_cpu"] = seconds
    for gpu in report.gpus:
        verdict = prove_device(found, gpu, workload, environment=report.environment)
        facts[f"llm_{gpu.name}"] = asdict(verdict)
        (lines if verdict.works else dropped).append(f"LLM on {gpu.name}: {_verdict(verdict)}")
    if encoder is not None:
        seconds = time_encoder(encoder, workload.threads)
        facts["encoder_cpu"] = seconds
        told = f"encoder on CPU: {_time(seconds)} for 10 s of sound"
        (broken if isinstance(seconds, str) else lines).append(told)
        choice = choose_provider(encoder, DeviceRequest(AUTO), workload.threads)
        facts["encoder_provider"] = choice.provider
        if choice.provider != CPU_PROVIDER:
            lines.append(f"encoder on {choice.provider}: proved, and faster")
        lines += choice.warnings
    text = "\n".join(lines + dropped + broken)
    if broken:
        return Check("self-test", "problem", text, _OTHER_BUILD, facts)
    if dropped:
        remedy = "install a newer graphics driver or build, then: funasr doctor --retest"
        return Check("self-test", "note", text, remedy, facts)
    return Check("self-test", "ok", text, facts=facts)


def _time(seconds: float | str) -> str:
    return seconds if isinstance(seconds, str) else f"{seconds * 1000:.0f} ms"


def _verdict(verdict: DeviceVerdict) -> str:
    if not verdict.works:
        return f"not usable: {verdict.reason}"
    switches = "".join(f", with {k}={v}" for k, v in verdict.environment.items())
    return f"{_time(verdict.device_s)}, {verdict.deviation:.1%} off the CPU's numbers{switches}"
