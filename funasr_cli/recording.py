"""One input on its way through the pipeline: sound -> pieces -> segments -> transcript.

Part of the composition, like `transcriber`, `ear` and `answer`: it joins stages.
"""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeAlias

from funasr_cli.align import align
from funasr_cli.answer import Answer, Question, answer
from funasr_cli.audio import AudioReader, AudioSource
from funasr_cli.coverage import Coverage, coverage
from funasr_cli.ctc import ctc_text
from funasr_cli.ear import Ear, Heard
from funasr_cli.hotwords import report
from funasr_cli.hotwords.report import occurs
from funasr_cli.jobs import Job, Work
from funasr_cli.languages import prompt_language
from funasr_cli.merge import join_segments, join_texts
from funasr_cli.model import Model
from funasr_cli.options import TranscribeOptions
from funasr_cli.pieces import Piece, Range, cut_windows, halves
from funasr_cli.protocols import Floats
from funasr_cli.results import Notice, Segment, Transcript
from funasr_cli.spans import speech_rules
from funasr_cli.timings import Timings
from funasr_cli.units import SAMPLE_RATE, clock
from funasr_cli.vad import cut_speech

Written: TypeAlias = tuple[Segment, tuple[Notice, ...]]
"""What became of a piece, and what is to be said of it."""
SAME_TIME_S = 1e-3
"""Segments that begin so much before the end of the one before share sound with it."""


