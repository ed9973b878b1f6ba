"""Options of every command that transcribes: what is said, and what of the sound is speech."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli.arguments import parse_seconds
from funasr_cli.options import TranscribeOptions

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.cli.hotword_lists import HotwordLists


@dataclass(frozen=True)
class SpeechOptions:
    """What the speech is about, and how it is written."""

    language: Annotated[
        str | None,
        typer.Option("-l", "--language", "--lang", help="中文, zh, Chinese, en, ja, ... or auto."),
    ] = None
    hotwords: Annotated[
        list[str] | None,
        typer.Option(
            "--hotwords",
            "--hotword",
            help="Word list: a file with one word a line, or a,b,c. May be given several times; a "
            "file that changes is read again for the next input.",
        ),
    ] = None
    hotword_recall: Annotated[
        bool,
        typer.Option(
            help="Put only words that were heard into the prompt; without it the whole list."
        ),
    ] = TranscribeOptions.hotword_recall
    hotword_threshold: Annotated[
        float, typer.Option(help="How alike a word must sound to be recalled, 0 to 1.")
    ] = TranscribeOptions.hotword_threshold
    max_hotwords: Annotated[int, typer.Option(help="Most words in the prompt of one segment.")] = (
        TranscribeOptions.max_hotwords
    )
    hotword_replace: Annotated[
        float | None,
        typer.Option(
            help="Write a recalled word over text that sounds so much like it, e.g. 0.85. "
            "Default: never."
        ),
    ] = TranscribeOptions.hotword_replace
    context: Annotated[
        str, typer.Option(help="What the recording is about: topic, names, style.")
    ] = TranscribeOptions.context
    itn: Annotated[
        bool, typer.Option("--itn/--no-itn", help="Write numbers and dates as digits.")
    ] = TranscribeOptions.itn
    time_offset: Annotated[
        float | None,
        typer.Option(
            "--time-offset",
            help="Seconds to add to every time, e.g. -0.1 if subtitles come late. Default: what "
            "the model's manifest says.",
        ),
    ] = TranscribeOptions.time_offset
    max_new_tokens: Annotated[
        int | None,
        typer.Option("-n", "--max-new-tokens", min=1, help="Most tokens a segment."),
    ] = TranscribeOptions.max_new_tokens
    guard: Annotated[
        bool,
        typer.Option(help="Detect loops, overflow and silence; without it: the model's raw text."),
    ] = TranscribeOptions.guard

    def lists(self, sink: "Sink") -> "HotwordLists":
        """Read the word lists.

        Raises:
            UsageError, InputError: one means nothing or cannot be read.
        """
        from funasr_cli.cli.hotword_lists import HotwordLists

        return HotwordLists(self.hotwords or [], sink)

    def options(
        self, vad: "VadOptions", *, start: str = "0", duration: str | None = None
    ) -> TranscribeOptions:
        """What to do with an input, but for its hotwords.

        Raises:
            UsageError: a value means nothing.
        """
        from funasr_cli.languages import prompt_language

        prompt_language(self.language)  # a wrong name must not cost the loading of a model
        return TranscribeOptions(
            language=self.language,
            hotword_recall=self.hotword_recall,
            hotword_threshold=self.hotword_threshold,
            max_hotwords=self.max_hotwords,
            hotword_replace=self.hotword_replace,
            context=self.context,
            itn=self.itn,
            start=parse_seconds("--start", start),
            duration=None if duration is None else parse_seconds("--duration", duration),
            time_offset=self.time_offset,
            max_new_tokens=self.max_new_tokens,
            guard=self.guard,
            vad=vad.vad,
            vad_threshold=vad.vad_threshold,
            vad_min_speech_duration_ms=vad.vad_min_speech_duration_ms,
            vad_min_silence_duration_ms=vad.vad_min_silence_duration_ms,
            vad_max_speech_duration_s=vad.vad_max_speech_duration_s,
            vad_speech_pad_ms=vad.vad_speech_pad_ms,
            overlap=vad.overlap,
        )


@dataclass(frozen=True)
class VadOptions:
    """Which part of the sound is speech; the names are those of whisper.cpp."""

    vad: Annotated[
        bool,
        typer.Option(
            help="Transcribe only what is speech, cut in its pauses; without it: everything, in "
            "windows as long as the model takes."
        ),
    ] = TranscribeOptions.vad
    vad_threshold: Annotated[
        float, typer.Option(help="How likely sound must be speech, 0 to 1.")
    ] = TranscribeOptions.vad_threshold
    vad_min_speech_duration_ms: Annotated[
        int, typer.Option(help="Shorter speech is taken for noise.")
    ] = TranscribeOptions.vad_min_speech_duration_ms
    vad_min_silence_duration_ms: Annotated[
        int, typer.Option(help="Shorter silence is part of the speech around it.")
    ] = TranscribeOptions.vad_min_silence_duration_ms
    vad_max_speech_duration_s: Annotated[
        float | None,
        typer.Option(help="Longest segment. Default, and most: what the model was trained on."),
    ] = TranscribeOptions.vad_max_speech_duration_s
    vad_speech_pad_ms: Annotated[
        int, typer.Option(help="Sound that is kept on both sides of speech.")
    ] = TranscribeOptions.vad_speech_pad_ms
    overlap: Annotated[
        float,
        typer.Option(help="Seconds that two segments share where a cut must fall into speech."),
    ] = TranscribeOptions.overlap
