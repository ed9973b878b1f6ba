"""The Typer app: which commands there are, and what an error becomes."""

import errno
import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

import typer

from funasr_cli import errors
from funasr_cli.cli import FAILURES, leave_if_interrupted, leave_interrupted
from funasr_cli.cli.batch import batch
from funasr_cli.cli.bench import bench_group
from funasr_cli.cli.command import RootGroup, equip
from funasr_cli.cli.completion import completion_group
from funasr_cli.cli.config import config_group
from funasr_cli.cli.doctor import doctor
from funasr_cli.cli.export import export
from funasr_cli.cli.hotwords import hotwords_group
from funasr_cli.cli.messages import tr
from funasr_cli.cli.realign import realign
from funasr_cli.cli.runtime import runtime_group
from funasr_cli.cli.settings.layers import origin_note
from funasr_cli.cli.transcribe import transcribe
from funasr_cli.version import __version__

INTERNAL, USAGE, UNUSABLE, INPUT = 1, 2, 3, 4

EXIT_CODES: tuple[tuple[type[errors.FunasrError], int], ...] = (
    (errors.UsageError, USAGE),
    (errors.UnusableError, UNUSABLE),
    (errors.DecodeError, UNUSABLE),
    (errors.InputError, INPUT),
    (errors.OutputError, INPUT),
    (errors.CoverageError, FAILURES),
)
"""The first class that fits decides."""

_REMEDIES = (
    "a part of the installation cannot be loaded: pip install --force-reinstall funasr-cli",
    errors.TOO_LITTLE_MEMORY,
)

_FIELD = re.compile(
    r"\b[a-z]+(?:_[a-z0-9]+)* ?[(（](--[a-z][a-z0-9-]*)[)）](?:(?=[一-鿿])())?", re.ASCII
)
"""`max_duration (--max-duration)`: an option with its name in the library; Chinese follows."""
_NONE = re.compile("(?:; None for|；None 表示)[^;；]*$")

EPILOG = (
    "Exit codes: 0 fine; 1 internal error; 2 wrong usage; 3 model, library or machine not "
    "usable; 4 an input could not be read or a result not written; 5 a batch finished with "
    "failures, or most of the speech became no text; 130 interrupted. FUNASR_DEBUG=1 shows "
    "tracebacks."
)

app = typer.Typer(
    name="funasr",
    help="Speech to text on your own machine: offline, with hotwords and character times.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,  # `funasr completion` does it
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: half the start-up time, and no boxes to squeeze text
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _honest(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn every error into one line on stderr and a documented exit code."""

    @wraps(command)
    def run(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except errors.FunasrError as error:
            leave_if_interrupted()  # it may be what an interrupted import became
            _explain(error, str(error))
            code = next(code for kind, code in EXIT_CODES if isinstance(error, kind))
            raise typer.Exit(code) from None
        except KeyboardInterrupt:
            leave_interrupted()
        except BrokenPipeError:
            # the reader (head, jq) has all it wanted
            raise typer.Exit(0) from None
        except typer.Exit:
            raise
        except (ImportError, MemoryError) as error:
            leave_if_interrupted()
            _explain(error, f"{_REMEDIES[type(error) is MemoryError]} ({error})")
            raise typer.Exit(UNUSABLE) from None
        except Exception as error:  # noqa: BLE001 - no traceback reaches a user
            leave_if_interrupted()
            _explain(error, f"internal error: {type(error).__name__}: {error}")
            hint = "please report it; FUNASR_DEBUG=1 shows where it happened"
            sys.stderr.write(f"funasr: {tr(hint)}\n")
            raise typer.Exit(INTERNAL) from None

    return run


def _explain(error: BaseException | None, message: str) -> None:
    if error is not None and os.environ.get("FUNASR_DEBUG", "0") != "0":
        import traceback

        traceback.print_exception(error)
    # the library's names of options, and its None, mean nothing on a command line
    told = _FIELD.sub(
        lambda found: found[1] + " " * (found[2] is not None), _NONE.sub("", tr(message))
    )
    sys.stderr.write(f"funasr: {told}{tr(origin_note(message))}\n")


def _version(value: bool) -> None:
    if value:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.write(f"funasr-cli {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Speech to text on your own machine: offline, with hotwords and character times."""


app.command(epilog=EPILOG)(_honest(transcribe))
app.command(epilog=EPILOG)(_honest(batch))
app.command(epilog=EPILOG)(_honest(realign))
app.command(epilog=EPILOG)(_honest(export))
app.command(epilog=EPILOG)(_honest(doctor))
app.add_typer(hotwords_group(_honest, EPILOG), name="hotwords")
app.add_typer(runtime_group(_honest, EPILOG), name="runtime")
app.add_typer(bench_group(_honest, EPILOG), name="bench")
app.add_typer(completion_group(_honest, EPILOG), name="completion")
app.add_typer(config_group(_honest, EPILOG), name="config")
equip(app, group=RootGroup)  # last: it is for all that are registered
