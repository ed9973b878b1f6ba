"""The pipeline: sound -> encoder -> CTC -> hotwords -> prompt and LLM -> character times.

With `recording`, `ear` and `answer`, the only modules that know the order of the stages.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from heapq import nlargest
from math import ceil
from pathlib import Path
from threading import RLock
from time import perf_counter

from funasr_cli.answer import REFERENCE_MAX_TOKENS
from funasr_cli.audio import AudioSource
from funasr_cli.ear import Ear
from funasr_cli.errors import FunasrError, UsageError
from funasr_cli.languages import prompt_language
from funasr_cli.llm import BARE_PROMPT, MOST_TOKENS, PROMPT_ROOM, positions, usual_positions
from funasr_cli.model import open_model
from funasr_cli.model_dir import ModelFiles, find_model, open_model_dir
from funasr_cli.options import RuntimeOptions, TranscribeOptions
from funasr_cli.prompt import build_prompt
from funasr_cli.recording import Recording
from funasr_cli.results import Notice, Transcript
from funasr_cli.series import Series, SeriesProgress, Task, in_one_run

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
        self._in_series = False

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
            self._refuse_inside_a_series()
            return self._transcribe(source, options or TranscribeOptions(), on_progress)

    def transcribe_all(
        self,
        paths: Iterable[Path | str],
        options: TranscribeOptions | Callable[[], TranscribeOptions] | None = None,
        *,
        on_progress: SeriesProgress | None = None,
    ) -> Generator[Transcript | FunasrError, None, None]:
        """Transcribe files in one run, so that short ones are decoded side by side.

        The texts are those of `transcribe`. Each transcript's `prefill` and `generate` are its
        share, by rows, of the calls that files had in common, and `total` is the sum of the stages.

        Args:
            paths: files; each is asked for when there is room for it.
            options: of all files; called, it gives those of the next file.
            on_progress: told after each segment, and when a file is opened. On a GPU the latter
                happens in another thread.

        Yields:
            In the order of the files, a transcript or the error of the file, which fails alone.
            The iterator is used up, or closed, in the thread that began it.

        Raises:
            UnusableError: no file can be transcribed here.
            UsageError: the transcriber is asked for something else meanwhile.
        """

        def tasks() -> Iterator[Task]:
            yield AudioSource(str(first)), given
            for path in rest:
                yield AudioSource(str(path)), options() if callable(options) else given

        rest = iter(paths)
        with self._one_at_a_time:
            self._refuse_inside_a_series()
            first = next(rest, None)
            if first is None:
                return
            given = (options() if callable(options) else options) or TranscribeOptions()
            # a list of hotwords may be longer when it is read again
            hotwords_grow = callable(options)
            self._make_room(given, prompt_language(given.language), None, grow=hotwords_grow)
            self._in_series = True
            try:
                series = Series(self._model, self._ear, on_progress)
                with closing(series.run(tasks())) as outcomes:
                    for outcome in outcomes:
                        yield self._settled(outcome) if isinstance(outcome, Transcript) else outcome
            finally:
                self._in_series = False

    def _refuse_inside_a_series(self) -> None:
        if self._in_series:
            raise UsageError("transcribe_all is under way: use its results up, or close it, first")

    def _transcribe(
        self, source: AudioSource, options: TranscribeOptions, on_progress: Progress | None
    ) -> Transcript:
        begin = perf_counter()
        with Recording(self._model, self._ear, source, options) as recording:
            self._make_room(options, recording.language, recording.announced)
            # a thread that waits for a stream could not be ended
            depth = 0 if source.stream is not None else self._model.ahead
            with closing(in_one_run(self._model, recording.jobs(), ahead_by=depth)) as results:
                for result in results:
                    recording.add(result)
                    if on_progress:
                        on_progress(recording.done, recording.announced)
            if on_progress:
                on_progress(recording.read, recording.announced)
            transcript = recording.transcript()
        timings = self._settled(transcript).timings
        timings.total = timings.load + perf_counter() - begin  # stages may overlap
        return transcript

    def _settled(self, transcript: Transcript) -> Transcript:
        """Charge the load to the first input that became a transcript."""
        transcript.timings.settle(self._unpaid_load)
        self._unpaid_load = 0.0
        return transcript

    def _make_room(
        self,
        options: TranscribeOptions,
        language: str | None,
        seconds: float | None,
        *,
        grow: bool = False,
    ) -> None:
        """Size the KV cache by the longest prompt, and by how many segments there may be.

        Args:
            options: what becomes of the prompt.
            language: as the prompt names it.
            seconds: of sound; None: unknown.
            grow: whether later prompts may be longer: they may take all the room there is.
        """
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
        later = PROMPT_ROOM if grow else prompt_room
        most = positions(model.facts, later, min(written, MOST_TOKENS))
        usual = usual_positions(model.facts, prompt_room)
        model.llm.need(usual, min(model.slots, max(1, segments)), max_ctx=most)
