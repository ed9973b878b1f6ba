"""How long calls of the LLM take by their rows: measured once for a device and model."""

from collections.abc import Callable, Mapping

from funasr_cli.costs import TYPICAL_CPU, CostCurve, monotone
from funasr_cli.errors import DecodeError
from funasr_cli.llama.devices import Device
from funasr_cli.llama.library import Found
from funasr_cli.llama.process import outside_environment
from funasr_cli.llama.proving import DEVICE_TIMEOUT_S, identity
from funasr_cli.llama.workload import Workload, job_of
from funasr_cli.trials import run_trial
from funasr_cli.verdicts import Verdicts, fingerprint


def measure_costs(  # noqa: PLR0913 - what, on what, and how it is remembered and told
    found: Found,
    device: Device | None,
    workload: Workload,
    *,
    verdicts: Verdicts | None = None,
    environment: Mapping[str, str] | None = None,
    on_test: Callable[[str], None] | None = None,
) -> CostCurve:
    """Measure in a child process, or recall; the same curve is used until something changes.

    Args:
        found: a library that has proved itself.
        device: where the model runs; None: the CPU.
        workload: the model.
        verdicts: where it is remembered; None: the user's cache.
        environment: variables that the device needs.
        on_test: told, in a sentence, that a measurement begins.

    Raises:
        DecodeError: the model crashed llama.cpp.
    """
    verdicts = verdicts or Verdicts()
    name = str(device or f"CPU, {workload.threads} threads")
    question = (
        *("costs", *identity(found), name, fingerprint(workload.model)),
        *(str(workload.n_gpu_layers), str(workload.exact_cache)),
        *(f"{key}={value}" for key, value in sorted((environment or {}).items())),
    )
    kept = verdicts.get(*question)
    if kept is None:
        if on_test:
            on_test(f"measuring {name}, once for this model and build")
        outcome = run_trial(
            "funasr_cli.llama.trial:time_rows",
            {
                "library": str(found.path),
                "device": device.name if device else None,
                **job_of(workload),
            },
            environment={**outside_environment(), **(environment or {})},
            timeout_s=DEVICE_TIMEOUT_S,
        )
        if outcome.crashed:
            raise DecodeError(outcome.failure)
        if outcome.result is None:
            return TYPICAL_CPU  # opening the model will say what is wrong
        kept = outcome.result
        verdicts.put(kept, *question)
        # a cache that cannot be written would give another curve, and other batches, each time
        if verdicts.get(*question) is None:
            return TYPICAL_CPU
    return monotone(kept["seconds"])
