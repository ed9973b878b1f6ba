"""Opening a model: every runtime of the pipeline, owned by one `with`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from funasr_cli.ctc import OnnxCtc, read_tokens
from funasr_cli.decode import GreedyDecoder
from funasr_cli.device_names import parse_device
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.errors import ModelError
from funasr_cli.foreign import DEVIATION, ForeignCtc, ForeignEncoder
from funasr_cli.guards import token_budget
from funasr_cli.llama.choice import DeviceOptions, open_chosen
from funasr_cli.llama.library import find
from funasr_cli.llama.loading import CPU, Placement
from funasr_cli.llama.proving import ALL_LAYERS, Workload
from funasr_cli.llama.runtime import LlamaModel, open_language_model
from funasr_cli.manifest import (
    DEFAULT_MAX_SEGMENT_S,
    DEFAULT_TIME_OFFSET_S,
    HOW_TO_EXPORT,
    LOW_FRAME_RATE,
    MANIFEST,
    ModelFacts,
)
from funasr_cli.model_dir import ModelFiles
from funasr_cli.onnx import usable_cores
from funasr_cli.options import RuntimeOptions
from funasr_cli.protocols import CtcHead, Encoder, LanguageModel
from funasr_cli.providers import ProviderChoice, choose_provider
from funasr_cli.results import ModelInfo, Notice
from funasr_cli.units import SAMPLE_RATE, lfr_frames

SMALL_LLM_BYTES = 64_000_000
"""Below this a token's work is shorter than the threads' hand-over: one thread is faster."""
PROMPT_ROOM = 768
"""Positions kept for the prompt's text: template, context and hotwords."""


@dataclass(frozen=True)
class Model:
    """A model ready to transcribe."""

    encoder: Encoder
    ctc: CtcHead | None
    tokens: tuple[bytes, ...]
    """CTC id -> bytes, the blank last; empty without a CTC head."""
    llm: LanguageModel
    decoder: GreedyDecoder
    bangs: frozenset[int]
    """Ids of exclamation marks, which a failing LLM repeats."""
    max_segment_s: float
    time_offset_s: float
    system_prompt: bool
    think_block: bool
    info: ModelInfo
    notices: tuple[Notice, ...]


def open_model(
    files: ModelFiles,
    runtime: RuntimeOptions,
    stack: ExitStack,
    *,
    on_test: Callable[[str], None] | None = None,
) -> Model:
    """Open the files of one model; whatever needs closing goes onto `stack`.

    Args:
        files: the model.
        runtime: threads, devices and the llama.cpp to use.
        stack: closes what was opened.
        on_test: told, in a sentence, when a device is tested for the first time.

    Raises:
        ModelError: a file is missing, broken, or does not belong to the others.
        LibraryError: llama.cpp or onnxruntime cannot be used, or the device is not there.
    """
    threads = runtime.threads or usable_cores()
    facts, request = files.facts, parse_device(runtime.device)
    llm, device, dropped = _open_llm(files, runtime, threads, stack, on_test)
    encoder: OnnxEncoder | ForeignEncoder
    ctc: OnnxCtc | ForeignCtc | None
    if facts:
        provided = choose_provider(files.encoder, request, threads, on_test=on_test)
        encoder = OnnxEncoder(
            files.encoder,
            threads=threads,
            provider=provided.provider,
            device_id=provided.device_id,
        )
        ctc = OnnxCtc(files.ctc, threads=threads) if files.ctc else None
    else:
        provided = ProviderChoice()
        encoder = ForeignEncoder(files.encoder, threads=threads)
        ctc = ForeignCtc(files.ctc, threads=threads) if files.ctc else None
    tokens = read_tokens(files.tokens) if ctc and files.tokens else ()
    _check_fit(files, encoder, ctc, tokens, llm)
    return Model(
        encoder=encoder,
        ctc=ctc,
        tokens=tokens,
        llm=llm,
        decoder=GreedyDecoder(llm),
        bangs=frozenset(t for mark in ("!", "！", "!!") for t in _single(llm, mark)),
        max_segment_s=_max_segment_s(facts),
        time_offset_s=facts.time_offset_s if facts else DEFAULT_TIME_OFFSET_S,
        system_prompt=facts.system_prompt if facts else True,
        think_block=facts.think_block if facts else False,
        info=ModelInfo(
            name=facts.name if facts else files.path.name,
            path=str(files.path),
            sha256=files.sha256,
            decoder=files.decoder.name,
            llama=str(llm.library),
            device=device,
            encoder_provider=provided.provider,
        ),
        notices=(
            *_notices(files),
            *(Notice("llama-layout", text) for text in filter(None, [llm.backend.warning])),
            *(Notice("device-dropped", text) for text in dropped + provided.warnings),
        ),
    )


