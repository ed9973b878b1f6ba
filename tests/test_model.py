"""Models that are damaged, mixed or out of reach: every one is named, none is transcribed with."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from sounds import tone

from funasr_cli.ctc import OnnxCtc, read_tokens
from funasr_cli.encoder import OnnxEncoder
from funasr_cli.errors import InputError, LibraryError, ModelError
from funasr_cli.llama import library
from funasr_cli.manifest import damaged_files
from funasr_cli.model import _check_fit, open_model
from funasr_cli.model_dir import DEMO_MODEL, ModelFiles, find_model, open_model_dir
from funasr_cli.onnx import Session
from funasr_cli.options import RuntimeOptions

SOUND = tone(1.0)
ENCODER, CTC = "Fun-ASR-Nano-Encoder-Adaptor.fp32.onnx", "Fun-ASR-Nano-CTC.int8.onnx"
NAN = b"\xff"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the demo model, to be damaged."""
    return Path(shutil.copytree(DEMO_MODEL, tmp_path / "模型"))


def overwrite(file: Path, share: float, data: bytes) -> None:
    """Put `data` over a file's content, behind `share` of it; its size stays."""
    with file.open("r+b") as stream:
        stream.seek(int(file.stat().st_size * share))
        stream.write(data)


def opened(folder: Path) -> None:
    with ExitStack() as stack:
        open_model(open_model_dir(folder), RuntimeOptions(threads=1), stack)


def test_an_encoder_damaged_in_the_middle_is_named(copy: Path) -> None:
    overwrite(copy / ENCODER, 0.5, NAN * 4096)
    encoder = OnnxEncoder(copy / ENCODER, threads=1)
    with pytest.raises(ModelError, match=rf"not finite: damaged, .*manifest\.json .*: {ENCODER};"):
        encoder.encode([SOUND])
    assert damaged_files(copy) == [ENCODER]
    (copy / "manifest.json").unlink()
    with pytest.raises(ModelError, match="not finite: the file is damaged"):
        encoder.encode([SOUND])


def test_a_ctc_head_damaged_in_the_middle_is_named(copy: Path) -> None:
    overwrite(copy / CTC, 0.3, NAN * 4096)
    head = OnnxCtc(copy / CTC, threads=1)
    with pytest.raises(ModelError, match=rf"not finite: damaged, .*: {CTC};"):
        head.run(np.ones((20, 192), np.float32))


def test_a_sound_that_is_none_is_not_the_model_s_fault() -> None:
    encoder = OnnxEncoder(DEMO_MODEL / ENCODER, threads=1)
    with pytest.raises(InputError, match="not numbers"):
        encoder.encode([np.full(16000, np.nan, np.float32)])
    assert np.isfinite(encoder.encode([SOUND * 32768])[0].encoder_out).all()


def test_the_demo_model_is_whole(copy: Path) -> None:
    assert damaged_files(DEMO_MODEL) == []
    (copy / CTC).unlink()
    assert damaged_files(copy) == [CTC]


def test_a_graph_that_cannot_be_run_is_named(copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=rf"{CTC}: onnxruntime cannot run it .*although"):
        OnnxCtc(copy / CTC, threads=1).run(np.ones((20, 7), np.float32))
    overwrite(copy / CTC, 0, b"not a protobuf")
    with pytest.raises(ModelError, match=rf"not an ONNX model .*damaged, .*: {CTC};"):
        Session(copy / CTC, threads=1)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("field", "value", "others"),
    [
        ("encoder_dim", 191, ENCODER),
        ("llm_dim", 255, ENCODER),
        ("llm_vocab", 3455, "Decoder.q8_0.gguf"),
        ("ctc_vocab", 3164, "tokens.txt"),
    ],
)
def test_facts_and_files_must_agree(copy: Path, field: str, value: int, others: str) -> None:
    path = copy / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["model"][field] = value
    manifest["model"]["blank_id"] = manifest["model"]["ctc_vocab"] - 1
    path.write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"{others}: has .*manifest\.json {value}: .* different"):
        opened(copy)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ctc_input": 512}, rf"{ENCODER}: has 192 encoder columns, but .*{CTC} 512"),
        ({"ctc_vocab": 60515}, rf"{CTC}: has 60515 CTC tokens, but .*tokens\.txt 3215"),
        ({"n_embd": 1024}, rf"{ENCODER}: has 256 LLM columns, but .*gguf 1024"),
    ],
)
@pytest.mark.parametrize("with_facts", [True, False])
def test_files_must_agree_with_each_other(
    changed: dict[str, int], named: str, with_facts: bool
) -> None:
    files = open_model_dir(DEMO_MODEL)
    if not with_facts:  # as of another tool's directory
        files = ModelFiles(
            files.path, files.encoder, files.ctc, files.decoder, files.tokens, facts=None
        )
    told = {"ctc_input": 192, "ctc_vocab": None, "n_embd": 256, **changed}
    parts: list[Any] = [
        SimpleNamespace(encoder_dim=192, llm_dim=256),
        SimpleNamespace(encoder_dim=told["ctc_input"], vocab=told["ctc_vocab"]),
        read_tokens(cast("Path", files.tokens)),
        SimpleNamespace(n_embd=told["n_embd"], n_vocab=3840),
    ]
    with pytest.raises(ModelError, match=named):
        _check_fit(files, *parts)


def test_a_model_of_ours_without_its_manifest(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    with pytest.raises(ModelError, match=r"exported by this tool, but .*manifest\.json is missing"):
        opened(copy)


@pytest.mark.parametrize("name", ["manifest.json", ENCODER, CTC, "tokens.txt", "gguf"])
def test_a_file_that_may_not_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Path.open
        if self.name.endswith(name):
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ModelError, match=rf"{name}.*[Pp]ermission denied") as caught:
        opened(DEMO_MODEL)
    assert "export" not in str(caught.value)


def test_a_folder_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(ModelError, match="permission denied; let this user read it"):
        open_model_dir(DEMO_MODEL)
    with pytest.raises(LibraryError, match=r"--llama-bin: .*Permission denied; let this user"):
        library.find(DEMO_MODEL)


def test_a_tilde_in_a_variable_is_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("FUNASR_MODEL_DIR", "~/模型")
    assert find_model(None) == tmp_path / "模型"
    assert find_model(Path("~/named")) == tmp_path / "named"
    with pytest.raises(ModelError, match="no such model directory"):
        open_model_dir(find_model(Path("~nobody-of-that-name/x")))


def test_a_named_library_that_is_missing_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(library.ENVIRONMENT, "~nobody-of-that-name/llama")
    with pytest.raises(LibraryError, match=r"does not exist; name the folder .*FUNASR_LLAMA_BIN"):
        library.find()


def test_a_folder_that_may_be_listed_but_not_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def refuse(self: Path, **kwargs: Any) -> Any:  # noqa: ANN401 - as Path.stat
        if self.parent == DEMO_MODEL:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, **kwargs)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ModelError, match=rf"{ENCODER}: permission denied"):
        open_model_dir(DEMO_MODEL)
