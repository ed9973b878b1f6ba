"""How fast the LLM writes: one by one, many at once, with drafts; all in one run, alternating.

With random weights, too: the number of tokens is forced, the tokens are the model's own, and
drafts are right as often as recorded ones were (bench_data/drafts.json).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from funasr_cli.costs import CostCurve
from funasr_cli.decode import BatchDecoder
from funasr_cli.errors import ModelError
from funasr_cli.guards import token_budget
from funasr_cli.jobs import Draft, Generation, Job, Request, Stage, no_draft
from funasr_cli.llama.runtime import LlamaModel
from funasr_cli.llm import BARE_PROMPT, max_segment_s, open_llm, positions
from funasr_cli.manifest import HOW_TO_EXPORT, MANIFEST, read_manifest
from funasr_cli.model_dir import ModelFiles
from funasr_cli.onnx import usable_cores
from funasr_cli.options import RuntimeOptions
from funasr_cli.protocols import Floats, Rows

TRACE = Path(__file__).parents[1] / "bench_data" / "drafts.json"
PREFIX = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n语音转写成中文："
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n"


@dataclass(frozen=True)
class DecodeBench:
    """What was measured; speeds in tokens per second of generation."""

    segments: int
    tokens: int
    slots: int
    device: str
    curve_ms: tuple[float, ...]
    """One call of 1, 2, 4, 8, 16 rows."""
    sequential_tps: float
    batched_tps: float
    batched_speedup: float
    drafted_tps: float
    draft_speedup: float
    """One by one with drafts against one by one without."""
    tokens_per_call: float
    """With drafts."""
    prefill_speedup: float
    """With the shared prefix evaluated once against anew for each segment."""
    total_speedup: float
    """Prefill and generation, batched against one by one with nothing shared."""
    identical: bool
    """Whether batched ids are those of one by one."""
    drafted_identical_share: float
    """Share of the segments whose ids are the same with drafts."""
    tie_margin: float
    """Where ids part for the first time: by how much the LLM preferred its token when it wrote
    one by one, as a share of the largest logit; the worst. Rows of one text in one call are
    rounded otherwise than one by one: with random weights by up to 0.05 on a CPU."""


@dataclass
class _Times:
    """Seconds by stage."""

    stages: dict[str, float] = field(default_factory=lambda: {"prefill": 0.0, "generate": 0.0})

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        begin = perf_counter()
        yield
        self.stages[stage] += perf_counter() - begin


class Endless:
    """A model that never ends a text; one that writes what it is told to, if it is told.

    With random weights every token is nearly a tie, so that a draft's rows, which are rounded
    otherwise, soon lead to another text, of which recorded drafts know nothing.

    Args:
        model: the real one, which computes everything.
        texts: what it is to write, text after text, one at a time; None: its own.
    """

    def __init__(self, model: LlamaModel, texts: Sequence[Sequence[int]] | None = None) -> None:
        self._model = model
        self._texts = None if texts is None else iter(texts)
        self._text: Sequence[int] = ()
        self._begin = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        return getattr(self._model, name)

    def is_end(self, _token: int) -> bool:
        """Tell that it goes on."""
        return False

    def evaluate(self, rows: Sequence[Rows]) -> list[Floats]:
        """Evaluate; where it is told what to write, that token gets the greatest logit."""
        found = self._model.evaluate(rows)
        if self._texts is None or rows[0].logits == "none":
            return found
        (run,), (logits,) = rows, found
        if run.logits == "last":  # a prompt's end
            self._text, self._begin = next(self._texts), run.position + len(run) - 1
        first = run.position + len(run) - len(logits) - self._begin
        for row, token in zip(logits, self._text[first : first + len(logits)], strict=False):
            row[token] = np.finfo(np.float32).max
        return found


def measure_decoding(
    folder: Path,
    runtime: RuntimeOptions,
    *,
    segments: int,
    tokens: int,
    on_test: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Open the LLM of a model directory as `funasr transcribe` does, and measure it.

    Raises:
        ModelError, LibraryError: it cannot be opened.
    """
    manifest = read_manifest(folder / MANIFEST)
    if manifest.decoder is None:
        raise ModelError(f"{folder}: has no decoder; {HOW_TO_EXPORT}")
    decoder = folder / manifest.decoder.name
    exact = manifest.decoder.dtype == "f32"
    files = ModelFiles(folder, decoder, None, decoder, None, manifest.model, exact=exact)
    rows = positions(manifest.model, 0) - token_budget(max_segment_s(manifest.model), 0)
    with ExitStack() as stack:
        opened = open_llm(files, runtime, runtime.threads or usable_cores(), stack, on_test)
        slots = min(segments, opened.slots)
        opened.model.need(BARE_PROMPT + rows + tokens + 1, slots)
        found = bench_decode(
            opened.model,
            opened.curve,
            device=opened.device,
            segments=segments,
            tokens=tokens,
            audio_rows=rows,
            slots=slots,
        )
    return asdict(found)


