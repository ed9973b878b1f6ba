"""One segment's audio rows -> an honest text: prompt, decode, guards and their remedies.

Part of the composition, like `transcriber`: the only other module that joins stages.
"""

import re
from codecs import utf_8_decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from funasr_cli.errors import DecodeError
from funasr_cli.fitting import fit_prompt
from funasr_cli.guards import disagrees, find_loop, is_translation, token_budget
from funasr_cli.jobs import Draft, Generation, Job, Request, Stop, no_draft
from funasr_cli.merge import join_texts
from funasr_cli.model import Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.protocols import Floats
from funasr_cli.results import DecodeStats, HotwordHit, Notice
from funasr_cli.timings import Timings

REFERENCE_MAX_TOKENS = 512
"""The reference's own limit (`max_length`), used when the guards are off."""

HEARD_FOR_SURE = 3
"""CTC tokens from which on an empty text is a failure of the LLM; fewer may be noise."""

Trouble = Literal["nan", "loop", "truncated", "disagrees", "decode-failed"]
_TROUBLE: dict[Trouble, str] = {
    "nan": "the LLM's numbers overflowed",
    "loop": "the LLM repeated itself",
    "truncated": "the LLM did not come to an end",
    "disagrees": "the LLM wrote something else than was heard",
    "decode-failed": "the LLM failed",
}
_OF_STOP: dict[Stop, Trouble] = {"nan": "nan", "loop": "loop", "budget": "truncated"}


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
    draft: Draft = no_draft
    part: str = ""
    """Which part of the segment, where it was split: `, 3.0 to 6.2 s`."""
    halve: "Callable[[], tuple[Question, ...]]" = tuple
    """Splits the segment at its quietest point; nothing where it is too short for that."""
    left_out: tuple[HotwordHit, ...] = ()
    """Words of the list that everyday language sounds like; for the report."""


@dataclass(frozen=True)
class Answer:
    """What the LLM, or a remedy in its place, says of a segment."""

    text: str = ""
    token_ids: tuple[int, ...] = ()
    hotwords: tuple[str, ...] = ()
    """Words that stood in the prompt of this answer."""
    stats: DecodeStats = field(default_factory=DecodeStats)
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Tried:
    """One try: what the LLM wrote after a prompt with these words in it, and what is wrong."""

    text: str
    token_ids: tuple[int, ...]
    trouble: Trouble | None
    words: tuple[str, ...]
    stats: DecodeStats
    notices: tuple[Notice, ...]
    cut_by_user: bool = False
    error: DecodeError | None = None


def answer(
    model: Model, question: Question, options: TranscribeOptions, timings: Timings
) -> Job[Answer]:
    """Ask the LLM; what a guard finds wrong is mended, in this order.

    Once more with a fresh cache and without hotwords and context; each half of the segment on its
    own; the CTC text. Without a CTC head a repetition is cut, and a text that did not end is kept
    as far as it went. What was done stands in the notices, never in the text.

    Raises:
        DecodeError: the runtime failed, and there is nothing to use instead.
    """
    words = [hit.word for hit in question.hotwords]
    tried = yield from _attempt(model, question, options, timings, (words, options.context))
    stats, notices = tried.stats, list(tried.notices)
    if tried.trouble is not None and options.guard:
        first = tried
        if words or options.context or tried.trouble in {"nan", "decode-failed"}:
            tried = yield from _attempt(model, question, options, timings, ((), ""), fresh=True)
            stats = _sum(stats, tried.stats, retries=1)
            again = "asked again without hotwords and context"
            notices.append(_notice(first, again, question, code="retried"))
        if tried.trouble is not None and (halves := question.halve()):
            split = "its halves are decoded one by one"
            notices.append(_notice(tried, split, question, code="split"))
            return (yield from _joined(model, halves, options, timings, (stats, notices)))
    if tried.trouble is None:
        if tried.cut_by_user:
            message = f"segment {question.segment}: cut at {options.max_new_tokens} tokens"
            notices.append(Notice("truncated", message, question.segment))
        return Answer(tried.text, tried.token_ids, tried.words, stats, tuple(notices))
    return _last_remedy(model, question, tried, options, (stats, notices))


def _joined(
    model: Model,
    halves: Sequence[Question],
    options: TranscribeOptions,
    timings: Timings,
    before: tuple[DecodeStats, list[Notice]],
) -> Job[Answer]:
    """Answer the parts of a segment and join them."""
    answers: list[Answer] = []
    for half in halves:
        one = yield from answer(model, half, options, timings)
        answers.append(one)
    stats, notices = before
    for one in answers:
        stats = _sum(stats, one.stats, retries=one.stats.retries)
        notices += one.notices
    return Answer(
        text=join_texts(one.text for one in answers),
        token_ids=tuple(token for one in answers for token in one.token_ids),
        hotwords=tuple(dict.fromkeys(word for one in answers for word in one.hotwords)),
        stats=stats,
        notices=tuple(notices),
    )


