"""Opening a model: every runtime of the pipeline, owned by one `with`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from funasr_cli.ctc import OnnxCtc, read_tokens
from funasr_cli.decode import BatchDecoder
from funasr_cli.device_names import parse_device
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.errors import ModelError
from funasr_cli.foreign import DEVIATION, ForeignCtc, ForeignEncoder
from funasr_cli.llm import CPU_NAME, OpenedLlm, max_segment_s, open_llm
from funasr_cli.manifest import (
    DEFAULT_TIME_OFFSET_S,
    HOW_TO_EXPORT,
    MANIFEST,
    ModelFacts,
)
from funasr_cli.model_dir import ModelFiles
from funasr_cli.onnx import usable_cores
from funasr_cli.options import RuntimeOptions
from funasr_cli.protocols import CtcHead, Encoder, LanguageModel, SpeechDetector
from funasr_cli.providers import ProviderChoice, choose_provider
from funasr_cli.results import ModelInfo, Notice
from funasr_cli.silero import Silero

AHEAD = 4
"""Segments that the encoder works ahead of an LLM on a GPU."""


@dataclass(frozen=True)
class Model:
    """A model ready to transcribe."""

    encoder: Encoder
    ctc: CtcHead | None
    tokens: tuple[bytes, ...]
    """CTC id -> bytes, the blank last; empty without a CTC head."""
    detector: SpeechDetector
    llm: LanguageModel
    decoder: BatchDecoder
    slots: int
    """Segments that are decoded side by side."""
    ahead: int
    """Segments that the encoder may be ahead of the LLM; 0: they take turns, on one processor."""
    bangs: frozenset[int]
    """Ids of exclamation marks, which a failing LLM repeats."""
    max_segment_s: float
    time_offset_s: float
    facts: ModelFacts | None
    """None for models of other tools."""
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
    opened = open_llm(files, runtime, threads, stack, on_test)
    llm = opened.model
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
        detector=Silero(),
        llm=llm,
        decoder=BatchDecoder(llm, opened.curve if runtime.drafts else None),
        slots=opened.slots,
        ahead=_ahead(opened) if runtime.ahead is None else runtime.ahead,
        bangs=frozenset(t for mark in ("!", "！", "!!") for t in _single(llm, mark)),
        max_segment_s=max_segment_s(facts),
        time_offset_s=facts.time_offset_s if facts else DEFAULT_TIME_OFFSET_S,
        facts=facts,
        system_prompt=facts.system_prompt if facts else True,
        think_block=facts.think_block if facts else False,
        info=ModelInfo(
            name=facts.name if facts else files.path.name,
            path=str(files.path),
            sha256=files.sha256,
            decoder=files.decoder.name,
            llama=str(llm.library),
            device=opened.device,
            encoder_provider=provided.provider,
        ),
        notices=(
            *_notices(files),
            *(Notice("llama-layout", text) for text in filter(None, [llm.backend.warning])),
            *(Notice("device-dropped", text) for text in opened.dropped + provided.warnings),
        ),
    )


def _ahead(opened: OpenedLlm) -> int:
    """On one processor encoder and LLM take turns: both want all of it."""
    return AHEAD if opened.device != CPU_NAME else 0


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
