"""Tables on stdout: drawn on a terminal, tabs in a pipe."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from funasr_cli.cli.messages import tr_word

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink

ESCAPES: Final = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def show_table(
    sink: "Sink",
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    told: Collection[str] = (),
) -> None:
    """Print rows of text; long ones are wrapped on a terminal, and whole everywhere else.

    Args:
        sink: where to.
        columns: their titles.
        rows: a cell for each column.
        told: columns whose cells are words of this program: translated on a terminal, as the
            titles are; a pipe gets the same in every language.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        lines = ("\t".join(cell.translate(ESCAPES) for cell in row) for row in (columns, *rows))
        sink.data("".join(f"{line}\n" for line in lines))
        return
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(escape(tr_word(column)), overflow="fold")
    for row in rows:
        cells = zip(columns, row, strict=True)
        table.add_row(*(escape(tr_word(cell) if name in told else cell) for name, cell in cells))
    with console.capture() as drawn:
        console.print(table)
    sink.data(drawn.get().strip("\n") + "\n")
