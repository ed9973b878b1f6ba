"""`funasr runtime`: which llama.cpp is used, and releases of the user's choice."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from funasr_cli.llama.library import NONE
from funasr_cli.llama.releases import BUILD, RELEASES_PAGE, official_archives

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.errors import LibraryError
    from funasr_cli.llama.devices import Device
    from funasr_cli.llama.library import Found
    from funasr_cli.llama.proving import LibraryReport
    from funasr_cli.llama.releases import Release

_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
_Progress = Callable[[int, "int | None"], None]

_HELP = """Install a llama.cpp release and make it the default.

It is unpacked into the user's data folder and tried; a release that does not work here is not
installed. Only its libraries are taken."""
_ADVICE = """

Every build computes on the CPU. Vulkan serves most graphics cards, with the driver that is
there; Metal is in the build for Apple silicon."""


def runtime_group(honest: Callable[..., Any], epilog: str) -> typer.Typer:
    """Put the commands together; `honest` makes messages and exit codes of their errors."""
    group = typer.Typer(
        help="Install, choose and inspect the llama.cpp that runs the language model.",
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    group.command("install", help=_install_help(), epilog=epilog)(honest(install))
    commands = {"which": which, "list": list_releases, "use": use, "remove": remove}
    for name, command in commands.items():
        group.command(name, epilog=epilog)(honest(command))
    return group


def install(
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FILE|DIR|URL",
            help="A release's .zip or .tar.gz, its address, or the folder it is unpacked in.",
        ),
    ],
    sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="What the archive must hash to; the release page has it."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call it. Default: the archive's name.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an installed release of this name.")
    ] = False,
) -> None:
    """Install a llama.cpp release and make it the default; help: `_install_help`."""
    from funasr_cli.cli.console import Sink
    from funasr_cli.llama.install import install as install_release
    from funasr_cli.llama.releases import set_default

    sink = Sink()
    with _transfer(source, sink) as progress:
        release, report = install_release(
            source, name=name, sha256=sha256, force=force, progress=progress
        )
    set_default(release)
    sink.note(f"installed {release.name} ({_megabytes(release.size)}) in {release.folder}")
    for line in _description(report):
        sink.note(line)
    for problem in report.problems:
        sink.warn(problem)
    _tell_use(sink)


def which(*, as_json: _Json = False) -> None:
    """Say which llama.cpp is used now, why, and which devices it sees."""
    from funasr_cli.cli.console import Sink, for_people
    from funasr_cli.errors import LibraryError
    from funasr_cli.llama.library import find
    from funasr_cli.llama.proving import prove_library

    sink = Sink()
    found = find()
    try:
        report = prove_library(found, fresh=True)  # a driver may have come since
    except LibraryError as error:
        raise LibraryError(f"{error} (chosen by: {found.source})") from error
    if as_json:
        sink.data(_as_json(_facts(found, report)))
        return
    lines = [f"source: {found.source}", *_description(report)]
    sink.data("".join(f"{line}\n" for line in [str(found.path), *map(for_people, lines)]))
    for problem in report.problems:
        sink.warn(problem)


def list_releases(*, as_json: _Json = False) -> None:
    """List installed releases (*: the default) and what lies elsewhere.

    Libraries elsewhere stand in the order in which they are used when there is no default.
    """
    from funasr_cli.cli.console import Sink, for_people
    from funasr_cli.llama.library import ENVIRONMENT, default_note, runtimes_folder
    from funasr_cli.llama.releases import installed, others

    sink = Sink()
    default = default_note()
    rows = [_row(release, default) for release in installed()]
    elsewhere = [_other(other) for other in others()]
    if as_json:
        sink.data(_as_json({"installed": rows, "others": elsewhere}))
    else:
        sink.data("".join(for_people(_line(row)) for row in [*rows, *elsewhere]))
    if not rows:
        sink.note(f"no release in {runtimes_folder()}: `funasr runtime install --help`")
    if default not in {None, NONE} and not any(row["default"] for row in rows):
        sink.warn(f"{default!r} is the default and is gone: `funasr runtime use NAME` or `{NONE}`")
    if os.environ.get(ENVIRONMENT):
        sink.note(f"{ENVIRONMENT} is set and comes first: {os.environ[ENVIRONMENT]}")


def use(name: Annotated[str, typer.Argument(help=f"An installed release, or {NONE}.")]) -> None:
    """Make an installed release the default, or none of them."""
    from funasr_cli.cli.console import Sink
    from funasr_cli.llama.releases import find_release, set_default

    set_default(None if name.casefold() == NONE else find_release(name))
    _tell_use(Sink())


def remove(name: Annotated[str, typer.Argument(help="An installed release.")]) -> None:
    """Delete an installed release."""
    from funasr_cli.cli.console import Sink
    from funasr_cli.llama.releases import find_release
    from funasr_cli.llama.releases import remove as remove_release

    release, sink = find_release(name), Sink()
    remove_release(release)
    sink.note(f"removed {release.folder}")
    _tell_use(sink)


def _install_help() -> str:
    """Write the help with the archives for this very machine."""
    rows = [f"  {use_:<7} {address}" for use_, address in official_archives()]
    if rows:
        choice = [f"Official releases for this system; {BUILD} is the build's number shown on"]
    else:
        choice = ["There is no official release for this system; build llama.cpp from its source:"]
    table = "\n".join([*choice, RELEASES_PAGE, *rows])
    return f"{_HELP}\n\n\b\n{table}{_ADVICE if rows else ''}"


def _tell_use(sink: "Sink") -> None:
    """Say which library is used from now on: often another than the one just chosen."""
    from funasr_cli.errors import LibraryError
    from funasr_cli.llama.library import ENVIRONMENT, find

    try:
        found = find()
    except LibraryError as error:
        sink.warn(str(error))
        return
    if found.source == ENVIRONMENT:
        sink.warn(f"{ENVIRONMENT} is set and still comes first: {found.path}; unset it")
    else:
        sink.note(f"used from now on: {found.path} ({found.source})")


def _description(report: "LibraryReport") -> list[str]:
    devices = [f"device:  {_device(device)}" for device in report.devices]
    layout = [] if report.layout in report.version else [f"layout:  {report.layout}"]
    return [f"version: {report.version}", *layout, *devices]


def _device(device: "Device") -> str:
    memory = f", {device.total / 1e9:.1f} GB, {device.free / 1e9:.1f} GB free"
    return f"{device.name}: {device.description} ({device.kind}{memory if device.total else ''})"


def _row(release: "Release", default: str | None) -> dict[str, Any]:
    return {
        "name": release.name,
        "default": release.name == default,
        "bytes": release.size,
        "library": str(release.library) if release.library else None,
    }


def _other(other: "Found | LibraryError") -> dict[str, str]:
    if isinstance(other, Exception):
        return {"error": str(other)}
    return {"library": str(other.path), "source": other.source}


def _line(row: "dict[str, Any]") -> str:
    if "error" in row:
        return f"  {row['error']}\n"
    if "source" in row:
        return f"  {row['library']}  ({row['source']})\n"
    lack = "" if row["library"] else "  (no llama.cpp in it)"
    return f"{'*' if row['default'] else ' '} {row['name']}  {_megabytes(row['bytes'])}{lack}\n"


def _facts(found: "Found", report: "LibraryReport") -> dict[str, Any]:
    return {
        "library": str(found.path),
        "source": found.source,
        "version": report.version,
        "layout": report.layout,
        "devices": [asdict(device) for device in report.devices],
        "problems": list(report.problems),
    }


def _as_json(facts: dict[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2) + "\n"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


@contextmanager
def _transfer(source: str, sink: "Sink") -> Iterator[_Progress]:
    """Show how far a download is: a bar on a terminal, one line in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    if "://" in source:
        sink.note(f"downloading {source}")
    console = Console(stderr=True)
    columns = BarColumn(), DownloadColumn(), TransferSpeedColumn()
    is_hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=is_hidden) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
