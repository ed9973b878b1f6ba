"""Options of `funasr batch` alone: which files, and how they are gone through."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from funasr_cli.cli.output_options import OutputOptions

PROGRESS = ("auto", "bars", "lines", "json", "none")


@dataclass(frozen=True)
class BatchOutput(OutputOptions):
    """Which files, and where: nowhere by default."""

    output_dir: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output-dir",
            help="Folder for the files, needed; source: beside each input. What was changed by "
            "hand is kept as .bak.",
        ),
    ] = None


@dataclass(frozen=True)
class BatchOptions:
    """Which files, and what of them is to be done."""

    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Also take the folders in the folders.")
    ] = False
    from_file: Annotated[
        list[str] | None,
        typer.Option(
            "--from-file",
            help="File of paths, one a line or separated by NUL; - is stdin. May be given several "
            "times.",
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Do everything again, whatever is done.")
    ] = False
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Also try again what has failed before.")
    ] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done, and write nothing.")
    ] = False
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first file that fails.")
    ] = False
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64, help="Processes, each with its own model: for machines with many cores."
        ),
    ] = 1
    report: Annotated[
        Path | None,
        typer.Option(help="Write what became of each file: .jsonl or .csv."),
    ] = None
    progress: Annotated[
        str,
        typer.Option(help="auto, bars, lines, json (events for programs, on stderr) or none."),
    ] = "auto"
