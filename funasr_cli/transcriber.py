"""The pipeline: sound -> encoder -> CTC -> hotwords -> prompt and LLM -> character times.

With `answer`, the only module that knows the order of the stages.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from heapq import nlargest
from math import ceil
from pathlib import Path
from threading import RLock
from time import perf_counter

from funasr_cli.ahead import ahead
from funasr_cli.align import align
from funasr_cli.answer import REFERENCE_MAX_TOKENS, Answer, Question, answer
from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.ctc import ctc_text
from funasr_cli.ear import Ear, Heard
from funasr_cli.errors import UsageError
from funasr_cli.hotwords import report
from funasr_cli.jobs import Job
from funasr_cli.languages import prompt_language
from funasr_cli.llm import BARE_PROMPT, MOST_TOKENS, PROMPT_ROOM, positions, usual_positions
from funasr_cli.merge import join_texts
from funasr_cli.model import open_model
from funasr_cli.model_dir import ModelFiles, find_model, open_model_dir
from funasr_cli.options import RuntimeOptions, TranscribeOptions
from funasr_cli.prompt import build_prompt
from funasr_cli.results import Notice, Segment, Transcript
from funasr_cli.timings import Timings
from funasr_cli.units import SAMPLE_RATE
from funasr_cli.vad import cut, halves


def _cut_off(name: str, missing: float) -> str:
    seconds = f": {missing:.1f} s of sound are missing at its end" if missing else " at its end"
    return f"{name}: the recording is cut off{seconds}"


Progress = Callable[[float, float | None], None]
"""Called with the seconds done and the seconds in all (None: unknown)."""


class Transcriber:
    """A loaded model that transcribes inputs one after the other; a context manager.

    Args:
        model: model directory; None: $FUNASR_MODEL_DIR, ./model, else the demo model.
            Single files go in as `model_dir.ModelFiles`.
        runtime: threads, devices and llama.cpp to use.
        on_test: told, in a sentence, when a device is tested for the first time (seconds).

    Raises:
        ModelError, LibraryError: the model cannot be opened.
    """

    def __init__(
        self,
        model: Path | str | ModelFiles | None = None,
        runtime: RuntimeOptions | None = None,
        *,
        on_test: Callable[[str], None] | None = None,
    ) -> None:
        begin = perf_counter()
        if not isinstance(model, ModelFiles):
            model = open_model_dir(find_model(None if model is None else Path(model)))
        with ExitStack() as stack:
            self._model = open_model(model, runtime or RuntimeOptions(), stack, on_test=on_test)
            self._stack = stack.pop_all()
        self._unpaid_load = perf_counter() - begin
        self._ear = Ear(self._model)
        self._one_at_a_time = RLock()

    def __enter__(self) -> "Transcriber":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is to be said of the model itself; part of every transcript's warnings."""
        return self._model.notices

    def close(self) -> None:
        """Free the model, after what another thread transcribes; it cannot be used afterwards."""
        with self._one_at_a_time:
            self._stack.close()

    def transcribe(
        self,
        source: Path | str | AudioSource,
        options: TranscribeOptions | None = None,
        *,
        on_progress: Progress | None = None,
    ) -> Transcript:
        """Transcribe one file or stream; calls from several threads wait for each other.

        Raises:
            InputError: the input cannot be read.
            UsageError: an option means nothing, e.g. an unknown language.
        """
        if not isinstance(source, (str, Path, AudioSource)):
            raise UsageError(
                f"cannot transcribe a {type(source).__name__}: give a path, or "
                "audio.AudioSource(name, stream) for an open binary stream"
            )
        source = source if isinstance(source, AudioSource) else AudioSource(str(source))
        with self._one_at_a_time:
            return self._transcribe(source, options or TranscribeOptions(), on_progress)

    def _transcribe(
        self, source: AudioSource, options: TranscribeOptions, on_progress: Progress | None
    ) -> Transcript:
        begin = perf_counter()
        language = prompt_language(options.language)
        unpaid = self._unpaid_load
        timings = Timings(load=unpaid)
        segments: list[Segment] = []
        notices = [*self._model.notices, *self._ear.notices(options)]
        end = options.start
        with ExitStack() as stack:
            with timings.measure("decode_audio"):
                reader = stack.enter_context(
                    AudioReader(source, start=options.start, duration=options.duration)
                )
            pieces = cut(
                timings.measure_each("decode_audio", reader),
                max_s=self._model.max_segment_s,
                at_quiet=options.vad,
                start=options.start,
            )
            # a thread that waits for a stream could not be ended
            depth = 0 if source.stream is not None else self._model.ahead
            heard = stack.enter_context(
                ahead((self._ear.hear(piece, options, timings) for piece in pieces), depth)
            )
            self._make_room(options, language, reader.duration)
            jobs = (
                self._segment(number, one, options, language, timings)
                for number, one in enumerate(heard)
            )
            results = stack.enter_context(closing(self._model.decoder.run(jobs, timings.measure)))
            for segment, new in results:
                segments.append(segment)
                notices.extend(n for n in new if n not in notices)
                end = segment.end
                if on_progress:
                    on_progress(end - options.start, reader.duration)
            if reader.cut_off:
                notices.append(Notice("cut-off-input", _cut_off(source.name, reader.missing)))
            elif reader.damaged:
                skipped = f"{source.name}: {reader.damaged} damaged packets of sound were skipped"
                notices.append(Notice("damaged-input", skipped))
        self._unpaid_load = 0.0
        timings.total = unpaid + perf_counter() - begin
        return Transcript(
            path=source.name,
            start=options.start,
            duration=end - options.start,
            sample_rate=SAMPLE_RATE,
            language=language,
            text=join_texts(s.text for s in segments),
            segments=tuple(segments),
            model=self._model.info,
            timings=timings,
            warnings=tuple(notices),
        )

    def _make_room(
        self, options: TranscribeOptions, language: str | None, seconds: float | None
    ) -> None:
        """Size the KV cache by the longest prompt, and by how many segments there may be."""
        model = self._model
        words = options.hotwords
        if options.hotword_recall:
            # a tokenizer of bytes: the longest in bytes have the most tokens, but for a few
            words = tuple(nlargest(options.max_hotwords, words, lambda word: len(word.encode())))
        prompt = build_prompt(
            hotwords=words, language=language, context=options.context, itn=options.itn
        )
        tokens = model.llm.tokenize(prompt.prefix + prompt.suffix)
        # segments are at least half as long as they may be, unless the last one is shorter
        segments = ceil(2 * seconds / model.max_segment_s) if seconds else model.slots
        written = options.max_new_tokens or (0 if options.guard else REFERENCE_MAX_TOKENS)
        prompt_room = min(PROMPT_ROOM, max(BARE_PROMPT, len(tokens)))
        most = positions(model.facts, prompt_room, min(written, MOST_TOKENS))
        usual = usual_positions(model.facts, prompt_room)
        model.llm.need(usual, min(model.slots, max(1, segments)), max_ctx=most)

    def _segment(
        self,
        number: int,
        heard: Heard,
        options: TranscribeOptions,
        language: str | None,
        timings: Timings,
    ) -> Job[tuple[Segment, tuple[Notice, ...]]]:
        """Write the text of a piece, and time its characters."""
        piece, model = heard.piece, self._model
        question = self._ear.question(number, heard, options, language, timings)
        reply, hits = Answer(), [*question.hotwords] if question else []
        if question is not None:

            def halve() -> tuple[Question, ...]:
                parts = [self._ear.hear(half, options, timings) for half in halves(piece)]
                asked: list[Question] = []
                for half in parts:
                    span = f", {half.piece.start:.1f} to {half.piece.end:.1f} s"
                    if one := self._ear.question(number, half, options, language, timings):
                        asked.append(replace(one, part=span))
                        hits.extend(one.hotwords)
                return tuple(asked)

            reply = yield from answer(model, replace(question, halve=halve), options, timings)
        with timings.measure("align"):
            chars = align(
                reply.text,
                heard.sounds,
                start=piece.start,
                end=piece.end,
                evidence=heard.evidence,
            )
        with timings.measure("hotwords"):
            told = self._ear.replace(reply.text, chars, heard, hits, options)
        segment = Segment(
            id=number,
            start=piece.start,
            end=piece.end,
            text=told.text,
            ctc_text=ctc_text(heard.tokens),
            hotwords=report(hits, reply.hotwords, told.text),
            chars=told.chars if model.ctc else (),
            token_ids=reply.token_ids,
            decode=reply.stats,
            replacements=told.replacements,
        )
        return segment, reply.notices
