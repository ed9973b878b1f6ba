"""Opening the LLM: on which device, with how much room, and how many segments at once."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil

from funasr_cli.costs import MAX_SLOTS, CostCurve, choose_slots
from funasr_cli.device_names import parse_device
from funasr_cli.errors import DecodeError, ModelError
from funasr_cli.guards import token_budget
from funasr_cli.llama.choice import Choice, DeviceOptions, open_chosen
from funasr_cli.llama.costing import measure_costs
from funasr_cli.llama.library import Found, find
from funasr_cli.llama.loading import CPU, Placement
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.llama.workload import ALL_LAYERS, Workload
from funasr_cli.manifest import (
    DEFAULT_MAX_SEGMENT_S,
    HOW_TO_EXPORT,
    LOW_FRAME_RATE,
    ModelFacts,
)
from funasr_cli.memory import available_bytes
from funasr_cli.model_dir import ModelFiles
from funasr_cli.options import RuntimeOptions
from funasr_cli.units import SAMPLE_RATE, lfr_frames

CPU_NAME = "CPU"
SMALL_LLM_BYTES = 64_000_000
"""Below this a token's work is shorter than the threads' hand-over: one thread is faster."""
PROMPT_ROOM = 768
"""Most positions for the prompt's text: template, context and hotwords."""
MOST_TOKENS = 2048
"""Most tokens of one segment that room is made for, however many the user allows."""
BARE_PROMPT = 48
"""Positions of a prompt without context and hotwords: the template takes 23 to 36."""
CACHE_SHARE = 0.25
"""Most of the free memory that the KV cache may take."""
USUAL_TOKENS = 4.5
"""Tokens a second that room is made for at once; denser speech lets the cache grow. Dense Chinese
has 4.3 (256 tokens a minute), and 30 s then fit into the 256 positions that llama.cpp counts by."""


@dataclass(frozen=True)
class OpenedLlm:
    """The LLM, and how it is to be used."""

    model: LlamaModel
    device: str
    """What it runs on: a GPU's name, or CPU_NAME."""
    curve: CostCurve
    slots: int
    """Segments to decode side by side."""
    dropped: tuple[str, ...]
    """A sentence for each device that is not used because it failed."""


def open_llm(
    files: ModelFiles,
    runtime: RuntimeOptions,
    threads: int,
    stack: ExitStack,
    on_test: Callable[[str], None] | None,
) -> OpenedLlm:
    """Open the LLM on the device that was chosen; on the CPU where that has no room for it.

    Raises:
        ModelError: the model cannot be opened anywhere.
        LibraryError: llama.cpp cannot be used, or has not the device that was asked for.
    """
    threads = 1 if files.decoder.stat().st_size < SMALL_LLM_BYTES else threads
    found = find(runtime.llama_bin)
    options = DeviceOptions(
        parse_device(runtime.device),
        _layers(runtime.n_gpu_layers),
        f16=runtime.vulkan_f16,
        coopmat=runtime.vulkan_coopmat,
    )
    workload = Workload(files.decoder, threads, files.exact)
    choice, placement = open_chosen(found, options, workload, on_test=on_test)
    curve = _costs(found, choice, workload, on_test)

    def open_on(where: Placement) -> LlamaModel:
        return open_language_model(
            files.decoder,
            n_ctx=usual_positions(files.facts, BARE_PROMPT),
            exact_cache=files.exact,
            threads=threads,
            llama_bin=found.path,
            placement=where,
            max_cache_bytes=_room(choice if where != CPU else None),
        )

    device, dropped = str(choice.device or CPU_NAME), choice.warnings
    try:
        llm = open_on(placement)
    except ModelError as error:
        if choice.device is None:
            raise
        # it had room for the test; another program may have taken it since
        told = f"{choice.device} is not used for the LLM, the CPU is: {error}"
        llm, device, dropped = open_on(CPU), CPU_NAME, (*dropped, told)
        curve = _costs(found, Choice(choice.report), workload, on_test)
    slots = runtime.slots or choose_slots(curve, MAX_SLOTS)
    return OpenedLlm(stack.enter_context(llm), device, curve, slots, dropped)


def _costs(
    found: Found, choice: Choice, workload: Workload, on_test: Callable[[str], None] | None
) -> CostCurve:
    """Measure the device with this model; a model that kills llama.cpp dies in that test.

    Raises:
        ModelError: it did.
    """
    try:
        return measure_costs(
            found, choice.device, workload, environment=choice.environment, on_test=on_test
        )
    except DecodeError as error:
        raise ModelError(
            f"{workload.model}: llama.cpp cannot run it: {error}: copy it again, or {HOW_TO_EXPORT}"
        ) from error


def _layers(asked: int | None) -> int:
    """More layers than there are, and -1 as llama.cpp's own programs have it, mean all."""
    return ALL_LAYERS if asked is None or asked < 0 else min(asked, ALL_LAYERS)


def max_segment_s(facts: ModelFacts | None) -> float:
    """Longest segment of a model, seconds."""
    return facts.max_segment_s if facts else DEFAULT_MAX_SEGMENT_S


def positions(facts: ModelFacts | None, prompt: int, written: int = 0) -> int:
    """Positions that the longest segment needs: prompt, audio rows, and its text.

    Args:
        facts: of the model.
        prompt: tokens of the prompt.
        written: least tokens that the text may have; its usual budget counts anyway.
    """
    seconds = max_segment_s(facts)
    return prompt + _audio_rows(facts, seconds) + max(written, token_budget(seconds, 0))


def usual_positions(facts: ModelFacts | None, prompt: int) -> int:
    """Positions that most segments need at most; see `positions`."""
    seconds = max_segment_s(facts)
    return prompt + _audio_rows(facts, seconds) + ceil(USUAL_TOKENS * seconds)


def _room(choice: Choice | None) -> int | None:
    """Most bytes for the KV cache; None: unknown."""
    device = choice.device if choice else None
    free = device.free if device else available_bytes()
    return round(CACHE_SHARE * free) if free else None


def _audio_rows(facts: ModelFacts | None, seconds: float) -> int:
    """Count the rows that a segment of `seconds` puts into the prompt."""
    rows = lfr_frames(round(seconds * SAMPLE_RATE))
    if facts and facts.downsample_rate > 1:
        rows = -(-rows // facts.downsample_rate)
    return -(-rows // LOW_FRAME_RATE) if facts is None or facts.use_low_frame_rate else rows
