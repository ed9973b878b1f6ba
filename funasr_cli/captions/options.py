"""How cues are to look: presets of the scripts, options, and both resolved to numbers."""

from dataclasses import dataclass
from math import inf
from operator import index
from typing import Final

from funasr_cli.errors import UsageError
from funasr_cli.required import require
from funasr_cli.script import Script

AUTO_PRESET: Final = "auto"
DEFAULT_MAX_LINE_COUNT: Final = 2
DEFAULT_MIN_DURATION: Final = 0.84
"""5/6 s (Netflix timed text style guide, general requirements), rounded up."""
DEFAULT_MAX_DURATION: Final = 7.0
"""The same source."""
LEAST_S: Final = 0.1
"""No cue is meant to be shorter, whatever is asked for."""


@dataclass(frozen=True)
class Preset:
    """The conventions of a script."""

    max_line_width: float
    narrow: float
    """Width of a Latin letter, digit or space; a full-width character is twice as wide."""
    max_cps: float
    """Reading speed of adults: characters a second, counted like the width."""


PRESETS: Final[dict[str, Preset]] = {
    "zh": Preset(16, 0.5, 9),
    "ja": Preset(13, 0.5, 4),
    "ko": Preset(16, 0.5, 12),
    "latin": Preset(42, 1, 17),
    "none": Preset(inf, 1, inf),
}
"""Netflix timed text style guides: characters a line and a second; half-width characters in CJK
lines count half. `none`: lines of any width, cut at sentences and pauses alone."""


@dataclass(frozen=True)
class CaptionOptions:
    """What cues may look like.

    Raises:
        UsageError: a value means nothing; the message names the field.
    """

    preset: str = AUTO_PRESET
    """A name in `PRESETS`; auto: by the script that fills most of the text."""
    max_line_width: float | None = None
    """Most characters a line: full-width ones with zh, ja and ko, where Latin ones count half;
    Latin ones otherwise, where full-width ones count double. None: as the preset says."""
    max_line_count: int = DEFAULT_MAX_LINE_COUNT
    """Most lines a cue."""
    min_duration: float = DEFAULT_MIN_DURATION
    """Seconds a cue stays at least, where its neighbours leave room."""
    max_duration: float = DEFAULT_MAX_DURATION
    """Seconds it stays at most."""
    keep_punctuation: bool = False
    """Keep a comma or full stop that ends a line of full-width characters."""

    def __post_init__(self) -> None:
        known = (AUTO_PRESET, *PRESETS)
        require("preset (--subtitle-preset)", self.preset, known.__contains__, ", ".join(known))
        if self.max_line_width is not None:
            require(
                "max_line_width (--max-line-width)",
                self.max_line_width,
                lambda width: width >= 1,
                "1 or more; None for that of the preset",
            )
        require(
            "max_line_count (--max-line-count)",
            self.max_line_count,
            lambda count: index(count) >= 1,
            "1 or more",
        )
        require(
            "min_duration (--min-duration)",
            self.min_duration,
            lambda seconds: 0 <= seconds < inf,
            "seconds from 0 on",
        )
        require(
            "max_duration (--max-duration)",
            self.max_duration,
            lambda seconds: seconds >= LEAST_S,
            f"{LEAST_S} s or more",
        )
        if self.max_duration < self.min_duration:
            raise UsageError(
                f"max_duration (--max-duration) is {self.max_duration!r}, less than min_duration "
                f"(--min-duration), {self.min_duration!r}"
            )

    def layout(self, script: Script) -> "Layout":
        """Choose the preset of a text in this script, and put the options over it."""
        preset = PRESETS[script if self.preset == AUTO_PRESET else self.preset]
        width = preset.max_line_width if self.max_line_width is None else self.max_line_width
        return Layout(
            width=width / preset.narrow,
            lines=self.max_line_count,
            min_s=max(self.min_duration, LEAST_S),
            max_s=self.max_duration,
            max_cps=preset.max_cps,
            narrow=preset.narrow,
            stripped="" if self.keep_punctuation else STRIPPED,
        )


STRIPPED: Final = "，。、；："
"""Not shown at the end of a line: the line's end says it."""


@dataclass(frozen=True)
class Layout:
    """What one transcript's cues keep to."""

    width: float
    """Of a line, in half-width characters."""
    lines: int
    min_s: float
    max_s: float
    max_cps: float
    narrow: float
    """What a half-width character counts in `max_cps`."""
    stripped: str
    """Marks that are left out at the end of a line."""

    def shown(self, text: str) -> str:
        """Leave out what does not show at the end of a line."""
        return text.rstrip(self.stripped + " ") if self.stripped else text
