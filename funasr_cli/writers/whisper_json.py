"""The JSON of openai-whisper (`--word_timestamps True`), for programs that read it."""

import json
import math
import zlib
from typing import Any

from funasr_cli.captions import DEFAULT_CAPTIONS, CaptionOptions
from funasr_cli.languages import language_code
from funasr_cli.results import Transcript
from funasr_cli.writers.spoken import Line, Word, lines

FRAMES_PER_S = 100
"""Unit of `seek`: Whisper's mel frames."""
MILLI = 3
"""Decimals of a time and of a probability."""
LEAST = 0.01
"""Probability that stands for "not heard" in a logarithm."""


def to_whisper_json(transcript: Transcript, captions: CaptionOptions = DEFAULT_CAPTIONS) -> str:
    """Write `text`, `segments` and `language`; a segment is a cue with all its punctuation.

    What Whisper knows and this model does not:

    - `tokens` is empty: ids of another vocabulary would be read as nonsense.
    - `avg_logprob` is the mean logarithm of the words' CTC confidence, 0 where there is none.
    - `no_speech_prob` is 0: what was found to be silence has no text and no segment.
    - `language` is null where none was asked for.
    """
    value = {
        "text": transcript.text,
        "segments": [
            _segment(number, line) for number, line in enumerate(lines(transcript, captions))
        ],
        "language": language_code(transcript.language),
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _segment(number: int, line: Line) -> dict[str, Any]:
    spoken = line.text.encode("utf-8", errors="replace")
    return {
        "id": number,
        "seek": round(line.window * FRAMES_PER_S),
        "start": round(line.words[0].start if line.words else line.start, MILLI),
        "end": round(line.words[-1].end if line.words else line.end, MILLI),
        "text": line.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _logprob(line.words),
        "compression_ratio": round(len(spoken) / len(zlib.compress(spoken)), MILLI),
        "no_speech_prob": 0.0,
        "words": [_word(word) for word in line.words],
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.text,
        "start": round(word.start, MILLI),
        "end": round(word.end, MILLI),
        "probability": round(word.confidence, MILLI),
    }


def _logprob(words: tuple[Word, ...]) -> float:
    if not words:
        return 0.0
    mean = sum(math.log(max(w.confidence, LEAST)) for w in words) / len(words)
    return round(mean, MILLI) + 0.0  # never "-0.0"
