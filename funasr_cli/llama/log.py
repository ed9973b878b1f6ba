"""llama.cpp's own log: its last lines, for messages."""

import ctypes
import os
import re
import sys
from collections import deque

from funasr_cli.llama.api import LogCallback

_LOG_LINES = 50
_FUNCTION_NAME = re.compile(r"^\w+: ")  # llama.cpp begins most lines with it
_LOG_ERROR = 4  # GGML_LOG_LEVEL_ERROR
_LOG_CONT = 5  # GGML_LOG_LEVEL_CONT: goes on with the line before


class Log:
    """llama.cpp's last lines, for error messages; FUNASR_DEBUG=1 shows them as they come."""

    def __init__(self) -> None:
        self.callback = LogCallback(self._receive)
        self._lines: deque[tuple[int, str]] = deque(maxlen=_LOG_LINES)
        self._level = 0
        self._line = ""

    def _receive(self, level: int, text: int, _user_data: int | None) -> None:
        """Take a fragment, from any thread; an exception here would be printed, not raised."""
        fragment = ctypes.string_at(text).decode("utf-8", "replace")
        if os.environ.get("FUNASR_DEBUG") == "1":
            sys.stderr.write(fragment)
        if level != _LOG_CONT:
            self._level = level
        *complete, self._line = (self._line + fragment).split("\n")
        self._lines.extend((self._level, line) for line in complete if line.strip())

    def clear(self) -> None:
        """Forget the lines: what comes now belongs to the next call."""
        self._lines.clear()
        self._line = ""

    @property
    def lines(self) -> list[str]:
        """The last lines, oldest first."""
        return [line for _, line in self._lines]

    def reason(self) -> str:
        """The most telling line: the first error, else the last line of any kind.

        llama.cpp goes from the cause to the general: later errors only say "failed to load".
        """
        errors = [line for level, line in self._lines if level == _LOG_ERROR]
        chosen = errors[0] if errors else self.lines[-1] if self._lines else "it gave no reason"
        return _FUNCTION_NAME.sub("", chosen).strip()
