"""`funasr completion`: let the Tab key complete commands, options and their values."""

import os
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from funasr_cli.cli.completion_scripts import SCRIPTS

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink

_MARK = "# funasr completion"
_TIMEOUT_S = 60.0


class Shell(str, Enum):
    """Shells that can be taught."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


SHELLS = "|".join(shell.value for shell in Shell)


def completion_group(honest: Callable[..., Any], epilog: str) -> typer.Typer:
    """Put the commands together; `honest` makes messages and exit codes of their errors."""
    group = typer.Typer(
        help="Let the Tab key complete commands, options and values.",
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name, command in {"install": install, "show": show}.items():
        group.command(name, epilog=epilog)(honest(command))
    return group


def install(
    shell: Annotated[
        Shell | None, typer.Argument(metavar=SHELLS, help="Default: the shell this is typed in.")
    ] = None,
) -> None:
    """Install completion for a shell; may be repeated after an upgrade.

    A script is put beside the user's other data, and one line into the shell's start-up file
    that reads it (fish needs no line). To undo it, delete that line.
    """
    from funasr_cli.cli.console import Sink

    name = shell.value if shell else _own_shell()
    home = Path.home()
    if name == "fish":
        script = _xdg_config(home) / "fish" / "conf.d" / "funasr.fish"
        _write(script, SCRIPTS[name])
    else:
        from funasr_cli.folders import user_data_folder

        suffix = "ps1" if name in {Shell.POWERSHELL, Shell.PWSH} else name
        script = user_data_folder() / "completion" / f"funasr.{suffix}"
        _write(script, SCRIPTS[name])
        _add_line(_start_file(name, home), _reading(name, script))
    _tell(Sink(), name, script)


def show(shell: Annotated[Shell, typer.Argument(metavar=SHELLS, help="For which shell.")]) -> None:
    """Print a shell's completion script.

    \b
    Example:
      funasr completion show bash > ~/.local/share/bash-completion/completions/funasr
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.cli.console import Sink

    Sink().data(SCRIPTS[shell.value])


def _tell(sink: "Sink", name: str, script: Path) -> None:
    sink.note(f"completion for {name}: {script}")
    sink.note("open a new terminal to use it")


def _own_shell() -> str:
    """Find the shell that runs this program.

    Raises:
        UsageError: it cannot be told, or is none of ours.
    """
    from shellingham import ShellDetectionFailure, detect_shell

    from funasr_cli.errors import UsageError

    known = ", ".join(SCRIPTS)
    try:
        name = str(detect_shell()[0])
    except ShellDetectionFailure as error:
        raise UsageError(f"which shell this is cannot be told; name one of {known}") from error
    if name not in SCRIPTS:
        raise UsageError(f"the shell {name} is not supported; known are {known}")
    return name


def _start_file(name: str, home: Path) -> Path:
    """Name the file that a shell reads when it starts."""
    if name == "zsh":
        return Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    if name == "bash":  # terminals of macOS open login shells, which read no .bashrc
        return home / (".bash_profile" if sys.platform == "darwin" else ".bashrc")
    return _powershell_profile(name)


def _powershell_profile(program: str) -> Path:
    """Ask PowerShell for its profile.

    Raises:
        UnusableError: it cannot be asked.
    """
    import subprocess

    from funasr_cli.errors import UnusableError

    ask = "[Console]::OutputEncoding = [System.Text.Encoding]::UTF8; $PROFILE"
    try:
        told = subprocess.run(  # noqa: S603 - the shell that the user named
            [program, "-NoProfile", "-NonInteractive", "-Command", ask],
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UnusableError(f"{program} does not tell where its profile is ({error})") from error
    return Path(told.stdout.decode("utf-8", "replace").strip())


def _reading(name: str, script: Path) -> str:
    """Write the line that reads the script, if it is still there."""
    if name in {Shell.POWERSHELL, Shell.PWSH}:
        quoted = "'" + str(script).replace("'", "''") + "'"
        return f"if (Test-Path {quoted}) {{ . {quoted} }}  {_MARK}"
    quoted = "'" + str(script).replace("'", "'\\''") + "'"
    return f"[ -r {quoted} ] && . {quoted}  {_MARK}"


def _add_line(file: Path, line: str) -> None:
    """Put our line into a start-up file, in place of an older one of ours."""
    from funasr_cli.errors import OutputError

    try:
        # what is not UTF-8 in it must come out as it was
        old = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    except OSError as error:
        raise OutputError(f"{file}: cannot be read ({error.strerror or error})") from error
    kept = [each for each in old.splitlines() if not each.rstrip().endswith(_MARK)]
    if line not in old.splitlines():
        _write(file, "\n".join([*kept, line]) + "\n")


def _write(file: Path, text: str) -> None:
    from funasr_cli.errors import OutputError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise OutputError(f"{file}: cannot be written ({error.strerror or error})") from error


def _xdg_config(home: Path) -> Path:
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return named if named.is_absolute() else home / ".config"
