"""One segment's audio rows -> an honest text: prompt, decode, guards and their remedies.

Part of the composition, like `transcriber`: the only other module that joins stages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from funasr_cli.decode import Generation, Stop
from funasr_cli.guards import find_loop, token_budget
from funasr_cli.model import PROMPT_ROOM, Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.prompt import build_prompt
from funasr_cli.protocols import Floats
from funasr_cli.results import DecodeStats, HotwordHit, Notice
from funasr_cli.timings import Timings

REFERENCE_MAX_TOKENS = 512
"""The reference's own limit (`max_length`), used when the guards are off."""

_TROUBLE = {
    "nan": "the LLM's numbers overflowed",
    "loop": "the LLM repeated itself",
    "budget": "the LLM did not come to an end",
}


@dataclass(frozen=True)
class Question:
    """What is known of a segment before the LLM is asked."""

    segment: int
    seconds: float
    audio_embeds: Floats
    """[A, D]."""
    hotwords: tuple[HotwordHit, ...]
    language: str | None
    heard: int
    """CTC tokens of the segment; 0 without a CTC head."""
    ctc_text: str


@dataclass(frozen=True)
class Answer:
    """What the LLM, or a remedy in its place, says of a segment."""

    text: str = ""
    token_ids: tuple[int, ...] = ()
    stats: DecodeStats = field(default_factory=DecodeStats)
    notices: tuple[Notice, ...] = ()


def answer(
    model: Model, question: Question, options: TranscribeOptions, timings: Timings
) -> Answer:
    """Ask the LLM; when a guard finds its text wrong, ask again plainly, then use the CTC text.

    Raises:
        DecodeError: the runtime failed.
    """
    context, words = options.context, [h.word for h in question.hotwords]
    generation, notices = _attempt(model, question, options, timings, words, context)
    stats = DecodeStats(calls=generation.calls, rows=generation.rows)
    if options.guard and generation.stop != "end" and (words or context):
        again, _ = _attempt(model, question, options, timings, (), "")
        notices.append(
            Notice(
                "retried",
                f"{_TROUBLE[generation.stop]}; asked again without hotwords and context",
                question.segment,
            )
        )
        stats = DecodeStats(
            calls=stats.calls + again.calls, rows=stats.rows + again.rows, retries=1
        )
        generation = again
    ids, remedy = _remedied(model, generation, question, guard=options.guard)
    text = question.ctc_text if remedy == "ctc" else _text(model, ids)
    if generation.stop != "end":
        notices.append(_notice(generation.stop, remedy, question.segment))
    return Answer(text, () if remedy == "ctc" else ids, stats, tuple(notices))


def _attempt(  # noqa: PLR0913, PLR0917 - one try, all of its circumstances
    model: Model,
    question: Question,
    options: TranscribeOptions,
    timings: Timings,
    words: Sequence[str],
    context: str,
) -> tuple[Generation, list[Notice]]:
    with timings.measure("prompt"):
        prefix, suffix, notices = _prompt_ids(model, question, options, words, context)
    with timings.measure("prefill"):
        prompt = model.decoder.prefill(prefix, question.audio_embeds, suffix)
    budget = options.max_new_tokens or (
        token_budget(question.seconds, question.heard) if options.guard else REFERENCE_MAX_TOKENS
    )

    def stop_at(ids: Sequence[int]) -> Stop | None:
        if not options.guard:
            return None
        if not model.llm.piece(ids[-1]):  # a control token, e.g. <|endoftext|>: the text is over
            return "end"
        return "loop" if find_loop(ids, bangs=model.bangs, heard=question.heard) else None

    with timings.measure("generate"):
        generation = model.decoder.generate(prompt, budget=budget, stop_at=stop_at)
    return replace(
        generation,
        calls=generation.calls + prompt.calls,
        rows=generation.rows + prompt.rows,
    ), notices


def _prompt_ids(
    model: Model,
    question: Question,
    options: TranscribeOptions,
    words: Sequence[str],
    context: str,
) -> tuple[list[int], list[int], list[Notice]]:
    """Tokenise the prompt; what does not fit is left out, the last hotwords first."""
    kept, notices = list(words), []
    while True:
        prompt = build_prompt(
            hotwords=kept,
            language=question.language,
            context=context,
            itn=options.itn,
            system=model.system_prompt,
            think_block=model.think_block,
        )
        prefix, suffix = model.llm.tokenize(prompt.prefix), model.llm.tokenize(prompt.suffix)
        if len(prefix) + len(suffix) <= PROMPT_ROOM or not (kept or context):
            break
        if kept:
            kept = kept[: len(kept) * 3 // 4]
        else:
            context = context[: len(context) * 3 // 4]
    if len(kept) < len(words):
        message = f"{len(words) - len(kept)} of {len(words)} hotwords did not fit into the prompt"
        notices.append(Notice("hotwords-cut", message))
    if context != options.context and not kept and context:
        notices.append(Notice("context-cut", "the context was too long and has been shortened"))
    return prefix, suffix, notices


def _remedied(
    model: Model, generation: Generation, question: Question, *, guard: bool
) -> tuple[tuple[int, ...], str]:
    """Choose what to keep of a generation: all of it, a cut loop, or the CTC text instead."""
    ids = generation.token_ids
    if not guard or generation.stop == "end":
        return ids, "kept"
    if generation.stop == "budget":
        return ids, "truncated"
    if question.ctc_text:
        return ids, "ctc"
    loop = find_loop(ids, bangs=model.bangs)
    if loop is None:
        return ids, "truncated"
    turn = 0 if ids[-1] in model.bangs else loop.period
    return ids[: loop.start + turn], "cut"


def _notice(stop: Stop, remedy: str, segment: int) -> Notice:
    what = {
        "ctc": "its CTC text is used instead",
        "cut": "the repetition was cut",
        "truncated": "its text may be cut short",
        "kept": "its text may be cut short",
    }[remedy]
    code = "truncated" if stop == "budget" else stop
    return Notice(code, f"segment {segment}: {_TROUBLE[stop]}; {what}", segment)


def _text(model: Model, ids: Sequence[int]) -> str:
    """Tokens -> text, tidied as the reference does, and stripped."""
    raw = b"".join(model.llm.piece(i) for i in ids).decode("utf-8", errors="replace")
    return re.sub(r"\s+", " ", raw.replace("/sil", " ")).strip()
