"""Opening a model: every runtime of the pipeline, owned by one `with`."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from funasr_cli.ctc import OnnxCtc, read_tokens
from funasr_cli.decode import GreedyDecoder
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.errors import ModelError
from funasr_cli.foreign import DEVIATION, ForeignCtc, ForeignEncoder
from funasr_cli.guards import token_budget
from funasr_cli.llama.runtime import open_language_model
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


def open_model(files: ModelFiles, runtime: RuntimeOptions, stack: ExitStack) -> Model:
    """Open the files of one model; whatever needs closing goes onto `stack`.

    Raises:
        ModelError: a file is missing, broken, or does not belong to the others.
        LibraryError: llama.cpp or onnxruntime cannot be used.
    """
    threads = runtime.threads or usable_cores()
    facts = files.facts
    encoder: OnnxEncoder | ForeignEncoder
    ctc: OnnxCtc | ForeignCtc | None
    if facts:
        encoder = OnnxEncoder(files.encoder, threads=threads)
        ctc = OnnxCtc(files.ctc, threads=threads) if files.ctc else None
    else:
        encoder = ForeignEncoder(files.encoder, threads=threads)
        ctc = ForeignCtc(files.ctc, threads=threads) if files.ctc else None
    tokens = read_tokens(files.tokens) if ctc and files.tokens else ()
    max_segment_s = facts.max_segment_s if facts else DEFAULT_MAX_SEGMENT_S
    llm = stack.enter_context(
        open_language_model(
            files.decoder,
            n_ctx=PROMPT_ROOM + _audio_rows(facts, max_segment_s) + token_budget(max_segment_s, 0),
            exact_cache=files.exact,
            threads=1 if files.decoder.stat().st_size < SMALL_LLM_BYTES else threads,
            llama_bin=runtime.llama_bin,
        )
    )
    _check_fit(files, encoder, ctc, tokens, llm)
    return Model(
        encoder=encoder,
        ctc=ctc,
        tokens=tokens,
        llm=llm,
        decoder=GreedyDecoder(llm),
        bangs=frozenset(t for mark in ("!", "！", "!!") for t in _single(llm, mark)),
        max_segment_s=max_segment_s,
        time_offset_s=facts.time_offset_s if facts else DEFAULT_TIME_OFFSET_S,
        system_prompt=facts.system_prompt if facts else True,
        think_block=facts.think_block if facts else False,
        info=ModelInfo(
            name=facts.name if facts else files.path.name,
            path=str(files.path),
            sha256=files.sha256,
            decoder=files.decoder.name,
            llama=str(llm.library),
        ),
        notices=(*_notices(files), *_library_notices(llm.backend.warning)),
    )


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


def _library_notices(warning: str | None) -> list[Notice]:
    return [Notice("llama-layout", warning)] if warning else []


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
