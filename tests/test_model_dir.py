import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from funasr_cli.errors import ModelError
from funasr_cli.manifest import Artefact, Manifest, ModelFacts, read_manifest
from funasr_cli.model_dir import DEMO_MODEL, find_model, named_files, open_model_dir

FACTS = ModelFacts(
    name="tiny", encoder_dim=32, llm_dim=64, llm_vocab=600, use_low_frame_rate=True,
    downsample_rate=1, ctc_vocab=340, blank_id=339,
)  # fmt: skip


def artefact(folder: Path, name: str) -> Artefact:
    (folder / name).write_bytes(name.encode())
    return Artefact(name, "fp32", len(name), sha256(name.encode()).hexdigest())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    manifest = Manifest(
        model=FACTS,
        encoder=artefact(tmp_path, "e.onnx"),
        ctc=artefact(tmp_path, "c.onnx"),
        decoder=artefact(tmp_path, "d.gguf"),
        tokens=artefact(tmp_path, "tokens.txt"),
        source={"sha256": "abc"},
    )
    (tmp_path / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    return tmp_path


def test_a_manifest_reads_back_what_was_written(model: Path) -> None:
    manifest = read_manifest(model / "manifest.json")
    assert manifest.model == FACTS
    assert Manifest(**vars(manifest)).to_json() == manifest.to_json()


def test_the_files_of_a_model(model: Path) -> None:
    files = open_model_dir(model)
    assert files.facts == FACTS
    assert files.sha256 == "abc"
    assert files.ctc == model / "c.onnx"


def test_a_model_without_ctc_head(model: Path) -> None:
    manifest = replace(read_manifest(model / "manifest.json"), ctc=None, tokens=None)
    (model / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    assert open_model_dir(model).ctc is None


def test_an_unknown_field_of_a_later_version_is_no_error(model: Path) -> None:
    path = model / "manifest.json"
    text = path.read_text(encoding="utf-8").replace('"name": "tiny"', '"new": 1, "name": "tiny"')
    path.write_text(text, encoding="utf-8")
    assert read_manifest(path).model == FACTS


def test_a_checkpoint_for_a_directory_is_told_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=r"funasr export Some/Model-2 -o model$"):
        open_model_dir(Path("Some/Model-2"))
    (tmp_path / "Some").mkdir()  # now it is a folder of ours, and a mistyped name in it
    with pytest.raises(ModelError, match=r"funasr export FunAudioLLM/Fun-ASR-Nano-2512 -o model$"):
        open_model_dir(Path("Some/Model-2"))


def test_what_is_wrong_with_a_directory_is_named(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model directory"):
        open_model_dir(tmp_path / "nowhere")
    (model / "d.gguf").write_bytes(b"short")
    with pytest.raises(ModelError, match=r"d\.gguf: has 5 bytes, the manifest says 6"):
        open_model_dir(model)
    (model / "d.gguf").unlink()
    with pytest.raises(ModelError, match=r"d\.gguf: missing"):
        open_model_dir(model)
    (model / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="not a readable manifest"):
        open_model_dir(model)
    (model / "manifest.json").write_text('{"schema": "other/9"}', encoding="utf-8")
    with pytest.raises(ModelError, match="schema 'other/9'"):
        open_model_dir(model)
    (model / "manifest.json").unlink()
    with pytest.raises(ModelError, match="no LLM"):
        open_model_dir(tmp_path_with(model, "Fun-ASR-Nano-Encoder-Adaptor.fp16.onnx"))


def tmp_path_with(folder: Path, name: str) -> Path:
    (folder / name).touch()
    return folder


def test_a_manifest_cannot_point_outside_its_directory(model: Path) -> None:
    manifest = read_manifest(model / "manifest.json")
    evil = replace(manifest, encoder=replace(artefact(model, "x"), name="../x"))
    (model / "manifest.json").write_text(evil.to_json(), encoding="utf-8")
    with pytest.raises(ModelError, match="no usable file"):
        open_model_dir(model)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("model", "max_segment_s", 0),
        ("model", "max_segment_s", 100000),
        ("model", "max_segment_s", "15"),
        ("model", "max_segment_s", float("nan")),
        ("model", "time_offset_s", -5.5),
        ("model", "time_offset_s", None),
        ("model", "encoder_dim", 0),
        ("model", "llm_dim", 1.5),
        ("model", "llm_vocab", True),
        ("model", "downsample_rate", 0),
        ("model", "use_low_frame_rate", "no"),
        ("model", "think_block", 0),
        ("model", "name", None),
        ("model", "ctc_vocab", None),
        ("model", "ctc_vocab", 0),
        ("model", "blank_id", 12),
        ("model", "blank_id", "339"),
        ("decoder", "bytes", "6"),
        ("encoder", "name", 7),
    ],
)
def test_a_value_that_cannot_be_is_named(model: Path, part: str, field: str, value: object) -> None:
    change(model, **{part: {field: value}})
    with pytest.raises(ModelError, match=field):
        open_model_dir(model)


