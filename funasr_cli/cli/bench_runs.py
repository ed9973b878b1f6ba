"""`funasr bench decode`, `pipeline` and `hotwords`: measure, print a table or JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from funasr_cli.cli.console import Sink

_Model = Annotated[
    Path | None, typer.Option("-m", "--model", "--model-dir", help="Model directory.")
]
_Threads = Annotated[
    int | None, typer.Option("-t", "--threads", min=1, help="Default: the usable cores.")
]
_Device = Annotated[str, typer.Option("--device", help="As for `funasr transcribe`.")]
_LlamaBin = Annotated[Path | None, typer.Option(help="Folder of a llama.cpp build.")]
_Slots = Annotated[
    int | None, typer.Option(min=1, help="Segments side by side. Default: as many as pay.")
]
_Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def decode(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: _Model = None,
    segments: Annotated[int, typer.Option(min=1, help="Texts to write.")] = 8,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens of each.")] = 256,
    threads: _Threads = None,
    device: _Device = "auto",
    slots: _Slots = None,
    llama_bin: _LlamaBin = None,
    as_json: _Json = False,
) -> None:
    """Measure the LLM: one text after the other, many at once, and with drafts.

    The number of tokens is forced, so a model of random weights does; drafts are right as often
    as recorded ones. All ratios come from one run, in which the kinds alternate.

    \b
    Example:
      funasr bench make-model random --size full --decoder-only
      funasr bench decode -m random --segments 8 --tokens 256 --threads 2
    """  # noqa: D301 - \b tells Typer to keep the lines
    from funasr_cli.bench.decode import measure_decoding
    from funasr_cli.cli.console import Sink
    from funasr_cli.model_dir import find_model
    from funasr_cli.options import RuntimeOptions

    runtime = RuntimeOptions(threads=threads, device=device, slots=slots, llama_bin=llama_bin)
    sink = Sink()
    found = measure_decoding(
        find_model(model), runtime, segments=segments, tokens=tokens, on_test=sink.note
    )
    _print(sink, found, as_json=as_json)


def pipeline(  # noqa: PLR0913, PLR0917 - one parameter an option
    audio: Annotated[Path, typer.Argument(help="A recording.")],
    model: _Model = None,
    tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens of each segment. Default: its own text.")
    ] = None,
    threads: _Threads = None,
    device: _Device = "auto",
    slots: _Slots = None,
    llama_bin: _LlamaBin = None,
    as_json: _Json = False,
) -> None:
    """Measure a whole transcription: times of each stage, RTF and peak memory.

    Twice, each time in a fresh process: one segment and one token at a time, then as shipped.
    """
    from funasr_cli.bench.pipeline import bench_pipeline
    from funasr_cli.cli.console import Sink
    from funasr_cli.errors import InputError
    from funasr_cli.model_dir import find_model
    from funasr_cli.options import RuntimeOptions

    if not audio.is_file():
        raise InputError(f"{audio}: no such file")
    runtime = RuntimeOptions(threads=threads, device=device, slots=slots, llama_bin=llama_bin)
    _print(Sink(), bench_pipeline(audio, find_model(model), runtime, tokens), as_json=as_json)


def hotwords(
    words: Annotated[int, typer.Option(min=100, max=150_000, help="Of the list.")] = 10_000,
    samples: Annotated[
        int, typer.Option(min=0, help="Words to mishear in each way. 0: only times.")
    ] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Decides list, texts and mishearings.")] = 0,
    as_json: _Json = False,
) -> None:
    """Measure how fast hot words are found by sound, and how many; needs no model.

    A list of made-up names, places, terms and Latin words; segments of 150 characters (30 s).
    Beside it, rapidfuzz compares every word with every stretch, if it is installed. Hits are
    shares of misheard words among the first ten; false hits are words that nobody said.
    """
    from funasr_cli.bench.hotwords import bench_hotwords
    from funasr_cli.cli.console import Sink

    sink = Sink()
    found = bench_hotwords(words, samples=samples, seed=seed)
    if found["brute_force_ms"] is None:
        sink.note("no comparison: pip install rapidfuzz")
    _print(sink, found, as_json=as_json)


def _print(sink: "Sink", found: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sink.data(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
        return
    for name, value in _flat(found):
        sink.data(f"{name:<32}{value}\n")


def _flat(found: dict[str, object], before: str = "") -> "Iterator[tuple[str, str]]":
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        elif name != "text":
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            yield f"{before}{name}", shown
