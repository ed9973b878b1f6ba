"""The calls that scripts written for Fun-ASR-GGUF make; new code uses `Transcriber`.

The same names and shapes; what that project did differently (one constant seed per run,
sampling, sequential windows) is not imitated.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from funasr_cli.hotwords import WordList, read_hotwords
from funasr_cli.model_dir import ModelFiles, named_files
from funasr_cli.options import (
    DEFAULT_HOTWORD_THRESHOLD,
    DEFAULT_MAX_HOTWORDS,
    RuntimeOptions,
    TranscribeOptions,
)
from funasr_cli.timings import Timings
from funasr_cli.transcriber import Transcriber
from funasr_cli.writers import write_text
from funasr_cli.writers.srt import to_srt
from funasr_cli.writers.txt import to_txt


@dataclass(frozen=True)
class EngineResult:
    """A transcript in the shape of Fun-ASR-GGUF's `TranscriptionResult`."""

    text: str
    segments: list[dict[str, str | float]]
    """One entry a character: `char`, `start`, `end` (seconds)."""
    ctc_text: str
    hotwords: list[str]
    timings: Timings = field(default_factory=Timings)


class AsrEngine:
    """Loads on `initialize()` (or the first `transcribe`), frees on `cleanup()` or `with`."""

    def __init__(
        self, files: ModelFiles, options: TranscribeOptions, runtime: RuntimeOptions
    ) -> None:
        self._files = files
        self._options = options
        self._runtime = runtime
        self._transcriber: Transcriber | None = None

    def initialize(self) -> bool:
        """Load the model; True, always: a failure is an exception here.

        Raises:
            ModelError, LibraryError: the model cannot be opened.
        """
        if self._transcriber is None:
            self._transcriber = Transcriber(self._files, self._runtime)
        return True

    def transcribe(  # noqa: PLR0913 - Fun-ASR-GGUF's signature
        self,
        audio_path: str | Path,
        language: str | None = None,
        context: str | None = None,
        *,
        start_second: float = 0.0,
        duration: float | None = None,
        srt: bool = False,
        **_ignored: object,
    ) -> EngineResult:
        """Transcribe one file.

        Args:
            audio_path: anything FFmpeg reads.
            language: 中文, 英文, ...; None lets the model decide.
            context: free text about the recording.
            start_second: seconds to skip.
            duration: seconds to transcribe; None = to the end.
            srt: also write `.srt` and `.txt` beside the input, as Fun-ASR-GGUF did.
            **_ignored: its knobs without a meaning here (verbose, segment_size, overlap,
                temperature, ...).

        Raises:
            FunasrError: the input, the model or a library cannot be used.
        """
        self.initialize()
        assert self._transcriber is not None  # noqa: S101 - for the type checker
        options = replace(
            self._options,
            language=language,
            context=context or "",
            start=start_second,
            duration=duration,
        )
        transcript = self._transcriber.transcribe(audio_path, options)
        if srt:
            base = Path(audio_path)
            write_text(base.with_suffix(".srt"), to_srt(transcript))
            write_text(base.with_suffix(".txt"), to_txt(transcript))
        words = (hit.word for segment in transcript.segments for hit in segment.hotwords)
        return EngineResult(
            text=transcript.text,
            segments=[
                {"char": c.text, "start": c.start, "end": c.end}
                for segment in transcript.segments
                for c in segment.chars
            ],
            ctc_text="".join(s.ctc_text for s in transcript.segments),
            hotwords=list(dict.fromkeys(words)),
            timings=transcript.timings,
        )

    def cleanup(self) -> None:
        """Free the model; the next call loads it again."""
        if self._transcriber is not None:
            self._transcriber.close()
            self._transcriber = None

    def __enter__(self) -> "AsrEngine":
        self.initialize()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.cleanup()


def create_asr_engine(  # noqa: PLR0913 - the signature is Fun-ASR-GGUF's
    encoder_onnx_path: str | Path,
    ctc_onnx_path: str | Path | None = None,
    decoder_gguf_path: str | Path = "",
    tokens_path: str | Path | None = None,
    hotwords_path: str | Path | None = None,
    *,
    enable_ctc: bool = True,
    similar_threshold: float = DEFAULT_HOTWORD_THRESHOLD,
    max_hotwords: int = DEFAULT_MAX_HOTWORDS,
    n_predict: int | None = None,
    n_threads: int | None = None,
    llama_bin: str | Path | None = None,
    **_ignored: object,
) -> AsrEngine:
    """Make an engine over four files, ours or those that Fun-ASR-GGUF exported.

    Args:
        encoder_onnx_path: encoder and adaptor.
        ctc_onnx_path: CTC head; None goes without character times.
        decoder_gguf_path: the LLM.
        tokens_path: tokens.txt of the CTC head.
        hotwords_path: word list; a missing file means no hotwords, as there.
        enable_ctc: False leaves the CTC head out.
        similar_threshold: least similarity of a recalled hotword.
        max_hotwords: most words in one prompt.
        n_predict: most tokens a segment; None: a budget from its length.
        n_threads: threads of each runtime.
        llama_bin: folder of a llama.cpp build.
        **_ignored: knobs without a meaning here.
    """
    words = WordList(())
    if hotwords_path and Path(hotwords_path).is_file():
        words = read_hotwords(str(hotwords_path))
    with_ctc = enable_ctc and ctc_onnx_path is not None
    return AsrEngine(
        named_files(
            encoder=Path(encoder_onnx_path),
            ctc=Path(ctc_onnx_path) if with_ctc and ctc_onnx_path else None,
            decoder=Path(decoder_gguf_path),
            tokens=Path(tokens_path) if with_ctc and tokens_path else None,
        ),
        options=TranscribeOptions(
            hotwords=words.words,
            hotword_aliases=words.aliases,
            hotword_threshold=similar_threshold,
            max_hotwords=max_hotwords,
            max_new_tokens=n_predict,
        ),
        runtime=RuntimeOptions(threads=n_threads, llama_bin=Path(llama_bin) if llama_bin else None),
    )
