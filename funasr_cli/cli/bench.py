"""`funasr bench`: how fast this machine is, and models of random weights to measure it with."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from funasr_cli.cli.bench_runs import decode, hotwords, pipeline


class ModelSize(str, Enum):
    """Sizes of a model of random weights."""

    TINY = "tiny"
    FULL = "full"


def bench_group(honest: Callable[..., Any], epilog: str) -> typer.Typer:
    """Put the commands together; `honest` makes messages and exit codes of their errors."""
    group = typer.Typer(
        help="Measure speed and memory, with any model or one of random weights.",
        epilog=epilog,
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    commands = {
        "make-model": make_model,
        "decode": decode,
        "pipeline": pipeline,
        "hotwords": hotwords,
    }
    for name, command in commands.items():
        group.command(name, epilog=epilog)(honest(command))
    return group


def make_model(  # noqa: PLR0913, PLR0917 - one parameter an option
    output: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to write.")],
    size: Annotated[
        ModelSize, typer.Option(help="full: the shapes of Fun-ASR-Nano-2512, 1.6 GB.")
    ] = ModelSize.TINY,
    decoder_only: Annotated[
        bool, typer.Option("--decoder-only", help="Only the LLM: enough for `bench decode`.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides the weights.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the model in DIR.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Write a model of random weights: the speed of a real one, and text without sense.

    Needs the extra packages once: pip install 'funasr-cli[export]'.

    \b
    Example:
      funasr bench make-model random --size full
      funasr transcribe talk.mp3 -m random
    """  # noqa: D301 - \b tells Typer to keep the lines
    from rich.console import Console

    from funasr_cli.bench.make_model import make_model as make
    from funasr_cli.cli.export import list_files, progress_bar, reporter

    console = Console(stderr=True, highlight=False, quiet=quiet)
    with progress_bar(console) as bar:
        manifest = make(
            output,
            size.value,
            decoder_only=decoder_only,
            seed=seed,
            force=force,
            progress=reporter(bar),
        )
    list_files(console, manifest)
