"""Run the app: complete a line of a shell, or speak the user's language."""

import os
import sys
from io import StringIO
from typing import TYPE_CHECKING

from funasr_cli.cli.completion_scripts import VARIABLE
from funasr_cli.cli.messages import ENGLISH, tr, ui_language

if TYPE_CHECKING:
    from typer import Typer

NAME = "funasr"


def run(app: "Typer") -> None:
    """Run a command and leave with its exit code."""
    if os.environ.get(VARIABLE):
        from funasr_cli.cli.complete import answer_shell

        answer_shell(app)
    elif ui_language() == ENGLISH:
        app(prog_name=NAME)
    else:
        _run_translated(app)


def _run_translated(app: "Typer") -> None:
    """Do as Click does, and translate what it says of wrong options."""
    from typer.main import get_command

    from funasr_cli.cli.help_pages import translate_pages

    command = get_command(app)
    translate_pages(command)
    try:
        code = command.main(prog_name=NAME, standalone_mode=False)
    except Exception as error:
        # Typer carries a Click of its own or uses the other one: known by what they can do
        show = getattr(error, "show", None)
        if show is None:
            raise
        page = StringIO()
        show(page)
        sys.stderr.write(tr(page.getvalue()))
        sys.exit(getattr(error, "exit_code", 2))
    sys.exit(code if isinstance(code, int) else 0)
