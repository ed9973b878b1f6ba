"""Checkpoints in every container; those that cannot be used are refused in one clear sentence."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from parity.architecture import Architecture
from parity.checkpoints import write_checkpoint

from funasr_cli.errors import MissingCtcError, ModelError
from funasr_cli.export import export_model
from funasr_cli.export.checkpoint import load_checkpoint
from funasr_cli.manifest import read_manifest

pytestmark = pytest.mark.export

Change = Callable[[dict[str, Any]], object]


def copy(checkpoint: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "检查点 with spaces"
    shutil.copytree(checkpoint, folder)
    return folder


def refused(folder: Path, tmp_path: Path, *, with_ctc: bool = True) -> str:
    """Try to export; nothing may be left behind."""
    with pytest.raises(ModelError) as caught:
        export_model(folder, tmp_path / "model", with_ctc=with_ctc)
    assert not (tmp_path / "model").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")] == []
    message = str(caught.value)
    assert "\n" not in message
    assert folder.name in message
    return message


@pytest.mark.parametrize(
    ("container", "prefix", "dtype"),
    [
        ("", "module.", "float16"),
        ("state_dict", "", "bfloat16"),
        ("state_dict", "module.", "float32"),
        ("model_state_dict", "", "float32"),
        ("model", "module.", "bfloat16"),
    ],
)
def test_containers(container: str, prefix: str, dtype: str, tmp_path: Path) -> None:
    a = Architecture(container=container, prefix=prefix, dtype=dtype)
    folder = write_checkpoint(tmp_path / "wrapped", a, 3)
    plain = write_checkpoint(tmp_path / "plain", Architecture(dtype=dtype), 3)
    ours, flat = load_checkpoint(folder, 32), load_checkpoint(plain, 32)
    assert (ours.container, flat.container) == (container or "flat", "flat")
    assert ours.dtype == dtype
    assert ours.names == flat.names == list(a.shapes())
    for name in ours.names:
        assert ours.read(name).dtype == np.float32
        np.testing.assert_array_equal(ours.read(name), flat.read(name))


def test_manifest_tells_what_was_exported(checkpoint: Path, model: Path) -> None:
    manifest = read_manifest(model / "manifest.json")
    facts = manifest.model
    assert (facts.name, facts.encoder_dim, facts.llm_dim) == (checkpoint.name, 32, 64)
    assert (facts.ctc_vocab, facts.blank_id, facts.llm_vocab) == (2019, 2018, 640)
    assert (facts.use_low_frame_rate, facts.downsample_rate) == (True, 1)
    assert (facts.system_prompt, facts.think_block) == (True, False)
    assert (facts.time_offset_s, facts.max_segment_s) == (-0.24, 30.0)
    assert manifest.source["container"] == "flat"
    assert manifest.source["dtype"] == "bfloat16"
    assert manifest.source["bytes"] == (checkpoint / "model.pt").stat().st_size
    assert len(manifest.source["sha256"]) == 64
    assert manifest.audit["ctc"] == {"expected": 38, "found": 38}
    assert manifest.audit["ignored"] == {"count": 0, "first": []}
    names = {p.name: p.stat().st_size for p in model.iterdir()}
    parts = (manifest.encoder, manifest.ctc, manifest.decoder, manifest.tokens)
    assert {p.name: p.bytes for p in parts if p} == {
        k: v for k, v in names.items() if k != "manifest.json"
    }


def test_settings_of_config_yaml_reach_the_manifest(checkpoint: Path, tmp_path: Path) -> None:
    folder = copy(checkpoint, tmp_path)
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config |= {"ctc_time_offset_s": 0.015, "max_segment_s": 12}
    config["dataset_conf"] |= {"do_think": False, "sys_prompt": False}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    facts = export_model(folder, tmp_path / "model").model
    assert (facts.time_offset_s, facts.max_segment_s) == (0.015, 12.0)
    assert (facts.system_prompt, facts.think_block) == (False, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("audio_encoder.tp_norm.bias"), ["audio_encoder.tp_norm.bias", "1 of 69"]),
        (
            lambda t: [t.pop(n) for n in list(t) if n.startswith("audio_adaptor.")],
            ["36 of 36", "audio_adaptor.linear1.weight", "..."],
        ),
        (
            lambda t: t.pop("llm.model.layers.1.mlp.up_proj.weight"),
            ["llm.model.layers.1.mlp.up_proj.weight"],
        ),
        (
            lambda t: t.update({"audio_encoder.encoders.0.norm1.weight": t["ctc.ctc_lo.bias"]}),
            ["audio_encoder.encoders.0.norm1.weight is 2019 instead of 32"],
        ),
    ],
)
def test_what_is_missing_is_named(change: Change, words: list[str], tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(), 1, change)  # type: ignore[arg-type]
    message = refused(folder, tmp_path)
    assert all(word in message for word in words), message
    assert message == refused(folder, tmp_path, with_ctc=False)


@pytest.mark.parametrize("ctc", ["none", "partial"])
def test_without_ctc_there_are_no_times_but_there_is_a_model(ctc: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(ctc=ctc), 1)
    message = refused(folder, tmp_path)
    assert "ModelScope" in message
    assert "--no-ctc" in message
    partial = "no whole CTC head: 1 of 38 tensors are missing (ctc_decoder.blocks.0.norm1.weight)"
    assert ("has no CTC head;" if ctc == "none" else partial) in message
    with pytest.raises(MissingCtcError):
        export_model(folder, tmp_path / "model")
    manifest = export_model(folder, tmp_path / "model", with_ctc=False)
    assert (manifest.ctc, manifest.tokens, manifest.model.ctc_vocab) == (None, None, None)
    names = sorted(p.name for p in (tmp_path / "model").iterdir())
    assert [n for n in names if "CTC" in n or n == "tokens.txt"] == []
    assert len(names) == 3


def test_unexpected_tensors_are_listed(tmp_path: Path) -> None:
    def add(tensors: dict[str, Any]) -> None:
        tensors["optimizer.step"] = tensors["ctc.ctc_lo.bias"]

    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(), 1, add)
    audit = export_model(folder, tmp_path / "model", decoder_type="f32").audit
    assert audit["ignored"] == {"count": 1, "first": ["optimizer.step"]}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda p: p.unlink(), ["model.pt is missing"]),
        (lambda p: p.write_bytes(p.read_bytes()[:100_000]), ["model.pt", "download it again"]),
        (lambda p: p.write_bytes(b""), ["model.pt", "download it again"]),
        (
            lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
            ["model.pt", "Git LFS"],
        ),
    ],
)
def test_broken_model_files(
    damage: Callable[[Path], object], words: list[str], checkpoint: Path, tmp_path: Path
) -> None:
    folder = copy(checkpoint, tmp_path)
    damage(folder / "model.pt")
    message = refused(folder, tmp_path)
    assert all(word in message for word in words), message


def test_objects_besides_tensors_are_not_loaded(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    folder = copy(checkpoint, tmp_path)
    torch.save({"state_dict": {}, "args": Architecture()}, folder / "model.pt")
    assert "save its state_dict alone" in refused(folder, tmp_path)


def test_a_checkpoint_of_something_else(checkpoint: Path, tmp_path: Path) -> None:
    import torch

    folder = copy(checkpoint, tmp_path)
    contents: tuple[object, ...] = ({"weight": torch.zeros(3)}, {"state_dict": {}}, 3)
    for content in contents:
        torch.save(content, folder / "model.pt")
        assert "no tensors of a Fun-ASR-Nano model" in refused(folder, tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("config.yaml", None, "config.yaml is missing"),
        ("config.yaml", "a: [1", "config.yaml cannot be read"),
        ("config.yaml", "just words", "does not hold a configuration"),
        ("Qwen3-0.6B/config.json", None, "config.json is missing"),
        ("Qwen3-0.6B/config.json", "{", "not readable JSON"),
        ("Qwen3-0.6B/config.json", "[]", "not a JSON object"),
        ("multilingual.tiktoken", None, "multilingual.tiktoken is missing"),
        ("multilingual.tiktoken", "AA== 0\nAQ== 1\n", "2 tokens and 1679 special ones"),
        ("multilingual.tiktoken", "no vocabulary at all", "not a tiktoken vocabulary"),
        ("multilingual.tiktoken", "AA== 5\n", "rank 5 where 0 should stand"),
    ],
)
def test_missing_and_broken_files(
    name: str, text: str | None, words: str, checkpoint: Path, tmp_path: Path
) -> None:
    folder = copy(checkpoint, tmp_path)
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text, encoding="utf-8")
    assert words in refused(folder, tmp_path)


def test_small_files_are_read_before_the_work_begins(checkpoint: Path, tmp_path: Path) -> None:
    folder = copy(checkpoint, tmp_path)
    stages: list[str] = []
    for name in ("Qwen3-0.6B/tokenizer.json", "multilingual.tiktoken"):
        (folder / name).write_text("{}", encoding="utf-8")
        with pytest.raises(ModelError, match=r"tokenizer|tiktoken"):
            export_model(folder, tmp_path / "model", progress=lambda s, _: stages.append(s))
    assert "encoder" not in stages


def test_missing_tokenizer(checkpoint: Path, tmp_path: Path) -> None:
    folder = copy(checkpoint, tmp_path)
    for name in ("tokenizer.json", "vocab.json"):
        (folder / "Qwen3-0.6B" / name).unlink()
    assert "tokenizer.json is missing, and so is vocab.json" in refused(folder, tmp_path)


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("audio_encoder_conf", {"attention_heads": 5}, "attention_heads is 5, which does not"),
        ("audio_adaptor_conf", {"attention_heads": 3}, "does not divide the width 64"),
        ("ctc_decoder_conf", {"attention_heads": 3}, "does not divide the width 32"),
        ("ctc_decoder_conf", {"downsample_rate": 2}, "ctc_decoder_conf.downsample_rate is 2"),
        ("audio_encoder_conf", {"output_size": 64}, "another shape"),
        ("audio_encoder_conf", {"num_blocks": 4}, "13 of 82 tensors are missing"),
        ("audio_encoder_conf", {"kernel_size": 9}, "32x1x11 instead of 32x1x9"),
        ("audio_encoder_conf", {"sanm_shfit": 6}, "too large for kernel_size 11"),
        ("audio_encoder_conf", {"normalize_before": False}, "normalize_before is False"),
        ("audio_encoder_conf", {"attention_heads": "four"}, "not what FunASR writes"),
        ("audio_adaptor_conf", {"downsample_rate": 0}, "must be positive"),
        ("audio_adaptor_conf", {"downsample_rate": 2}, "64x32 instead of 64x64"),
        ("frontend_conf", {"n_mels": 128}, "frontend_conf.n_mels is 128, only 80"),
        ("frontend_conf", {"window": "povey"}, "frontend_conf.window is 'povey'"),
        ("frontend_conf", {"lfr_m": 5}, "frontend_conf.lfr_m is 5, only 7"),
        ("frontend_conf", {"fs": 8000}, "frontend_conf.fs is 8000"),
        ("frontend_conf", {"cmvn_file": "am.mvn"}, "frontend_conf.cmvn_file is 'am.mvn'"),
    ],
)
def test_configurations_that_do_not_fit(
    section: str, changes: dict[str, object], words: str, checkpoint: Path, tmp_path: Path
) -> None:
    folder = copy(checkpoint, tmp_path)
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config[section] |= changes
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert re.search(re.escape(words), refused(folder, tmp_path))


def test_another_architecture(checkpoint: Path, tmp_path: Path) -> None:
    folder = copy(checkpoint, tmp_path)
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8")) | {"audio_encoder": "Whisper"}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert "audio_encoder is 'Whisper'" in refused(folder, tmp_path)
