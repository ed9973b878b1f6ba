"""The calls that scripts written for Fun-ASR-GGUF make; new code uses `Transcriber`.

The same names, order and shapes, as of February 2026; what that project did differently (one
constant seed per run, sampling, sequential windows) is not imitated: those knobs are taken and
ignored, each by its name. Its streams in the manner of sherpa-onnx (`create_stream`,
`accept_waveform`, `decode_stream`) are not offered.
"""
# ruff: noqa: PLR0913, PLR0917, FBT001, FBT002 - the signatures are Fun-ASR-GGUF's

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from funasr_cli.device_names import AUTO, CPU
from funasr_cli.errors import UsageError
from funasr_cli.hotwords import WordList, read_hotwords
from funasr_cli.model_dir import ModelFiles, named_files
from funasr_cli.options import (
    DEFAULT_HOTWORD_THRESHOLD,
    DEFAULT_MAX_HOTWORDS,
    RuntimeOptions,
    TranscribeOptions,
)
from funasr_cli.timings import EngineTimings
from funasr_cli.transcriber import Transcriber
from funasr_cli.writers import WRITERS, write_text

BESIDE = ("srt", "txt")
"""Formats that `srt=True` writes beside the input."""


@dataclass(frozen=True)
class EngineResult:
    """A transcript in the shape of Fun-ASR-GGUF's `TranscriptionResult`."""

    text: str
    segments: list[dict[str, str | float]]
    """One entry a character: `char`, `start`, `end` (seconds)."""
    ctc_text: str
    hotwords: list[str]
    timings: EngineTimings = field(default_factory=EngineTimings)
    warnings: list[str] = field(default_factory=list)
    """What to know about this result: a cut text, a damaged input, a model of another tool."""


class AsrEngine:
    """Loads on `initialize()` (or the first `transcribe`), frees on `cleanup()` or `with`."""

    def __init__(
        self, files: ModelFiles, options: TranscribeOptions, runtime: RuntimeOptions
    ) -> None:
        self._files = files
        self._options = options
        self._runtime = runtime
        self._transcriber: Transcriber | None = None

    def initialize(self, verbose: bool = True) -> bool:
        """Load the model; True, always: a failure is an exception here.

        Warns (UserWarning) when the model was exported by another tool.

        Args:
            verbose: ignored.

        Raises:
            ModelError, LibraryError: the model cannot be opened.
        """
        del verbose
        self._loaded(caller=3)
        return True

    def transcribe(
        self,
        audio_path: str | Path,
        language: str | None = None,
        context: str | None = None,
        verbose: bool = True,
        segment_size: float = 60.0,
        overlap: float = 4.0,
        start_second: float | None = 0.0,
        duration: float | None = None,
        srt: bool = False,
        temperature: float = 0.4,
        top_p: float = 1.0,
        top_k: int = 50,
    ) -> EngineResult:
        """Transcribe one file.

        Args:
            audio_path: anything FFmpeg reads.
            language: 中文, 英文, ...; None lets the model decide.
            context: free text about the recording.
            verbose: ignored: nothing is printed.
            segment_size: ignored: sound is cut where it is quiet.
            overlap: ignored: segments do not overlap.
            start_second: seconds to skip; None = none.
            duration: seconds to transcribe; None = to the end.
            srt: also write `.srt` and `.txt` beside the input, as Fun-ASR-GGUF did.
            temperature: ignored, as the next ones: decoding is greedy.
            top_p: ignored.
            top_k: ignored.

        Raises:
            UsageError: an option means nothing, or a file to write is the input itself.
            FunasrError: the input, the model or a library cannot be used.
        """
        del verbose, segment_size, overlap, temperature, top_p, top_k
        options = replace(
            self._options,
            language=language,
            context=context or "",
            start=start_second or 0.0,
            duration=duration,
        )
        targets = _beside(Path(audio_path)) if srt else {}
        transcript = self._loaded(caller=3).transcribe(audio_path, options)
        for kind, target in targets.items():
            write_text(target, WRITERS[kind](transcript))
        words = (
            hit.word for segment in transcript.segments for hit in segment.hotwords if hit.in_prompt
        )
        return EngineResult(
            text=transcript.text,
            segments=[
                {"char": c.text, "start": c.start, "end": c.end}
                for segment in transcript.segments
                for c in segment.chars
            ],
            ctc_text="".join(s.ctc_text for s in transcript.segments),
            hotwords=list(dict.fromkeys(words)),
            timings=EngineTimings(**vars(transcript.timings)),
            warnings=[notice.message for notice in transcript.warnings],
        )

    def _loaded(self, *, caller: int) -> Transcriber:
        """Load the model once; `caller` is the stack level that a warning points to."""
        if self._transcriber is None:
            self._transcriber = Transcriber(self._files, self._runtime)
            for notice in self._transcriber.notices:
                if notice.code == "foreign-model":
                    warnings.warn(notice.message, stacklevel=caller)
        return self._transcriber

    def cleanup(self) -> None:
        """Free the model; the next call loads it again."""
        if self._transcriber is not None:
            self._transcriber.close()
            self._transcriber = None

    def __enter__(self) -> "AsrEngine":
        self._loaded(caller=3)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.cleanup()


def create_asr_engine(
    encoder_onnx_path: str | Path,
    ctc_onnx_path: str | Path | None,
    decoder_gguf_path: str | Path,
    tokens_path: str | Path | None,
    hotwords_path: str | Path | None = None,
    enable_ctc: bool = True,
    similar_threshold: float = DEFAULT_HOTWORD_THRESHOLD,
    max_hotwords: int = DEFAULT_MAX_HOTWORDS,
    verbose: bool = True,
    *,
    n_predict: int | None = None,
    n_threads: int | None = None,
    n_threads_batch: int | None = None,
    n_ubatch: int | None = None,
    sample_rate: int | None = None,
    dml_enable: bool | None = None,
    vulkan_enable: bool | None = None,
    vulkan_force_fp32: bool | None = None,
    pad_to: int | None = None,
    llama_bin: str | Path | None = None,
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
        verbose: ignored: nothing is printed.
        n_predict: most tokens a segment; None: a budget from its length.
        n_threads: threads of each runtime.
        n_threads_batch: ignored: the same as `n_threads`.
        n_ubatch: ignored.
        sample_rate: ignored: any input is resampled to what the model hears.
        dml_enable: ignored: a provider that is installed is used if it proves itself.
        vulkan_enable: False keeps everything on the CPU.
        vulkan_force_fp32: True goes without half precision on Vulkan devices.
        pad_to: ignored: nothing is padded.
        llama_bin: folder of a llama.cpp build.

    Raises:
        UsageError: an option means nothing.
        ModelError: a file is missing.
        InputError: the word list cannot be read.
    """
    del verbose, n_threads_batch, n_ubatch, sample_rate
    del dml_enable, pad_to
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
        runtime=RuntimeOptions(
            threads=n_threads,
            llama_bin=Path(llama_bin) if llama_bin else None,
            device=CPU if vulkan_enable is False else AUTO,
            vulkan_f16=not vulkan_force_fp32,
        ),
    )


def _beside(audio: Path) -> Mapping[str, Path]:
    """Name the files that `srt=True` writes: format -> path.

    Raises:
        UsageError: one of them is the input.
    """
    targets = {kind: audio.with_suffix(f".{kind}") for kind in BESIDE}
    for kind, target in targets.items():
        if audio.exists() and target.exists() and target.samefile(audio):
            raise UsageError(
                f"srt=True would write {kind} over the input {audio}: rename the input"
            )
    return targets