def _attempt(  # noqa: PLR0913, PLR0917 - the question, how it is put, and where time is noted
    model: Model,
    question: Question,
    options: TranscribeOptions,
    timings: Timings,
    hints: tuple[Sequence[str], str],
    fresh: bool = False,  # noqa: FBT001, FBT002 - private
) -> Job[_Tried]:
    """Ask once, with these hotwords and this context, and judge the answer."""
    with timings.measure("prompt"):
        prefix, suffix, words, notices = fit_prompt(
            model, hints, language=question.language, itn=options.itn
        )
    budget = options.max_new_tokens or (
        token_budget(question.seconds, question.heard) if options.guard else REFERENCE_MAX_TOKENS
    )

    def stop_at(ids: Sequence[int]) -> Stop | None:
        if not options.guard:
            return None
        if not model.llm.piece(ids[-1]):  # a control token, e.g. <|endoftext|>: the text is over
            return "end"
        return "loop" if find_loop(ids, bangs=model.bangs, heard=question.heard) else None

    request = Request(
        tuple(prefix), question.audio_embeds, tuple(suffix), budget, stop_at, question.draft, fresh
    )
    try:
        written = yield request
    except DecodeError as error:
        if not options.guard:
            raise
        failed: Trouble = "decode-failed"
        return _Tried("", (), failed, words, DecodeStats(), notices, error=error)
    text = _text(model, written.token_ids)
    trouble = _judge(written, text, question, options)
    cut = written.stop == "budget" and trouble is None
    return _Tried(text, written.token_ids, trouble, words, written.stats, notices, cut)


def _judge(
    written: Generation, text: str, question: Question, options: TranscribeOptions
) -> Trouble | None:
    # what the user's own limit cut is no failure of the model; what the context cut, is
    limit = options.max_new_tokens
    if written.stop == "budget" and limit is not None and len(written.token_ids) >= limit:
        return None
    if written.stop != "end":
        return _OF_STOP[written.stop]
    heard = question.ctc_text
    if not options.guard or not heard or is_translation(text, heard, question.language):
        return None
    is_empty = question.heard >= HEARD_FOR_SURE and not any(map(str.isalnum, text))
    return "disagrees" if is_empty or disagrees(text, heard) else None


def _last_remedy(
    model: Model,
    question: Question,
    tried: _Tried,
    options: TranscribeOptions,
    before: tuple[DecodeStats, list[Notice]],
) -> Answer:
    """The CTC text; without one, what can be kept of the answer."""
    stats, notices = before
    if options.guard and question.ctc_text:
        notices.append(_notice(tried, "its CTC text is used instead", question))
        return Answer(question.ctc_text, (), (), stats, tuple(notices))
    if tried.error is not None:
        raise tried.error
    ids, remedy = tried.token_ids, "its text may be cut short"
    loop = find_loop(ids, bangs=model.bangs) if options.guard else None
    if loop is not None and tried.trouble == "loop":
        turn = 0 if ids[-1] in model.bangs else loop.period
        ids, remedy = ids[: loop.start + turn], "the repetition was cut"
    notices.append(_notice(tried, remedy, question))
    return Answer(_text(model, ids), ids, tried.words, stats, tuple(notices))


def _notice(tried: _Tried, remedy: str, question: Question, *, code: str = "") -> Notice:
    assert tried.trouble is not None  # noqa: S101 - only trouble is told of
    why = f" ({tried.error})" if tried.error else ""
    message = f"segment {question.segment}{question.part}: {_TROUBLE[tried.trouble]}{why}; {remedy}"
    return Notice(code or tried.trouble, message, question.segment)


def _sum(one: DecodeStats, other: DecodeStats, *, retries: int) -> DecodeStats:
    return DecodeStats(
        calls=one.calls + other.calls,
        rows=one.rows + other.rows,
        drafted=one.drafted + other.drafted,
        accepted=one.accepted + other.accepted,
        retries=one.retries + retries,
    )


def _text(model: Model, ids: Sequence[int]) -> str:
    """Tokens -> text, tidied as the reference does, and stripped."""
    data = b"".join(model.llm.piece(i) for i in ids)
    raw, _ = utf_8_decode(data, "replace", False)  # noqa: FBT003 - a cut-off character is dropped
    return re.sub(r"\s+", " ", raw.replace("/sil", " ")).strip()
