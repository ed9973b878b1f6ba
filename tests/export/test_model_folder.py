"""Files appear whole or not at all, and nothing is overwritten unasked."""

import subprocess
import sys
from pathlib import Path

import pytest

from funasr_cli.errors import ModelError, OutputError, UnusableError, UsageError
from funasr_cli.export import export_model, exporter
from funasr_cli.manifest import read_manifest

pytestmark = pytest.mark.export

SCRIPTS = Path(__file__).parents[2] / "scripts"


def listing(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_same_checkpoint_gives_the_same_bytes(
    checkpoint: Path, model: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again" / "deeper"
    export_model(checkpoint, again, ctc_type="fp32", decoder_type="f32")
    assert contents(again) == contents(model)


def test_a_model_is_replaced_only_on_demand(checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    export_model(checkpoint, output)
    (output / "notes.txt").write_text("mine")
    before = contents(output)
    with pytest.raises(ModelError, match="--force"):
        export_model(checkpoint, output, decoder_type="f16")
    assert contents(output) == before
    export_model(checkpoint, output, decoder_type="f16", ctc_type="fp32", force=True)
    assert listing(output) == [
        "Fun-ASR-Nano-CTC.fp32.onnx",
        "Fun-ASR-Nano-Decoder.f16.gguf",
        "Fun-ASR-Nano-Encoder-Adaptor.fp32.onnx",
        "manifest.json",
        "notes.txt",
        "tokens.txt",
    ]
    export_model(checkpoint, output, with_ctc=False, force=True)
    assert listing(output) == [
        "Fun-ASR-Nano-Decoder.q8_0.gguf",
        "Fun-ASR-Nano-Encoder-Adaptor.fp32.onnx",
        "manifest.json",
        "notes.txt",
    ]


def test_files_of_other_tools_are_not_overwritten(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "Fun-ASR-Nano-Decoder.q8_0.gguf").write_bytes(b"theirs")
    with pytest.raises(ModelError, match="holds Fun-ASR-Nano-Decoder"):
        export_model(checkpoint, tmp_path)
    assert export_model(checkpoint, tmp_path, force=True).decoder


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left")])
@pytest.mark.parametrize("stage", ["checkpoint", "encoder", "ctc", "decoder"])
def test_an_interrupt_leaves_everything_as_it_was(
    error: BaseException, stage: str, checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    export_model(checkpoint, output)
    before = contents(output)

    def stop(name: str, done: float) -> None:
        if name == stage and done > 0.5:
            raise error

    wanted = OutputError if isinstance(error, OSError) and stage != "checkpoint" else error
    kind = wanted if isinstance(wanted, type) else type(wanted)
    with pytest.raises(kind):
        export_model(checkpoint, output, decoder_type="f32", force=True, progress=stop)
    assert contents(output) == before
    with pytest.raises(kind):
        export_model(checkpoint, tmp_path / "new", progress=stop)
    assert listing(tmp_path) == ["model"]


def test_progress_goes_from_stage_to_stage(checkpoint: Path, tmp_path: Path) -> None:
    heard: dict[str, list[float]] = {}
    export_model(
        checkpoint, tmp_path / "model", progress=lambda s, d: heard.setdefault(s, []).append(d)
    )
    assert list(heard) == ["checkpoint", "encoder", "ctc", "decoder"]
    for done in heard.values():
        assert done == sorted(done)
        assert done[-1] == 1.0


def test_a_place_that_cannot_be_written(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        export_model(checkpoint, tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"):
        export_model(checkpoint, tmp_path / "file" / "model")
    assert listing(tmp_path) == ["file"]


def test_requests_that_mean_nothing(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="int8, fp32"):
        export_model(checkpoint, tmp_path, ctc_type="int4")
    with pytest.raises(UsageError, match="q8_0"):
        export_model(checkpoint, tmp_path, decoder_type="q4_k")
    with pytest.raises(UsageError, match="parts"):
        export_model(checkpoint, tmp_path, parts=frozenset({"vad"}))
    with pytest.raises(ModelError, match="no such folder"):
        export_model(tmp_path / "nowhere", tmp_path / "model")


def test_missing_packages_are_named(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "_NEEDED", ("torch", "no_such_package"))
    with pytest.raises(UnusableError, match=r"no_such_package: pip install 'funasr-cli\[export\]'"):
        export_model(checkpoint, tmp_path / "model")


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("first", ["export_encoder_ctc.py", "export_decoder_gguf.py"])
def test_each_script_does_its_half(first: str, checkpoint: Path, tmp_path: Path) -> None:
    output, whole = tmp_path / "model", tmp_path / "whole"
    other = {"export_encoder_ctc.py", "export_decoder_gguf.py"} - {first}
    done = run(first, checkpoint, "-o", output)
    assert done.returncode == 0, done.stderr
    assert all(Path(line).is_file() for line in done.stdout.splitlines())
    half = read_manifest(output / "manifest.json")
    assert (half.decoder is None) == (first == "export_encoder_ctc.py")
    assert (half.encoder is None) == (half.tokens is None) == (half.decoder is not None)
    done = run(other.pop(), checkpoint, "-o", output)
    assert done.returncode == 0, done.stderr
    export_model(checkpoint, whole)
    assert contents(output) == contents(whole)
    refused = run(first, checkpoint, "-o", output)
    assert refused.returncode == 3
    assert refused.stderr.startswith("error: ")
    assert "--force" in refused.stderr
    assert contents(output) == contents(whole)


def test_halves_of_two_checkpoints_are_not_joined(
    checkpoint: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from parity.architecture import Architecture
    from parity.checkpoints import write_checkpoint

    other = write_checkpoint(tmp_path_factory.mktemp("other"), Architecture(), 8)
    output = tmp_path / "model"
    export_model(checkpoint, output, parts=frozenset({"encoder", "ctc"}))
    with pytest.raises(ModelError, match="of another checkpoint"):
        export_model(other, output, parts=frozenset({"decoder"}))
    export_model(other, output, parts=frozenset({"decoder"}), force=True)
    assert listing(output) == ["Fun-ASR-Nano-Decoder.q8_0.gguf", "manifest.json"]
