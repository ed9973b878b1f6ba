"""How likely each window is speech -> where speech is.

Names and meanings of the rules are those of whisper.cpp and of Silero's own
`get_speech_timestamps`: speech begins at the threshold and ends a little below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from funasr_cli.protocols import VAD_WINDOW
from funasr_cli.units import SAMPLE_RATE

HYSTERESIS = 0.15
"""Speech goes on until its likelihood is this much below the threshold (Silero)."""
LEAST_THRESHOLD = 0.01


@dataclass(frozen=True)
class SpeechRules:
    """What counts as speech; lengths in windows of 32 ms."""

    threshold: float
    min_speech: int
    min_silence: int
    pad: int

    @property
    def low(self) -> float:
        """Speech that has begun ends below this likelihood."""
        return max(self.threshold - HYSTERESIS, LEAST_THRESHOLD)


def speech_rules(
    threshold: float, *, min_speech_ms: int, min_silence_ms: int, pad_ms: int
) -> SpeechRules:
    """Make rules from milliseconds."""
    return SpeechRules(
        threshold,
        min_speech=_windows(min_speech_ms),
        min_silence=max(1, _windows(min_silence_ms)),
        pad=_windows(pad_ms),
    )


def _windows(milliseconds: int) -> int:
    return -(-milliseconds * SAMPLE_RATE // (1000 * VAD_WINDOW))


@dataclass(frozen=True)
class Span:
    """Speech from window `first` to window `last` (behind it)."""

    first: int
    last: int
    open: bool
    """The silence behind it is still too short to end it."""


def find_spans(
    probabilities: Sequence[float], rules: SpeechRules, *, speaking: bool = False, first: int = 0
) -> list[Span]:
    """Find speech, in order and without overlap; an open span can only be the last.

    Args:
        probabilities: of consecutive windows.
        rules: what counts as speech.
        speaking: whether somebody is speaking when window `first` begins; what is left to say may
            be short.
        first: where to begin.
    """
    found: list[Span] = []
    begin = first if speaking else None
    quiet = first
    for at in range(first, len(probabilities)):
        probability = probabilities[at]
        if begin is None:
            if probability >= rules.threshold:
                begin, quiet = at, at + 1
        elif probability >= rules.low:
            quiet = at + 1
        elif at + 1 - quiet >= rules.min_silence:
            if quiet - begin >= rules.min_speech or (speaking and begin == first):
                found.append(Span(begin, quiet, open=False))
            begin = None
    if begin is not None and quiet > begin:
        found.append(Span(begin, quiet, open=True))
    return found
