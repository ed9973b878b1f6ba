"""`--print-confidence`: the text on a terminal, coloured by how sure the model was."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from funasr_cli.confidence import LIKELY, SURE, doubt, timed_pieces

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.results import Transcript

STYLES = ("", "yellow", "bold red")
"""By grade of doubt. Sure text stays as the terminal writes it: it is most of the text."""
LEGEND = (
    f"confidence: {SURE:.0%} or more",
    f"{LIKELY:.0%} to {SURE:.0%}",
    f"below {LIKELY:.0%}",
)


class ConfidencePrinter:
    """Colours texts for stdout; says on stderr what the colours mean, or why there are none."""

    def __init__(self, sink: "Sink") -> None:
        self._sink = sink
        self._stdout = Console(highlight=False, soft_wrap=True)

    def explain(self) -> None:
        """Tell people the legend; without colours, the reason."""
        reason = self._reason()
        if reason:
            self._sink.note(f"--print-confidence: no colours ({reason})")
        else:
            self._sink.legend(list(zip(LEGEND, STYLES, strict=True)))

    def text(self, transcript: "Transcript") -> str:
        """Return a transcript's text, with the escape codes of stdout's terminal if it is one."""
        if self._reason():
            return transcript.text
        coloured = Text()
        for piece, char in timed_pieces(transcript.text, transcript.segments):
            coloured.append(piece, STYLES[doubt(char)] if char else "")
        with self._stdout.capture() as captured:
            self._stdout.print(coloured, end="")
        return captured.get()

    def _reason(self) -> str:
        console = self._stdout
        if console.no_color:
            return "NO_COLOR is set"
        if not console.is_terminal:
            return "stdout is no terminal"
        if console.color_system is None or console.legacy_windows:
            return "this terminal has none"
        return ""
