"""Options of every command that loads a model: which one, and what it runs on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from funasr_cli.cli.console import Sink
    from funasr_cli.options import RuntimeOptions


@dataclass(frozen=True)
class ModelOptions:
    """A model and its runtimes."""

    model: Annotated[
        Path | None,
        typer.Option(
            "-m",
            "--model",
            "--model-dir",
            help="Model directory. Default: $FUNASR_MODEL_DIR, ./model, else the demo model.",
        ),
    ] = None
    device: Annotated[
        str,
        typer.Option(
            "--device",
            help="auto (a GPU that proves itself, else the CPU), cpu, gpu, vulkan[:N], cuda[:N] "
            "or metal; `funasr doctor --devices` lists them.",
        ),
    ] = "auto"
    threads: Annotated[
        int | None, typer.Option("-t", "--threads", min=1, help="Default: the usable cores.")
    ] = None
    slots: Annotated[
        int | None,
        typer.Option(
            "--slots", min=1, help="Segments that are decoded at once. Default: as many as pay."
        ),
    ] = None
    drafts: Annotated[
        bool,
        typer.Option(help="Let the CTC text propose tokens where that is faster; same text."),
    ] = True
    llama_bin: Annotated[
        Path | None,
        typer.Option(
            readable=False,  # we say better what is wrong
            help="Folder of a llama.cpp build. Default: $FUNASR_LLAMA_BIN, `funasr runtime`, "
            "llama_bin/, packages.",
        ),
    ] = None
    n_gpu_layers: Annotated[
        int | None,
        typer.Option(
            "--n-gpu-layers", "-ngl", min=-1, help="Layers of the LLM on the GPU. Default: all."
        ),
    ] = None
    vulkan_f16: Annotated[
        bool,
        typer.Option(help="Half precision on Vulkan; left out by itself where it does harm."),
    ] = True
    vulkan_coopmat: Annotated[
        bool,
        typer.Option(help="Cooperative matrices on Vulkan; likewise."),
    ] = True

    def runtime(self) -> "RuntimeOptions":
        """What the models run on.

        Raises:
            UsageError: a value means nothing.
        """
        from funasr_cli.options import RuntimeOptions

        return RuntimeOptions(
            threads=self.threads,
            llama_bin=self.llama_bin,
            slots=self.slots,
            drafts=self.drafts,
            device=self.device,
            n_gpu_layers=self.n_gpu_layers,
            vulkan_f16=self.vulkan_f16,
            vulkan_coopmat=self.vulkan_coopmat,
        )

    def path(self, sink: "Sink") -> Path:
        """Find the model directory; say so where it is only the demo.

        Raises:
            ModelError: there is none.
        """
        from funasr_cli.manifest import HOW_TO_EXPORT
        from funasr_cli.model_dir import DEMO_MODEL, find_model

        path = find_model(self.model)
        if path == DEMO_MODEL:
            sink.note(
                "no model named (-m, $FUNASR_MODEL_DIR, ./model): using the built-in demo model, "
                "which knows synthetic voices and about 1,300 words; for real speech "
                f"{HOW_TO_EXPORT}"
            )
        return path