def _open_llm(
    files: ModelFiles,
    runtime: RuntimeOptions,
    threads: int,
    stack: ExitStack,
    on_test: Callable[[str], None] | None,
) -> tuple[LlamaModel, str, tuple[str, ...]]:
    """Open the LLM on the device that was chosen; on the CPU where that has no room for it.

    Returns:
        The LLM, what it runs on, and a sentence for each device that was dropped.
    """
    threads = 1 if files.decoder.stat().st_size < SMALL_LLM_BYTES else threads
    found = find(runtime.llama_bin)
    options = DeviceOptions(
        parse_device(runtime.device),
        ALL_LAYERS if runtime.n_gpu_layers is None else runtime.n_gpu_layers,
        f16=runtime.vulkan_f16,
        coopmat=runtime.vulkan_coopmat,
    )
    choice, placement = open_chosen(
        found, options, Workload(files.decoder, threads, files.exact), on_test=on_test
    )
    seconds = _max_segment_s(files.facts)
    n_ctx = PROMPT_ROOM + _audio_rows(files.facts, seconds) + token_budget(seconds, 0)

    def open_on(where: Placement) -> LlamaModel:
        return open_language_model(
            files.decoder,
            n_ctx=n_ctx,
            exact_cache=files.exact,
            threads=threads,
            llama_bin=found.path,
            placement=where,
        )

    try:
        llm = open_on(placement)
    except ModelError as error:
        if choice.device is None:
            raise
        # it had room for the test; another program may have taken it since
        dropped = f"{choice.device} is not used for the LLM, the CPU is: {error}"
        return stack.enter_context(open_on(CPU)), "CPU", (*choice.warnings, dropped)
    return stack.enter_context(llm), str(choice.device or "CPU"), choice.warnings


def _max_segment_s(facts: ModelFacts | None) -> float:
    return facts.max_segment_s if facts else DEFAULT_MAX_SEGMENT_S


def _check_fit(
    files: ModelFiles,
    encoder: OnnxEncoder | ForeignEncoder,
    ctc: OnnxCtc | ForeignCtc | None,
    tokens: Sequence[bytes],
    llm: LanguageModel,
) -> None:
    """Compare every width that two files must share; None where a file does not tell.

    Raises:
        ModelError: two differ; names both files.
    """
    told = files.path / MANIFEST
    # what; a file and its number; another file and its number
    pairs: list[tuple[str, object, int | None, object, int | None]] = [
        ("LLM columns", files.encoder, encoder.llm_dim, files.decoder, llm.n_embd),
    ]
    if ctc:
        pairs += [
            ("encoder columns", files.encoder, encoder.encoder_dim, files.ctc, ctc.encoder_dim),
            ("CTC tokens", files.ctc, ctc.vocab, files.tokens, len(tokens)),
        ]
    if facts := files.facts:
        pairs += [
            ("encoder columns", files.encoder, encoder.encoder_dim, told, facts.encoder_dim),
            ("LLM columns", files.encoder, encoder.llm_dim, told, facts.llm_dim),
            ("LLM columns", files.decoder, llm.n_embd, told, facts.llm_dim),
            ("LLM tokens", files.decoder, llm.n_vocab, told, facts.llm_vocab),
        ]
    if facts and ctc:
        pairs.append(("CTC tokens", files.tokens, len(tokens), told, facts.ctc_vocab))
    for what, one, width, other, expected in pairs:
        if None not in {width, expected} and width != expected:
            raise ModelError(
                f"{one}: has {width} {what}, but {other} {expected}: they come from different "
                f"models; {HOW_TO_EXPORT}"
            )


def _audio_rows(facts: ModelFacts | None, seconds: float) -> int:
    """Count the rows that a segment of `seconds` puts into the prompt."""
    rows = lfr_frames(round(seconds * SAMPLE_RATE))
    if facts and facts.downsample_rate > 1:
        rows = -(-rows // facts.downsample_rate)
    return -(-rows // LOW_FRAME_RATE) if facts is None or facts.use_low_frame_rate else rows


def _single(llm: LanguageModel, text: str) -> list[int]:
    """Return the id of a text that is one token, else nothing."""
    ids = llm.tokenize(text)
    return ids if len(ids) == 1 else []


def _notices(files: ModelFiles) -> list[Notice]:
    notices = []
    if files.facts is None:
        notices.append(Notice("foreign-model", f"{files.path}: {DEVIATION}"))
    if files.ctc is None:
        notices.append(
            Notice(
                "no-ctc",
                f"{files.path}: exported without a CTC head: no character times, "
                "no hotword recall by sound",
            )
        )
    return notices