class Recording:
    """One input: what is asked of the model for it, and what has come of that; owns its reader.

    Raises:
        UsageError: an option means nothing.
        InputError: the input cannot be read (also by `jobs`).
    """

    def __init__(
        self, model: Model, ear: Ear, source: AudioSource, options: TranscribeOptions
    ) -> None:
        self.source = source
        self.options = options
        self.language = prompt_language(options.language)
        self.timings = Timings()
        self._model, self._ear = model, ear
        self._stack = ExitStack()
        self._segments: list[Segment] = []
        self._notices = [*model.notices, *ear.notices(options)]
        self._speech: list[Range] | None = [] if options.vad else None
        self._read = 0

    def __enter__(self) -> "Recording":
        options = self.options
        with ExitStack() as stack, self.timings.measure("decode_audio"):
            self._reader = stack.enter_context(
                AudioReader(self.source, start=options.start, duration=options.duration)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    @property
    def announced(self) -> float | None:
        """Seconds that the input says it has; None where it does not."""
        return self._reader.duration

    @property
    def done(self) -> float:
        """Seconds that are transcribed."""
        return self._segments[-1].end - self.options.start if self._segments else 0.0

    @property
    def read(self) -> float:
        """Seconds that have been read."""
        return self._read / SAMPLE_RATE

    def jobs(self) -> Generator[Work[Written], None, None]:
        """Read the input, encode one piece after the other, and yield one job a piece.

        It may run ahead, in a thread. The results, in this order, go to `add`.
        """
        for number, piece in enumerate(self._pieces()):
            heard = self._ear.hear(piece, self.options, self.timings)
            if self._speech is not None:
                self._speech += piece.speech or ()
            yield self.timings, self._segment(number, heard)

    def add(self, result: Written) -> None:
        """Take the result of the next job."""
        segment, notices = result
        self._notices += [notice for notice in notices if notice not in self._notices]
        if self._segments and segment.start < self._segments[-1].end - SAME_TIME_S:
            before, segment = join_segments(self._segments[-1], segment)
            self._segments[-1], segment = _with_own_words(before), _with_own_words(segment)
        self._segments.append(segment)

    def transcript(self) -> Transcript:
        """Sum up, when every result is there."""
        options, texts = self.options, (segment.text for segment in self._segments)
        self._notice_the_end()
        share = None
        failure = None
        if self._speech is not None:
            found = coverage(self._speech, self._segments)
            share = found.share
            failure = self._notice_coverage(found)
        return Transcript(
            path=self.source.name,
            start=options.start,
            duration=self.read,
            sample_rate=SAMPLE_RATE,
            language=self.language,
            text=join_texts(texts),
            segments=tuple(self._segments),
            model=self._model.info,
            timings=self.timings,
            warnings=tuple(self._notices),
            speech=None if self._speech is None else sum(b - a for a, b in self._speech),
            coverage=share,
            failure=failure,
        )

    def _notice_the_end(self) -> None:
        name, reader = self.source.name, self._reader
        if reader.cut_off:
            missing = f": {reader.missing:.1f} s of sound are missing" if reader.missing else ""
            message = f"{name}: the recording is cut off{missing} at its end"
            self._notices.append(Notice("cut-off-input", message))
        elif reader.damaged:
            message = f"{name}: {reader.damaged} damaged packets of sound were skipped"
            self._notices.append(Notice("damaged-input", message))

    def _notice_coverage(self, found: Coverage) -> str | None:
        """Say what speech became no text; how it failed, if so little did that it counts so."""
        name = self.source.name
        if not found.speech:
            message = f"{name}: no speech was found; --no-vad transcribes everything"
            self._notices.append(Notice("no-speech", message))
        if not found.poor:
            return None
        first, last = found.gap
        told = (
            f"{name}: only {found.share:.0%} of {found.speech:.0f} s of speech became text; the "
            f"longest stretch without any is {clock(first)} to {clock(last)}"
        )
        if found.failed:
            return told
        self._notices.append(Notice("low-coverage", told))
        return None

    def _pieces(self) -> Iterator[Piece]:
        options, model = self.options, self._model
        max_s = min(model.max_segment_s, options.vad_max_speech_duration_s or model.max_segment_s)
        overlap_s = options.overlap if model.ctc else 0.0  # they are joined by CTC's times
        if not options.vad:
            return cut_windows(
                self._chunks(), max_s=max_s, overlap_s=overlap_s, start=options.start
            )
        model.detector.begin()
        rules = speech_rules(
            options.vad_threshold,
            min_speech_ms=options.vad_min_speech_duration_ms,
            min_silence_ms=options.vad_min_silence_duration_ms,
            pad_ms=options.vad_speech_pad_ms,
        )
        return cut_speech(
            self._chunks(),
            self._detect,
            rules,
            max_s=max_s,
            overlap_s=overlap_s,
            start=options.start,
        )

    def _chunks(self) -> Iterator[Floats]:
        for chunk in self.timings.measure_each("decode_audio", self._reader):
            self._read += chunk.size
            yield chunk

    def _detect(self, samples: Floats) -> Floats:
        with self.timings.measure("vad"):
            return self._model.detector.probabilities(samples)

    def _segment(self, number: int, heard: Heard) -> Job[Written]:
        """Write the text of a piece, and time its characters."""
        piece, model, timings, options = heard.piece, self._model, self.timings, self.options
        question = self._ear.question(number, heard, options, self.language, timings)
        reply, hits = Answer(), [*question.hotwords, *question.left_out] if question else []
        if question is not None:

            def halve() -> tuple[Question, ...]:
                parts = [self._ear.hear(half, options, timings) for half in halves(piece)]
                asked: list[Question] = []
                for half in parts:
                    span = f", {half.piece.start:.1f} to {half.piece.end:.1f} s"
                    if one := self._ear.question(number, half, options, self.language, timings):
                        asked.append(replace(one, part=span))
                        hits.extend((*one.hotwords, *one.left_out))
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


def _with_own_words(segment: Segment) -> Segment:
    """Leave a segment the hotwords and replacements of the words that it kept at a join."""
    start, end = segment.start, segment.end
    return replace(
        segment,
        hotwords=tuple(
            replace(hit, in_text=occurs(hit.word, segment.text))
            for hit in segment.hotwords
            if hit.start is None or hit.end is None or start <= (hit.start + hit.end) / 2 < end
        ),
        replacements=tuple(r for r in segment.replacements if start <= (r.start + r.end) / 2 < end),
    )