def change(folder: Path, **parts: Any) -> None:  # noqa: ANN401 - JSON
    """Put other values into manifest.json."""
    path = folder / "manifest.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    for part, values in parts.items():
        raw[part] = values and {**raw[part], **values}
    path.write_text(json.dumps(raw), encoding="utf-8")


def test_a_ctc_head_needs_its_tokens(model: Path) -> None:
    change(model, tokens=None)
    with pytest.raises(ModelError, match="has a ctc, but no tokens"):
        open_model_dir(model)


def test_whole_numbers_are_numbers_too(model: Path) -> None:
    change(model, model={"max_segment_s": 12, "time_offset_s": 0})
    facts = read_manifest(model / "manifest.json").model
    assert (facts.max_segment_s, facts.time_offset_s) == (12, 0)


def test_files_of_the_other_project_are_recognised(tmp_path: Path) -> None:
    for name in ("Encoder-Adaptor.int8.onnx", "Encoder-Adaptor.fp16.onnx", "CTC.fp16.onnx"):
        tmp_path_with(tmp_path, f"Fun-ASR-Nano-{name}")
    tmp_path_with(tmp_path, "Fun-ASR-Nano-Decoder.q8_0.gguf")
    with pytest.raises(ModelError, match=r"tokens\.txt: missing"):
        open_model_dir(tmp_path)
    files = open_model_dir(tmp_path_with(tmp_path, "tokens.txt"))
    assert files.facts is None
    assert files.encoder.name == "Fun-ASR-Nano-Encoder-Adaptor.fp16.onnx"


def test_single_files_take_their_facts_from_the_manifest_beside_them(model: Path) -> None:
    files = named_files(model / "e.onnx", model / "c.onnx", model / "d.gguf", model / "tokens.txt")
    assert files.facts == FACTS
    with pytest.raises(ModelError, match="this is no file"):
        named_files(model, None, model / "d.gguf", None)
    with pytest.raises(ModelError, match="no such file"):
        named_files(model / "nothing.onnx", None, model / "d.gguf", None)
    with pytest.raises(ModelError, match=r"needs its tokens\.txt"):
        named_files(model / "e.onnx", model / "c.onnx", model / "d.gguf", None)


def test_the_order_of_choice(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "cwd"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.delenv("FUNASR_MODEL_DIR", raising=False)
    assert find_model(None) == DEMO_MODEL
    (here / "model").mkdir()
    assert find_model(None) == DEMO_MODEL  # an empty folder is no model
    tmp_path_with(here / "model", "x.gguf")
    assert find_model(None) == Path("model")
    monkeypatch.setenv("FUNASR_MODEL_DIR", str(model))
    assert find_model(None) == model
    assert find_model(Path("named")) == Path("named")
