"""`funasr export`: a checkpoint, here or on a hub -> a model directory."""

from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from funasr_cli.cli.messages import tr
from funasr_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from funasr_cli.manifest import Manifest


class CtcType(str, Enum):
    """Number types of the CTC head."""

    INT8 = "int8"
    FP32 = "fp32"


class DecoderType(str, Enum):
    """Number types of the LLM."""

    Q8_0 = "q8_0"
    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"


def export(  # noqa: PLR0913, PLR0917 - one parameter an option
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="CHECKPOINT",
            help="Folder with config.yaml, model.pt and Qwen3-0.6B/; or OWNER/NAME on a hub, "
            "which is downloaded first.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="MODEL_DIR", help="Folder to write.")
    ],
    ctc_type: Annotated[CtcType, typer.Option(help="Numbers of the CTC head.")] = CtcType.INT8,
    decoder_type: Annotated[
        DecoderType, typer.Option(help="Numbers of the LLM.")
    ] = DecoderType.Q8_0,
    ctc: Annotated[
        bool,
        typer.Option(
            "--ctc/--no-ctc",
            help="Without it: a model that transcribes without character times, for "
            "checkpoints that have no CTC head.",
        ),
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace what MODEL_DIR holds.")] = False,
    hub: Annotated[
        str,
        typer.Option(
            metavar="ms|hf",
            help="Where to download from: ModelScope (its copy of Fun-ASR-Nano has the CTC head) "
            "or Hugging Face.",
        ),
    ] = "ms",
    revision: Annotated[
        str | None,
        typer.Option(metavar="REV", help="Branch, tag or commit; without it the hub's default."),
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep the download here; without it in the hub's own cache, where FunASR and "
            "other programs find it too.",
        ),
    ] = None,
    local_files_only: Annotated[
        bool,
        typer.Option("--local-files-only", help="Use what was downloaded before, no network."),
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Turn a Fun-ASR-Nano checkpoint into ONNX and GGUF.

    Needs the extra packages once: pip install 'funasr-cli[export]'. Transcribing does not.

    \b
    Examples:
      funasr export FunAudioLLM/Fun-ASR-Nano-2512 -o model
      funasr export FunAudioLLM/Fun-ASR-MLT-Nano-2512 -o model-mlt --no-ctc
      funasr export ./Fun-ASR-Nano-2512 -o model
    """  # noqa: D301 - \b tells Typer to keep the lines
    from rich.console import Console

    from funasr_cli.export import check_output, export_model
    from funasr_cli.export.exporter import PARTS
    from funasr_cli.export.hub import Plan, fetch, hub_of, repo_of
    from funasr_cli.export.remote import Order

    console = Console(stderr=True, highlight=False, quiet=quiet, soft_wrap=True)
    repo = repo_of(checkpoint)
    order = repo and Order(repo, hub_of(hub), revision, cache_dir, local_files_only)
    if not order and (revision or cache_dir or local_files_only):
        raise UsageError(
            f"{checkpoint}: --revision, --cache-dir and --local-files-only are for a checkpoint on "
            "a hub, named OWNER/NAME; this names a folder"
        )
    bar = progress_bar(console)
    report = reporter(bar)
    try:
        folder = Path(checkpoint)
        if order:
            plan = Plan(output, ctc_type.value if ctc else None, decoder_type.value)
            # a download is worth it only where the export can follow
            check_output(output, PARTS if ctc else PARTS - {"ctc"}, force=force)
            folder = fetch(order, plan, progress=report, say=partial(_say, console))
        manifest = export_model(
            folder,
            output,
            ctc_type=ctc_type.value,
            decoder_type=decoder_type.value,
            with_ctc=ctc,
            force=force,
            origin=order or None,
            progress=report,
        )
    finally:
        if bar.live.is_started:  # else it would leave an empty line before an error
            bar.stop()
    list_files(console, manifest)
    _say(console, f"done; use it with: funasr transcribe AUDIO -m {output}")


def _say(console: "Console", message: str) -> None:
    console.print(tr(message), markup=False)


def list_files(console: "Console", manifest: "Manifest") -> None:
    """Say what was written."""
    for part in manifest.artefacts().values():
        console.print(f"{part.name}  {part.bytes / 1e6:,.1f} MB", markup=False)


def progress_bar(console: "Console") -> "Progress":
    """Make a bar for every stage of writing a model."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
    )


def reporter(bar: "Progress") -> "Callable[[str, float], None]":
    """Give each stage that reports a line of its own."""
    tasks: dict[str, TaskID] = {}

    def report(stage: str, share: float) -> None:
        if stage not in tasks:
            bar.start()
            tasks[stage] = bar.add_task(stage, total=1.0)
        bar.update(tasks[stage], completed=share)

    return report
