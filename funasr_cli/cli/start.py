"""Run the app: complete a line of a shell, or speak the user's language."""

import os
import sys
from contextlib import suppress
from io import StringIO
from typing import TYPE_CHECKING, NoReturn

from funasr_cli.cli.completion_scripts import VARIABLE
from funasr_cli.cli.messages import ENGLISH, tr, ui_language

if TYPE_CHECKING:
    from typer import Typer

NAME = "funasr"


NOT_WRITTEN = 4
"""Exit code: stdout is closed, or its disk is full."""


def run(app: "Typer") -> NoReturn:
    """Run a command and leave with its exit code, also where nobody reads what it prints."""
    code: str | int | None = 0
    try:
        code = _code(app)
        if sys.stdout is not None:  # a closed one is none
            sys.stdout.flush()  # here an error can be told; when Python ends it cannot
    except BrokenPipeError:
        _give_up_stdout()  # the reader (head, jq) has all it wanted
    except OSError as error:
        if error.filename is not None:
            raise
        _give_up_stdout()
        told = tr(f"stdout: cannot be written ({error.strerror or error})")
        sys.stderr.write(f"{NAME}: {told}\n")
        code = code or NOT_WRITTEN
    sys.exit(code)


def _code(app: "Typer") -> str | int | None:
    """Run a command.

    Raises:
        BrokenPipeError: the reader has gone.
    """
    try:
        if os.environ.get(VARIABLE):
            from funasr_cli.cli.complete import answer_shell

            answer_shell(app)
        elif ui_language() == ENGLISH:
            app(prog_name=NAME)
        else:
            _run_translated(app)
    except SystemExit as left:
        # Click and Rich make exit code 1 of it
        if isinstance(left.__context__, BrokenPipeError):
            raise left.__context__ from None
        return left.code
    return 0


def _give_up_stdout() -> None:
    """Send what is still unwritten nowhere: when Python ends it would fail once more."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())


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