def bench_decode(  # noqa: PLR0913 - each is one number of the measurement
    model: LlamaModel,
    curve: CostCurve,
    *,
    device: str,
    segments: int,
    tokens: int,
    audio_rows: int,
    slots: int,
) -> DecodeBench:
    """Measure; the model must have `slots` sequences of the whole length.

    Args:
        model: the LLM.
        curve: cost of its calls by rows.
        device: its name, for the report.
        segments: texts to write.
        tokens: of each text.
        audio_rows: of each prompt.
        slots: texts that are written side by side.
    """
    asked = [_request(model, number, tokens, audio_rows) for number in range(segments)]
    half = segments // 2 or 1
    plain, shared, batched, drafted = _Times(), _Times(), _Times(), _Times()
    # A B C A B C: what the machine does beside this falls on all of them
    ids = _run(model, [_anew(r) for r in asked[:half]], plain, slots=1)
    many = _run(model, asked, batched, slots=slots)
    ids += _run(model, [_anew(r) for r in asked[half:]], plain, slots=1)
    truth = [one.token_ids for one in ids]
    _run(model, [_short(r) for r in asked], shared, slots=1)
    replayed = [
        Request(**{**vars(r), "draft": replay(right, known)})
        for r, right, known in zip(asked, _rights(segments), truth, strict=True)
    ]
    free = _run(model, replayed, _Times(), slots=1, curve=curve)
    fast = _run(model, replayed, drafted, slots=1, curve=curve, texts=truth)
    same = [known == one.token_ids for known, one in zip(truth, free, strict=True)]
    written = segments * tokens
    seconds = {
        name: times.stages
        for name, times in zip("pbds", (plain, batched, drafted, shared), strict=True)
    }
    speeds = {name: written / stages["generate"] for name, stages in seconds.items() if name != "s"}
    return DecodeBench(
        segments=segments,
        tokens=tokens,
        slots=slots,
        device=device,
        curve_ms=tuple(round(s * 1000, 2) for s in curve.seconds),
        sequential_tps=speeds["p"],
        batched_tps=speeds["b"],
        batched_speedup=speeds["b"] / speeds["p"],
        drafted_tps=speeds["d"],
        draft_speedup=speeds["d"] / speeds["p"],
        tokens_per_call=written / max(1, sum(one.stats.calls - 3 for one in fast)),
        prefill_speedup=seconds["p"]["prefill"] / seconds["s"]["prefill"],
        total_speedup=sum(seconds["p"].values()) / sum(seconds["b"].values()),
        identical=truth == [one.token_ids for one in many],
        drafted_identical_share=sum(same) / segments,
        tie_margin=max(
            (
                margin(model, request, known, other.token_ids)
                for written_so in (many, free)
                for request, known, other in zip(asked, truth, written_so, strict=True)
                if known != other.token_ids
            ),
            default=0.0,
        ),
    )


def margin(model: LlamaModel, request: Request, one: Sequence[int], other: Sequence[int]) -> float:
    """How clear the choice was where two texts part: difference of logits over the largest."""
    at = next(i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    model.forget(0)
    model.evaluate([Rows(0, 0, tokens=np.array(request.prefix, np.int32), logits="none")])
    position = len(request.prefix)
    model.evaluate([Rows(0, position, embeddings=request.audio, logits="none")])
    position += len(request.audio)
    rest = np.array([*request.suffix, *one[:at]], np.int32)
    logits = model.evaluate([Rows(0, position, tokens=rest)])[0][0]
    model.forget(0)
    return float(abs(logits[one[at]] - logits[other[at]]) / np.abs(logits).max())


def replay(right: Sequence[int], truth: Sequence[int]) -> Draft:
    """Propose what will be written, right as far as a recorded draft was at this place."""

    def propose(ids: Sequence[int], limit: int) -> list[int]:
        at = len(ids)
        good = right[at % len(right)]
        following = list(truth[at : at + min(good, limit)])
        if good < limit and at + good < len(truth):
            following.append(truth[at + good] ^ 1)  # the first one that is not right
        return following

    return propose


def _run(  # noqa: PLR0913 - what is run, and how
    model: LlamaModel,
    asked: Sequence[Request],
    times: _Times,
    *,
    slots: int,
    curve: CostCurve | None = None,
    texts: Sequence[Sequence[int]] | None = None,
) -> list[Generation]:
    def single(request: Request) -> Job[Generation]:
        return (yield request)

    decoder = BatchDecoder(Endless(model, texts), curve, slots=slots)
    jobs = (single(request) for request in asked)
    return list(decoder.run(jobs, lambda stage, _parts: times.measure(stage)))


def _request(model: LlamaModel, number: int, tokens: int, audio_rows: int) -> Request:
    audio = np.random.default_rng(number).standard_normal((audio_rows, model.n_embd))
    return Request(
        prefix=tuple(model.tokenize(PREFIX)),
        audio=audio.astype(np.float32),
        suffix=tuple(model.tokenize(SUFFIX)),
        budget=tokens,
        draft=no_draft,
    )


def _anew(request: Request) -> Request:
    return Request(**{**vars(request), "fresh": True})


def _short(request: Request) -> Request:
    return Request(**{**vars(request), "budget": 1})


def _rights(segments: int) -> list[list[int]]:
    """Recorded runs of right tokens, one recording a segment, in turn."""
    recorded = [pair["right"] for pair in json.loads(TRACE.read_text("utf-8"))["pairs"]]
    return [recorded[number % len(recorded)] for number in range(segments)]
