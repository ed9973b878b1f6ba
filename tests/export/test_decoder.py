"""The GGUF: what llama.cpp reads is what Hugging Face's files say."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from parity.architecture import Architecture
from parity.checkpoints import write_checkpoint
from parity.vocabularies import ADDED, SPECIAL
from tokenizers import Tokenizer

from funasr_cli.errors import ModelError
from funasr_cli.export import export_model
from funasr_cli.llama.runtime import open_language_model

pytestmark = pytest.mark.export

TEXTS = (
    "",
    " ",
    "hello world",
    "Hello, World!  It's 2026-03-05,\tok?\r\n\n  'tis  done...\n",
    "语音转写成中文，不进行文本规整：",
    "请结合上下文信息，更加准确地完成语音转写任务。\n\n\n**上下文信息：**\n\n\n",
    "热词列表：[开放时间, 北京]\n",
    "今日は良い天気ですね。カタカナ、ひらがな、ﾊﾝｶｸ",
    "mixed 中文 and English混排123４５６abc",
    "🙂👩\u200d👩\u200d👧\u200d👦🇨🇳 emoji 🎉🎉",
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n",
    "a<|im_end|>b<|endoftext|><|not_a_token|>",
    "<think>\n\n</think>\n\n<tool_call>x</tool_call><|fim_pad|>",
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 ภาษา Việt Привет مرحبا हिन्दी 한국어",
    "zero\u200bwidth\u00a0space\ufeff and \x00 and \x7f",
)


def export_decoder(checkpoint: Path, output: Path, kind: str = "f32") -> Path:
    export_model(checkpoint, output, decoder_type=kind, parts=frozenset({"decoder"}))
    return next(output.glob("*.gguf"))


def fields(path: Path) -> dict[str, Any]:
    return {name: field.contents() for name, field in gguf.GGUFReader(path).fields.items()}


def matrices(path: Path) -> dict[str, Any]:
    return {
        t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors
    }


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_llama_cuts_text_as_hugging_face_does(text: str, checkpoint: Path, model: Path) -> None:
    theirs = Tokenizer.from_file(str(checkpoint / "Qwen3-0.6B" / "tokenizer.json"))
    with open_language_model(next(model.glob("*.gguf")), n_ctx=256, threads=1) as llm:
        ids = llm.tokenize(text)
        assert ids == theirs.encode(text, add_special_tokens=False).ids
        # llama.cpp spells no <|...|> token out; Hugging Face leaves out the special ones
        spoken = [i for i in ids if not str(theirs.id_to_token(i)).startswith("<|")]
        assert b"".join(map(llm.piece, spoken)).decode() == theirs.decode(spoken)


def test_metadata(checkpoint: Path, model: Path) -> None:
    found = fields(next(model.glob("*.gguf")))
    a = Architecture()
    expected = {
        "general.architecture": "qwen3",
        "general.name": checkpoint.name,
        "general.file_type": 0,
        "general.quantization_version": 2,
        "qwen3.block_count": a.llm_layers,
        "qwen3.context_length": 40960,
        "qwen3.embedding_length": a.llm_dim,
        "qwen3.feed_forward_length": a.llm_ffn,
        "qwen3.attention.head_count": a.llm_heads,
        "qwen3.attention.head_count_kv": a.llm_kv_heads,
        "qwen3.attention.key_length": a.llm_head_dim,
        "qwen3.attention.value_length": a.llm_head_dim,
        "qwen3.rope.freq_base": 1e6,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.eos_token_id": a.llm_pieces + 2,
        "tokenizer.ggml.padding_token_id": a.llm_pieces,
        "tokenizer.ggml.bos_token_id": a.llm_pieces,
        "tokenizer.ggml.add_bos_token": False,
    }
    assert {k: found[k] for k in expected} == expected
    assert found["qwen3.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-6)
    tokens, kinds = found["tokenizer.ggml.tokens"], found["tokenizer.ggml.token_type"]
    assert len(tokens) == len(kinds) == a.llm_vocab
    added = a.llm_pieces + len(SPECIAL) + len(ADDED)
    assert tokens[a.llm_pieces : added] == SPECIAL + ADDED
    assert tokens[added:] == [f"[PAD{i}]" for i in range(added, a.llm_vocab)]
    assert kinds == [1] * a.llm_pieces + [3] * 14 + [4] * 12 + [5] * (a.llm_vocab - added)


@pytest.mark.parametrize(("kind", "error"), [("q8_0", 0.012), ("f16", 1e-3), ("bf16", 0.0)])
def test_types_keep_the_numbers(
    kind: str, error: float, checkpoint: Path, model: Path, tmp_path: Path
) -> None:
    path = export_decoder(checkpoint, tmp_path / "model", kind)
    exact, rounded = matrices(next(model.glob("*.gguf"))), matrices(path)
    assert exact.keys() == rounded.keys()
    for tensor in gguf.GGUFReader(path).tensors:
        wide = len(tensor.shape) == 2
        assert tensor.tensor_type.name == (kind.upper() if wide else "F32"), tensor.name
        scale = np.abs(exact[tensor.name]).max()
        assert np.abs(exact[tensor.name] - rounded[tensor.name]).max() <= error * scale
    with open_language_model(path, n_ctx=256, threads=1) as llm:
        assert llm.n_vocab == Architecture().llm_vocab


def test_rows_that_q8_0_cannot_hold_are_f16(tmp_path: Path) -> None:
    narrow = replace(Architecture(), llm_ffn=72, ctc="none")
    folder = write_checkpoint(tmp_path / "checkpoint", narrow, 1)
    manifest = export_model(
        folder, tmp_path / "model", with_ctc=False, parts=frozenset({"decoder"})
    )
    path = next((tmp_path / "model").glob("*.q8_0.gguf"))
    kinds = {t.name: t.tensor_type.name for t in gguf.GGUFReader(path).tensors}
    assert kinds["blk.0.ffn_down.weight"] == "F16"
    assert kinds["blk.0.ffn_up.weight"] == "Q8_0"
    assert "blk.0.ffn_down.weight" in manifest.audit["notes"][0]
    with open_language_model(path, n_ctx=256, threads=1) as llm:
        assert llm.tokenize("hello")


def test_a_free_head_is_written(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(tied=False), 1)
    found = matrices(export_decoder(folder, tmp_path / "model"))
    assert found["output.weight"].shape == found["token_embd.weight"].shape
    assert not np.array_equal(found["output.weight"], found["token_embd.weight"])


def test_a_tied_head_that_differs_is_used_for_both(tmp_path: Path) -> None:
    def loosen(tensors: dict[str, Any]) -> None:
        tensors["llm.lm_head.weight"] = tensors["llm.lm_head.weight"] * 2

    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(), 1, loosen)
    manifest = export_model(folder, tmp_path / "model", decoder_type="f32")
    assert "lm_head is used for both" in manifest.audit["notes"][0]
    plain = write_checkpoint(tmp_path / "plain", Architecture(), 1)
    before = matrices(export_decoder(plain, tmp_path / "plain model"))
    after = matrices(next((tmp_path / "model").glob("*.gguf")))
    np.testing.assert_array_equal(after["token_embd.weight"], 2 * before["token_embd.weight"])
    assert "output.weight" not in after


@pytest.mark.parametrize("missing", ["llm.lm_head.weight", "llm.model.embed_tokens.weight"])
def test_one_of_a_tied_pair_is_enough(missing: str, checkpoint: Path, tmp_path: Path) -> None:
    folder = write_checkpoint(
        tmp_path / "checkpoint", Architecture(), 7, lambda tensors: tensors.pop(missing)
    )
    with_both = export_decoder(checkpoint, tmp_path / "both").read_bytes()
    with_one = export_decoder(folder, tmp_path / "one").read_bytes()
    # only the name, which is the folder's, differs
    assert with_one[-10_000:] == with_both[-10_000:]


@pytest.mark.parametrize("peft", [False, True])
def test_lora_adapters_are_merged(peft: bool, tmp_path: Path) -> None:
    def rename(tensors: dict[str, Any]) -> None:
        for name in [n for n in tensors if n.startswith("llm.model.layers.")]:
            new = name.replace("llm.", "llm.base_model.model.")
            new = new.replace("lora_A", "lora_A.default.weight")
            new = new.replace("lora_B", "lora_B.default.weight")
            if ".q_proj.weight" in name or ".v_proj.weight" in name:
                new = new.replace(".weight", ".base_layer.weight")
            tensors[new] = tensors.pop(name)

    kept: dict[str, Any] = {}

    def change(tensors: dict[str, Any]) -> None:
        kept.update(tensors)
        if peft:
            rename(tensors)

    folder = write_checkpoint(tmp_path / "checkpoint", Architecture(lora=True), 2, change)
    found = matrices(export_decoder(folder, tmp_path / "model"))
    layer = "llm.model.layers.1.self_attn.q_proj"
    low = kept[f"{layer}.lora_B"].float() @ kept[f"{layer}.lora_A"].float()
    merged = kept[f"{layer}.weight"].float() + 8 / 4 * low
    np.testing.assert_allclose(found["blk.1.attn_q.weight"], merged.numpy(), atol=1e-6)


def test_files_of_the_slow_tokenizer_do_as_well(
    checkpoint: Path, model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    (folder / "Qwen3-0.6B" / "tokenizer.json").unlink()
    ours = fields(export_decoder(folder, tmp_path / "model"))
    theirs = fields(next(model.glob("*.gguf")))
    for name in ("tokens", "token_type", "merges", "eos_token_id", "padding_token_id"):
        assert ours[f"tokenizer.ggml.{name}"] == theirs[f"tokenizer.ggml.{name}"]


def test_merges_may_be_strings(checkpoint: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    path = folder / "Qwen3-0.6B" / "tokenizer.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["model"]["merges"] = [" ".join(pair) for pair in raw["model"]["merges"]]
    path.write_text(json.dumps(raw), encoding="utf-8")
    ours = fields(export_decoder(folder, tmp_path / "model"))
    theirs = fields(next(model.glob("*.gguf")))
    assert ours["tokenizer.ggml.merges"] == theirs["tokenizer.ggml.merges"]


def edit(path: Path, **changes: object) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**raw, **changes}), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("config.json", {"model_type": "qwen2"}, "only 'qwen3'"),
        ("config.json", {"hidden_size": None}, "not a complete Qwen3 configuration"),
        ("config.json", {"rope_scaling": {"rope_type": "yarn"}}, "rope_scaling"),
        ("config.json", {"vocab_size": 620}, "another shape"),
        ("tokenizer.json", {"model": {"type": "Unigram"}}, "only byte-level BPE"),
        ("tokenizer.json", {"model": {"type": "BPE"}}, "tokenizer's files are broken"),
        ("tokenizer.json", {"added_tokens": [{"id": 640, "content": "x"}]}, "different models"),
    ],
)
def test_files_of_another_model_are_refused(
    file: str, changes: dict[str, object], message: str, checkpoint: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(checkpoint, folder)
    edit(folder / "Qwen3-0.6B" / file, **changes)
    with pytest.raises(ModelError, match=message) as caught:
        export_decoder(folder, tmp_path / "model")
    assert str(folder) in str(caught.value)
    assert not (tmp_path / "model").exists()
