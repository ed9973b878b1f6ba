"""One segment's audio rows -> an honest text: prompt, decode, guards and their remedies.

Part of the composition, like `transcriber`: the only other module that joins stages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from funasr_cli.decode import Stop
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
    hotwords: tuple[str, ...] = ()
    """Words that stood in the prompt of this answer."""
    stats: DecodeStats = field(default_factory=DecodeStats)
    notices: tuple[Notice, ...] = ()


def answer(
    model: Model, question: Question, options: TranscribeOptions, timings: Timings
) -> Answer:
    """Ask the LLM; when a guard finds its text wrong, ask again without hotwords and context.

    If that is no better: after a loop or an overflow the CTC text is used (without a CTC head
    the repetition is cut); a text that did not end is kept as far as it went.

    Raises:
        DecodeError: the runtime failed.
    """
    words = [hit.word for hit in question.hotwords]
    tried = _attempt(model, question, options, timings, (words, options.context))
    stats, notices = tried.stats, list(tried.notices)
    # what the user's own limit cut is no failure of the model
    fine = {"end", "budget"} if options.max_new_tokens else {"end"}
    if options.guard and tried.stop not in fine and (words or options.context):
        message = f"{_TROUBLE[tried.stop]}; asked again without hotwords and context"
        notices.append(
            Notice("retried", f"segment {question.segment}: {message}", question.segment)
        )
        tried = _attempt(model, question, options, timings, ((), ""))
        stats = DecodeStats(
            calls=stats.calls + tried.stats.calls, rows=stats.rows + tried.stats.rows, retries=1
        )
    ids, remedy = _remedied(model, tried, question, guard=options.guard)
    if tried.stop != "end":
        notices.append(_notice(tried.stop, remedy, question.segment))
    if remedy == "ctc":
        return Answer(question.ctc_text, (), (), stats, tuple(notices))
    return Answer(_text(model, ids), ids, tried.words, stats, tuple(notices))


@dataclass(frozen=True)
class _Tried:
    """One try: what the LLM wrote after a prompt with these words in it."""

    token_ids: tuple[int, ...]
    stop: Stop
    words: tuple[str, ...]
    stats: DecodeStats
    notices: tuple[Notice, ...]


def _attempt(
    model: Model,
    question: Question,
    options: TranscribeOptions,
    timings: Timings,
    hints: tuple[Sequence[str], str],
) -> _Tried:
    """Ask once, with these hotwords and this context."""
    with timings.measure("prompt"):
        prefix, suffix, words, notices = _prompt_ids(model, question, options, hints)
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
        written = model.decoder.generate(prompt, budget=budget, stop_at=stop_at)
    stats = DecodeStats(calls=prompt.calls + written.calls, rows=prompt.rows + written.rows)
    return _Tried(written.token_ids, written.stop, words, stats, notices)


def _prompt_ids(
    model: Model,
    question: Question,
    options: TranscribeOptions,
    hints: tuple[Sequence[str], str],
) -> tuple[list[int], list[int], tuple[str, ...], tuple[Notice, ...]]:
    """Tokenise the prompt; what does not fit is left out, the last hotwords first.

    Returns:
        Ids before and after the audio rows, the words that stayed, and what had to go.
    """
    words, context = list(hints[0]), hints[1]
    while True:
        prompt = build_prompt(
            hotwords=words,
            language=question.language,
            context=context,
            itn=options.itn,
            system=model.system_prompt,
            think_block=model.think_block,
        )
        prefix, suffix = model.llm.tokenize(prompt.prefix), model.llm.tokenize(prompt.suffix)
        if len(prefix) + len(suffix) <= PROMPT_ROOM or not (words or context):
            break
        if words:
            words = words[: len(words) * 3 // 4]
        else:
            context = context[: len(context) * 3 // 4]
    notices = []
    if lost := len(hints[0]) - len(words):
        message = f"{lost} of {len(hints[0])} hotwords did not fit into the prompt"
        notices.append(Notice("hotwords-cut", message))
    if len(context) < len(hints[1]):
        notices.append(Notice("context-cut", "the context was too long and has been shortened"))
    return prefix, suffix, tuple(words), tuple(notices)


def _remedied(
    model: Model, tried: _Tried, question: Question, *, guard: bool
) -> tuple[tuple[int, ...], str]:
    """Choose what to keep of an answer: all of it, a cut loop, or the CTC text instead."""
    ids = tried.token_ids
    if not guard or tried.stop in {"end", "budget"}:
        return ids, "kept"
    if question.ctc_text:
        return ids, "ctc"
    loop = find_loop(ids, bangs=model.bangs)
    if loop is None:
        return ids, "kept"
    turn = 0 if ids[-1] in model.bangs else loop.period
    return ids[: loop.start + turn], "cut"


def _notice(stop: Stop, remedy: str, segment: int) -> Notice:
    what = {
        "ctc": "its CTC text is used instead",
        "cut": "the repetition was cut",
        "kept": "its text may be cut short",
    }[remedy]
    code = "truncated" if stop == "budget" else stop
    return Notice(code, f"segment {segment}: {_TROUBLE[stop]}; {what}", segment)


def _text(model: Model, ids: Sequence[int]) -> str:
    """Tokens -> text, tidied as the reference does, and stripped."""
    raw = b"".join(model.llm.piece(i) for i in ids).decode("utf-8", errors="replace")
    return re.sub(r"\s+", " ", raw.replace("/sil", " ")).strip()
